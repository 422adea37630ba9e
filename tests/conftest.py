from pathlib import Path

from tests.end_to_end.workspace import base_run, prefect_url, workspace_of  # noqa: F401

from latentbeta.environment import configure

configure(Path(__file__).parents[1])  # before any test imports TensorFlow, Prefect or MLflow
