"""Speed of the project's own work beside named peers: `make bench`."""

import os
from pathlib import Path

from latentbeta.environment import configure

PROJECT = Path(__file__).resolve().parents[1]
ENVIRONMENT_BEFORE = dict(os.environ)  # for runs in a clone, which set their own

configure(PROJECT)  # before NumPy and Keras are imported: the threads are those of the pipeline
