"""Run the fetch once in a folder with a params.yaml; a process of its own, so that it can die."""

import datetime as dt
import sys
from pathlib import Path

from latentbeta.config import read_settings
from latentbeta.sources.fetch import Places, fetch

if __name__ == "__main__":
    here = Path(sys.argv[1])
    places = Places(here / "fetched", here / "downloads", here / "cache")
    fetch(read_settings(here / "params.yaml"), places, dt.datetime.fromisoformat(sys.argv[2]))
