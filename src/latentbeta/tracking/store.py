"""The project's MLflow store: SQLite for metadata, files for artifacts, both under mlruns/."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

from latentbeta.environment import MLFLOW_FOLDER, tracking_uri

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "latentbeta"


@dataclass(frozen=True, eq=False)
class Store:
    """An open store.

    Attributes
    ----------
    project : Path
    client : MlflowClient
    experiment_id : str
    """

    project: Path
    client: MlflowClient
    experiment_id: str


def initialise(project: Path) -> None:
    """Create the database and the experiment if they are missing.

    Of several processes that open a missing database at once most crash, so one does it, under
    a file lock, before the run fans out.
    """
    open_store(project)


def open_store(project: Path) -> Store:
    """Open the project's store, creating what is missing."""
    from mlflow import MlflowClient, set_registry_uri, set_tracking_uri

    folder = project.resolve() / MLFLOW_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    uri = tracking_uri(project)
    set_tracking_uri(uri)  # models are logged through MLflow's global state
    set_registry_uri(uri)
    with filelock.FileLock(folder / ".initialise.lock"):
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        experiment = client.get_experiment_by_name(EXPERIMENT)
        if experiment is not None:
            return Store(project, client, str(experiment.experiment_id))
        location = (folder / "artifacts").as_uri()
        created = client.create_experiment(EXPERIMENT, artifact_location=location)
        return Store(project, client, str(created))
