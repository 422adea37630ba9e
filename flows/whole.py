"""The flow of a whole run: what `dvc repro` does, recorded and shown."""

from __future__ import annotations

import datetime as dt
from subprocess import Popen

from prefect import flow

from flows.handover import RESULTS, handed_over
from flows.lock import close_dead_flow_runs
from flows.pipeline import watch
from latentbeta.errors import PipelineError


@flow(name="run", validate_parameters=False)  # Prefect makes no schema of a process
def run(repro: Popen[str], since: dt.datetime) -> None:
    """Follow `dvc repro` to its end, have the rest recorded, and say what came out.

    Parameters
    ----------
    repro : Popen
        `dvc repro`, already at work.
    since : datetime
        From when on this run holds the project.

    Raises
    ------
    PipelineError
        When a stage fails, or the results cannot be recorded.
    """
    close_dead_flow_runs(since)
    watch(repro)
    status = handed_over(RESULTS)  # where MLflow is imported already
    if status:
        raise PipelineError("the results could not be recorded; the reason is printed above")
    if status is None:
        from flows.results import main

        main()
