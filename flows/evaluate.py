"""Stage evaluate: out-of-sample measures of the saved results, recorded in MLflow."""

from prefect import flow

from flows import PROJECT
from flows.api import run_flow
from latentbeta.config import read_settings
from latentbeta.evaluation import evaluate
from latentbeta.tracking import initialise, record_evaluation


@flow(name="evaluate")
def evaluate_flow() -> None:
    """Measure every model's results and log the measures onto the runs of the training."""
    settings = read_settings(PROJECT / "params.yaml")
    data = PROJECT / "data"
    evaluate(
        results=data / "results",
        panel=data / "panel",
        truth=data / "prices" / "truth",
        training=data / "training",
        output=data / "evaluation",
        settings=settings,
    )
    record_evaluation(PROJECT, settings)


def stand_ready() -> None:
    """Open MLflow's store in a process that stands ready before its turn."""
    initialise(PROJECT)


if __name__ == "__main__":
    run_flow(evaluate_flow)
