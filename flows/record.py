"""Recording results that MLflow does not know, such as those that DVC's cache gave back."""

from flows import PROJECT
from flows.api import plain_errors
from flows.lock import project_lock
from latentbeta.config import read_settings
from latentbeta.errors import PipelineError
from latentbeta.progress import say
from latentbeta.tracking import ensure_recorded, initialise


def main() -> None:
    """Record what is missing, unless a run is at work: it records its own."""
    initialise(PROJECT)
    try:
        with project_lock(PROJECT, "record"):
            ensure_recorded(PROJECT, read_settings(PROJECT / "params.yaml"))
    except PipelineError as error:
        say(f"{error}; showing what is recorded so far")


if __name__ == "__main__":
    with plain_errors("record"):
        main()
