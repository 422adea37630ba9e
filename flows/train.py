"""Stage train: every model over every fold, recorded in MLflow."""

from contextlib import nullcontext

from prefect import flow
from prefect.runtime import flow_run

from flows import PROJECT
from flows.api import run_flow
from flows.fan_out import fitter
from flows.fork_server import forks_are_served, serve_forks_of_this_process
from flows.recording import Recorder
from latentbeta.config import read_settings
from latentbeta.storage import write_json
from latentbeta.tracking import (
    fail_training,
    finish_training,
    initialise,
    learn_packages,
    record_training,
    start_training,
)
from latentbeta.walk_forward.train import train


@flow(name="train")
def train_flow() -> None:
    """Open the MLflow run, train, record, and keep the run's id with the outputs."""
    settings = read_settings(PROJECT / "params.yaml")
    parent = start_training(PROJECT, settings, tags={"prefect.flow_run_id": str(flow_run.id)})
    data = PROJECT / "data"
    try:
        with Recorder(settings, parent) if forks_are_served() else nullcontext() as recorder:
            train(
                settings=settings,
                panel_folder=data / "panel",
                store=data / "fold_store",
                results=data / "results",
                training=data / "training",
                fit_ahead=fitter(settings.execution, data / "panel", data / "fold_store"),
                on_run=recorder,
            )
            runs = (
                finish_training(PROJECT, settings, parent, recorder.children())
                if recorder
                else record_training(PROJECT, settings, parent)
            )
        write_json(runs, data / "training" / "runs.json")
    except BaseException:
        fail_training(PROJECT, parent)
        raise


def stand_ready() -> None:
    """Do what no panel is needed for, in a process that stands ready before its turn."""
    learn_packages()
    serve_forks_of_this_process()
    initialise(PROJECT)


if __name__ == "__main__":
    run_flow(train_flow)
