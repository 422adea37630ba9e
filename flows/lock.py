"""One run of the project at a time, and an end to what a killed one left running."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import filelock
import psutil

from latentbeta.environment import CACHE_FOLDER
from latentbeta.errors import PipelineError
from latentbeta.progress import say
from latentbeta.storage import read_json, write_json

MARK = "LATENTBETA_RUN"  # in the environment of every process that a run starts
SECONDS_TO_END = 10


@contextmanager
def project_lock(project: Path, command: str) -> Iterator[dt.datetime]:
    """Hold the project, or say who does; held already by this process, it is held again.

    Gives the time from which on it is held.

    The system lets go of the lock when its holder dies, however it dies. Processes that a killed
    holder started may outlive it; they are ended before the lock is handed on.

    Raises
    ------
    PipelineError
        When another process holds it.
    """
    folder = project.resolve() / CACHE_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(
        folder / "run.lock", blocking=False, is_singleton=True, thread_local=False
    )
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise PipelineError(_held_by(folder / "run.json")) from error
    try:
        if lock.lock_counter == 1:
            end_leftovers(project)
            _sign(folder / "run.json", command)
        with _marked(project):
            yield dt.datetime.now(tz=dt.UTC)
    finally:
        lock.release()


def end_leftovers(project: Path) -> None:
    """End the processes of a killed run of this project, and clear DVC's lock of them."""
    leftovers = [process for process in psutil.process_iter() if _is_of_run(process, project)]
    if leftovers:
        say(f"ending {len(leftovers)} process(es) that a killed run left behind")
        end_processes(leftovers)
    clear_dvc_lock(project / ".dvc/tmp/rwlock")


def end_processes(processes: list[psutil.Process]) -> None:
    """Ask the processes to end, and kill those that have not after ten seconds."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=SECONDS_TO_END)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def clear_dvc_lock(path: Path) -> None:
    """Remove DVC's record of readers and writers when none of them is a DVC process any more.

    DVC itself forgives a process id that is gone, but neither one that the system has since
    given to another process nor a file that a kill cut short.
    """
    if path.exists() and not any(_is_dvc(pid) for pid in _pids(path)):
        path.unlink()


def close_dead_flow_runs(before: dt.datetime) -> None:
    """Mark flow runs that a killed process left running as crashed.

    Parameters
    ----------
    before : datetime
        When the project was locked: what began earlier and still says that it runs is dead.
    """
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter
    from prefect.client.schemas.objects import State
    from prefect.runtime import flow_run
    from prefect.states import Crashed

    mine = (str(flow_run.id), str(flow_run.parent_flow_run_id))
    left = FlowRunFilter.model_validate(
        {"state": {"type": {"any_": ["RUNNING"]}}, "start_time": {"before_": before}}
    )
    with get_client(sync_client=True) as client:
        for run in client.read_flow_runs(flow_run_filter=left):
            if str(run.id) not in mine:
                state: State[Any] = Crashed(message="its process was killed")
                client.set_flow_run_state(run.id, state, force=True)


def _held_by(path: Path) -> str:
    try:
        holder = read_json(path)
    except (OSError, json.JSONDecodeError):
        return "another run of this project is at work; wait for it to end"
    return (
        f"another run of this project is at work: {holder['command']}, process {holder['pid']},"
        f" since {holder['since']}; wait for it to end, or end that process"
    )


def _sign(path: Path, command: str) -> None:
    since = dt.datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    write_json({"command": command, "pid": os.getpid(), "since": since}, path)


@contextmanager
def _marked(project: Path) -> Iterator[None]:
    before = os.environ.get(MARK)
    os.environ[MARK] = str(project)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(MARK, None)


def _is_of_run(process: psutil.Process, project: Path) -> bool:
    try:
        return process.environ().get(MARK) == str(project) and process.pid != os.getpid()
    except psutil.Error:  # ended meanwhile, or another user's
        return False


def _is_dvc(pid: int) -> bool:
    try:
        return "dvc" in " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return False


def _pids(path: Path) -> list[int]:
    try:
        locks = read_json(path)
        writers = [info["pid"] for info in locks.get("write", {}).values()]
        readers = [info["pid"] for infos in locks.get("read", {}).values() for info in infos]
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return []
    return [int(pid) for pid in writers + readers]
