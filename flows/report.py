"""Stage report: one HTML page of the saved results, recorded in MLflow."""

from prefect import flow

from flows import PROJECT
from flows.api import run_flow
from latentbeta.config import read_settings
from latentbeta.progress import say
from latentbeta.report import build_report
from latentbeta.tracking import initialise, record_report


@flow(name="report")
def report_flow() -> None:
    """Build the page and keep it with the training's run."""
    settings = read_settings(PROJECT / "params.yaml")
    data = PROJECT / "data"
    page = build_report(data=data, output=data / "report" / "report.html", settings=settings)
    say(f"report: {page.relative_to(PROJECT)}")
    record_report(PROJECT, settings)


def stand_ready() -> None:
    """Open MLflow's store in a process that stands ready before its turn."""
    initialise(PROJECT)


if __name__ == "__main__":
    run_flow(report_flow)
