"""Fits spread over processes by Prefect's Dask runner; one address makes it a cluster."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prefect import flow, task

from latentbeta.config import ExecutionSettings
from latentbeta.progress import counting
from latentbeta.walk_forward.jobs import Job, run_job

FEWEST_FITS = 8  # for fewer, starting the processes takes longer than they save

FitAhead = Callable[[list[Job]], None]


def fitter(execution: ExecutionSettings, panel_folder: Path, store: Path) -> FitAhead | None:
    """Return what fits jobs side by side; None when one process is to do it all."""
    if execution.workers == 1 and execution.scheduler is None:
        return None

    def fit_ahead(jobs: list[Job]) -> None:
        if sum(len(job.folds) for job in jobs) < FEWEST_FITS:
            return
        runner = _runner(execution)
        fit_jobs.with_options(task_runner=runner)(jobs, panel_folder, store)

    return fit_ahead


@task(name="fit")
def fit_job(job: Any, panel_folder: Path, store: Path) -> int:
    """Fit one job's folds into the store."""
    run_job(job, panel_folder, store)
    return len(job.folds)


@flow(name="fit folds", validate_parameters=False)  # Prefect makes no schema of a Job
def fit_jobs(jobs: list[Any], panel_folder: Path, store: Path) -> None:
    """Fit every job, and show how many folds are done."""
    from prefect.futures import as_completed

    with counting("fit", sum(len(job.folds) for job in jobs)) as advance:
        futures = [fit_job.submit(job, panel_folder, store) for job in jobs]
        for future in as_completed(futures):
            advance(future.result())


def _runner(execution: ExecutionSettings) -> Any:
    from prefect_dask.task_runners import DaskTaskRunner

    if execution.scheduler is not None:
        return DaskTaskRunner(address=execution.scheduler)
    logging.getLogger("distributed").setLevel(logging.ERROR)
    processes = {"n_workers": execution.workers, "threads_per_worker": 1}
    return DaskTaskRunner(cluster_kwargs=processes | {"dashboard_address": "127.0.0.1:0"})
