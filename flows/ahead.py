"""Stages' processes that stand ready before their turn, so that a run does not wait for imports.

Every stage is a process of its own, and importing what it needs takes 2 to 10 seconds, as long as
the work itself on small data. In a whole run one process imports what the stages share, once DVC
starts the first, and forks one process a stage from it, in two steps: those before the training,
then, with MLflow imported too, the others. When the first stage runs, the next one imports what it
needs alone, then the one after it, and so on, on a core that the stages at work leave free. What
DVC starts hands its work to the process that stands ready (flows/handover.py).

Nothing is imported twice that one of them can import for all: the machine's cores are what a run
waits for. Until Prefect's server is up, one of them is for it alone.

The fork comes before any thread and before TensorFlow, NumPy's BLAS has one thread.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from socket import socket
from typing import NoReturn

from flows.handover import FOLDER, RESULTS, end_at_once, listen, take_over
from flows.imports import uncollected
from flows.server import ADDRESS

# What all import, and the flows of the first step: they need the same libraries.
SHARED = (
    *("pandas", "pyarrow.parquet", "prefect.flows", "flows.stage", "latentbeta.config"),
    *("flows.simulate", "flows.ingest", "flows.characteristics", "flows.validate"),
    # Which Prefect, pandas and httpx leave until a flow begins, a table is read, a host is asked.
    *("prefect.flow_engine", "prefect.engine", "prefect.utilities.visualization", "pydantic.v1"),
    *("pyarrow.dataset", "pyarrow.pandas_compat", "anyio._backends._asyncio", "encodings.idna"),
)
# What those of the second step import beside it.
TRACKED = (
    *("mlflow", "mlflow.store.tracking.sqlalchemy_workspace_store", "mlflow.tracing.export"),
    *("opentelemetry.sdk.metrics", "alembic.command", "flows.evaluate", "flows.report"),
)
# Of each one, what it imports alone, in the order of their turns.
FIRST = {"simulate": (), "ingest": (), "characteristics": (), "validate": ("great_expectations",)}
SECOND = {
    "train": (
        "flows.train",
        "git",
        "mlflow.pyfunc.scoring_server",
        "prefect_dask.task_runners",
        "keras",
        "mlflow.pyfunc",
        "mlflow.keras",
    ),
    "evaluate": (),
    "report": (),
    RESULTS: (f"flows.{RESULTS}",),
}
OWN: dict[str, tuple[str, ...]] = FIRST | SECOND
SECONDS_TO_END = 30
TOKEN = b"."


@contextmanager
def stages_ahead(project: Path) -> Iterator[None]:
    """Have a process stand ready for each stage of the `dvc repro` that is started meanwhile."""
    with tempfile.TemporaryDirectory(prefix="latentbeta-") as folder:
        os.environ[FOLDER] = folder
        with subprocess.Popen(
            [sys.executable, "-m", "flows.ahead", folder], cwd=project, stdin=subprocess.PIPE
        ) as process:
            try:
                yield
            finally:
                del os.environ[FOLDER]
                _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close the pipe that those who still stand ready live by, and wait for the last stage."""
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()


def main(folder: Path) -> None:
    """When a stage is asked for, import what all share, fork one process a stage, wait for them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends those who stand ready quietly
    listeners = {stage: listen(folder / stage) for stage in OWN if stage != RESULTS}
    life = sys.stdin.fileno()
    if life in select.select([life, *listeners.values()], [], [])[0]:
        end_at_once(0)  # DVC found nothing to do; the results are shown by who asked for them
    listeners[RESULTS] = listen(folder / RESULTS)
    turn, _ = os.pipe()
    _share()
    with _api_known():
        turn = _fork(FIRST, listeners, turn)
        if life not in select.select([life, turn, *listeners.values()], [], [])[0]:
            _import(TRACKED)
            _fork(SECOND, listeners, turn)
    with suppress(ChildProcessError):
        while True:
            os.wait()
    end_at_once(0)  # the run waits for this


def _share() -> None:
    """Import what all import, and make the calendar that simulated and stored days need."""
    _import(SHARED)
    with suppress(Exception):  # the first stage meets it as well, and tells
        import_module("flows.pipeline").make_calendar()


def _api_known() -> AbstractContextManager[None]:
    """Tell Prefect of the run's API, for all that are forked meanwhile."""
    from flows.api import known_to_prefect

    return known_to_prefect(os.environ[ADDRESS])


def _fork(stages: Iterable[str], listeners: dict[str, socket], turn: int) -> int:
    """Fork one process a stage; return what tells that the last one's imports are done."""
    for stage in stages:
        listener = listeners.pop(stage)
        next_turn, pass_on = os.pipe()
        if os.fork() == 0:
            _stand_by(stage, listener, turn, pass_on)
        os.close(pass_on)
        listener.close()
        turn = next_turn
    return turn


def _stand_by(stage: str, listener: socket, turn: int, pass_on: int) -> NoReturn:
    """Import when it is the stage's turn to, and run the stage when a command asks for it."""
    life = sys.stdin.fileno()
    watched = [life, turn, listener]
    while listener not in (ready := select.select(watched, [], [])[0]):
        if life in ready:  # the run is over, or was killed
            os._exit(0)
        watched.remove(turn)
        _import_own(stage)
        _pass(pass_on)
    command = take_over(listener)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Until the first flow has begun, the cores are for it and for the server.
    status = _run(stage, partial(_pass, pass_on) if turn in watched else None)
    command.answer(status)
    end_at_once(status)


def _import_own(stage: str) -> None:
    _import(OWN[stage])
    stand_ready = getattr(import_module(f"flows.{stage}"), "stand_ready", None)
    if stand_ready is not None:
        with suppress(Exception):  # the stage meets it as well, and tells
            stand_ready()


def _import(names: Iterable[str]) -> None:
    with uncollected():
        for name in names:
            import_module(name)


def _pass(pass_on: int) -> None:
    with suppress(OSError):  # the next one's turn is over
        os.write(pass_on, TOKEN)


def _run(stage: str, on_running: Callable[[], None] | None) -> int:
    """Run a stage and return its status, as the interpreter would make it of an exception."""
    from flows.stage import run_stage

    try:
        run_stage(stage, on_running)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
