from pathlib import Path

from latentbeta.environment import configure

configure(Path(__file__).parents[1])  # before any test imports TensorFlow, Prefect or MLflow
