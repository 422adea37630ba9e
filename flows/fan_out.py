"""Fits spread over processes by Prefect's Dask runner; one address makes it a cluster."""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.context import SettingsContext, get_settings_context
from prefect.settings import PREFECT_API_URL

from flows.api import plain_warnings
from flows.server import ADDRESS, SECONDS_TO_START
from latentbeta.config import ExecutionSettings
from latentbeta.errors import PipelineError
from latentbeta.panel.files import read_panel
from latentbeta.progress import Advance, counting
from latentbeta.walk_forward.effort import expected_seconds
from latentbeta.walk_forward.jobs import Job, run_job

# A process takes two to seven seconds to start, and two to compile its first program: for shorter
# fits than these together, two processes save less than they cost.
SHORTEST = 20.0
# TensorFlow's XLA keeps every program that it compiled, 10 to 20 MB each, until its process ends.
JOBS_PER_PROCESS = 8

# Dask's own watching costs fits some percent of two cores: a sample of the stack every 10 ms, a
# clock every 20. Nor is a fit worth having two of them wait at one process while another is idle.
DASK = {
    "distributed.worker.multiprocessing-method": "forkserver",
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.scheduler.worker-saturation": 1.0,
}

FitAhead = Callable[[list[Job]], None]


def fitter(execution: ExecutionSettings, panel_folder: Path, store: Path) -> FitAhead | None:
    """Return what fits jobs side by side, if that pays; None when one process is to do it all."""
    if execution.workers == 1 and execution.scheduler is None:
        return None

    def fit_ahead(jobs: list[Job]) -> None:
        if expected_seconds(jobs, read_panel(panel_folder)) < SHORTEST:
            return
        n_fits = sum(len(job.folds) for job in jobs)
        with counting("fit", n_fits) as advance:
            fit_side_by_side(jobs, execution, panel_folder, store, advance)

    return fit_ahead


def fit_side_by_side(
    jobs: list[Job],
    execution: ExecutionSettings,
    panel_folder: Path,
    store: Path,
    advance: Advance,
) -> None:
    """Fit jobs into the store on processes that are started for them, and ended after."""
    for turn in turns(jobs, execution):
        with _settings(execution), _processes(execution) as (runner, wait_until_up):
            flow_of_fits = fit_jobs.with_options(task_runner=runner)
            flow_of_fits(turn, panel_folder, store, _Here(advance), _Here(wait_until_up))


def import_for_workers() -> None:
    """Start the process that imports what fits need; this does not wait for it.

    Python's fork server: it runs no fit and starts no thread of TensorFlow's, so a process forked
    from it is as good as a fresh one, and is there in a tenth of the time. In a whole run the
    stage's process, with its imports done ahead, was forked into one (flows/ahead.py).
    """
    multiprocessing.get_context("forkserver").set_forkserver_preload(["flows.worker_imports"])
    forkserver.ensure_running()


def turns(jobs: list[Job], execution: ExecutionSettings) -> list[list[Job]]:
    """Split jobs, in order, into those that one set of processes does before fresh ones follow.

    A cluster's processes are not ours to end: it gets all jobs at once.
    """
    size = JOBS_PER_PROCESS * execution.workers if execution.scheduler is None else len(jobs)
    return [jobs[i : i + size] for i in range(0, len(jobs), size)]


@task(name="fit")
def fit_job(job: Any, panel_folder: Path, store: Path) -> int:
    """Fit one job's folds into the store; an error is told by the process that started the fits."""
    logging.getLogger("prefect.task_runs").propagate = False
    with plain_warnings():
        run_job(job, panel_folder, store)
    return len(job.folds)


@flow(name="fit folds", validate_parameters=False)  # Prefect makes no schema of a Job
def fit_jobs(
    jobs: list[Any], panel_folder: Path, store: Path, advance: Any, wait_until_up: Any
) -> None:
    """Fit every job; `advance` is told of how many folds, job by job."""
    from prefect.futures import as_completed

    futures = [fit_job.submit(job, panel_folder, store) for job in jobs]
    wait_until_up.call()  # with no process, no fit would ever be completed
    for future in as_completed(futures):
        advance.call(future.result())


class _Here:
    """A function that stays in this process; Prefect sends a flow's parameters with each task."""

    def __init__(self, call: Callable[..., None] | None = None) -> None:
        self.call = call

    def __reduce__(self) -> tuple[type[_Here], tuple[()]]:
        return _Here, ()


class _Inherited(SettingsContext):
    """Prefect's settings, where the processes that run tasks have the same without being told.

    A task takes its flow's settings along, and Prefect builds all of them anew for each: a tenth
    of a second of the process that submits it, and of the one that runs it.
    """

    def serialize(self, include_secrets: bool = True) -> dict[str, Any]:  # noqa: ARG002
        return {}


def _settings(execution: ExecutionSettings) -> AbstractContextManager[Any]:
    """Return Prefect's settings for tasks.

    Processes of this machine read the environment, so they know the API of the flow if that is
    where it stands; a cluster's have to be told.
    """
    known = os.environ.get(ADDRESS) == PREFECT_API_URL.value()
    if execution.scheduler is not None or not known:
        return nullcontext()
    found = get_settings_context()
    return _Inherited(profile=found.profile, settings=found.settings)


@contextmanager
def _processes(execution: ExecutionSettings) -> Iterator[tuple[Any, Callable[[], None]]]:
    """Give what runs Prefect's tasks, and what waits for its processes."""
    from prefect_dask.task_runners import DaskTaskRunner

    if execution.scheduler is not None:
        yield DaskTaskRunner(address=execution.scheduler), lambda: None
        return
    with _cluster(execution.workers) as cluster:
        runner = DaskTaskRunner(address=cluster.scheduler_address)
        yield runner, partial(_wait_for, cluster, execution.workers)


def _cluster(n_processes: int) -> Any:
    """Return Dask's cluster of this machine; its processes start while Prefect begins the flow."""
    import dask
    from distributed import LocalCluster

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # it complains of its own end
    dask.config.set(DASK)
    import_for_workers()
    cluster = LocalCluster(
        n_workers=0,
        threads_per_worker=1,
        # Near a limit Dask pauses a process until it holds fewer of Dask's data. It holds none: the
        # pause would never end.
        memory_limit=None,
        dashboard_address="127.0.0.1:0",
    )
    cluster.scale(n_processes)
    return cluster


def _wait_for(cluster: Any, n_processes: int) -> None:
    """Wait for the processes that a cluster was told to start.

    Raises
    ------
    PipelineError
        When they do not come.
    """
    try:
        cluster.wait_for_workers(n_processes, SECONDS_TO_START)
    except TimeoutError as error:
        raise PipelineError(
            f"of {n_processes} processes for the fits some did not start within"
            f" {SECONDS_TO_START} s; what they printed is above. With execution.workers: 1 in"
            " params.yaml none is needed; what was fitted is kept"
        ) from error
