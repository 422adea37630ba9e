"""The one place that sets the environment variables the tools of the pipeline read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MLFLOW_FOLDER = Path("mlruns")
PREFECT_FOLDER = Path(".prefect")
CACHE_FOLDER = Path(".cache")


def configure(project: Path) -> None:
    """Set what the process and its children need, where the caller's environment says nothing.

    To be called before NumPy, Prefect, MLflow, Keras or DVC are imported, because they read
    these variables once. A variable that is already set keeps its value.

    Parameters
    ----------
    project : Path
        The project's folder; every tool keeps its state below it.
    """
    project = project.resolve()
    for name, value in (_QUIET | _REPRODUCIBLE | _places(project)).items():
        os.environ.setdefault(name, value)


@contextmanager
def single_threaded() -> Iterator[None]:
    """Have child processes that are started meanwhile compute on one thread each.

    Processes beside each other then do not fight for cores, and their bytes do not depend on
    how many there are.
    """
    before = dict(os.environ)
    os.environ.update(_REPRODUCIBLE)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def tracking_uri(project: Path) -> str:
    """Return the address of the project's MLflow metadata: an SQLite file under mlruns/."""
    return f"sqlite:///{project.resolve() / MLFLOW_FOLDER / 'mlflow.db'}"


_QUIET = {  # nothing is sent to anyone, and only what a reader needs is printed
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLI_PROMPT": "false",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "WARNING",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # else seven consumer processes more
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "MPLBACKEND": "Agg",
}

_REPRODUCIBLE = {  # the bytes of a weight depend on how many threads summed its gradient
    "KERAS_BACKEND": "tensorflow",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_NUM_INTRAOP_THREADS": "1",  # processes side by side do not fight for cores either
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def _places(project: Path) -> dict[str, str]:
    """Return where each tool keeps its files: inside the project, out of git."""
    prefect, cache = project / PREFECT_FOLDER, project / CACHE_FOLDER
    return {
        "PREFECT_HOME": str(prefect),
        "PREFECT_LOCAL_STORAGE_PATH": str(prefect / "storage"),
        "MLFLOW_TRACKING_URI": tracking_uri(project),
        "KERAS_HOME": str(cache / "keras"),
        "MPLCONFIGDIR": str(cache / "matplotlib"),
        "DVC_SITE_CACHE_DIR": str(cache / "dvc-site"),
    }
