"""Models recorded in MLflow by a process of their own, while the training applies the next ones."""

from __future__ import annotations

import multiprocessing
import shutil
import signal
import traceback
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Self

from flows import PROJECT
from latentbeta import tracking
from latentbeta.config import Settings
from latentbeta.environment import CACHE_FOLDER
from latentbeta.errors import TrackingError
from latentbeta.tracking.model_runs import CURVES, TABLES, Key
from latentbeta.walk_forward.loop import ModelRun

SECONDS_TO_END = 5


class Recorder:
    """Takes the models of a training as they are done; to be entered, and left when all are.

    MLflow's work for eleven models is four seconds of Python, as long as a core would idle while
    another applies them. The process is a fork of the fork server's, which has MLflow imported;
    when this one ends, it ends after the model that it records just then.
    """

    def __init__(self, settings: Settings, parent: str, project: Path = PROJECT) -> None:
        context = multiprocessing.get_context("forkserver")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_record, args=(theirs, project, settings, parent), daemon=True
        )
        self._process.start()
        theirs.close()
        self._folder = project / CACHE_FOLDER / "recording"  # one training of a project at a time
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process, whether it is done or not."""
        self._connection.close()
        if kind is not None:
            self._process.terminate()
        self._process.join(SECONDS_TO_END)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __call__(self, run: ModelRun, exported: Path) -> None:
        """Have a model recorded; this does not wait for it."""
        key = run.model.name, run.model.n_factors
        place = self._folder / f"{key[0]}_{key[1]}"
        tables = {name: getattr(run, name) for name in (*TABLES, *CURVES)}
        tracking.lay_out(tables, exported, place)
        with suppress(OSError):  # it has failed; `children` tells why
            self._connection.send((key, place))

    def children(self) -> dict[Key, str]:
        """Wait for the last model and return every model's run id.

        Raises
        ------
        TrackingError
            When a model could not be recorded. The fits are kept: a next run records them all.
        """
        try:
            with suppress(OSError):
                self._connection.send(None)
            answer = self._connection.recv()
        except (EOFError, OSError):
            answer = "its process was killed"
        if isinstance(answer, str):
            raise TrackingError(f"MLflow could not record the models: {answer}; run again")
        return dict(answer)


def _record(connection: Connection, project: Path, settings: Settings, parent: str) -> None:
    """Record what comes until None does, and answer with the run ids, or with what went wrong."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the training has it too, and ends this process
    try:
        coming = _coming(connection)
        connection.send(tracking.record_models(project, settings, parent, coming))
    except (EOFError, ConnectionError):  # the training is no more
        return
    except Exception:
        with suppress(OSError):
            connection.send(traceback.format_exc())


def _coming(connection: Connection) -> Iterator[tuple[Key, Path]]:
    """Give what the training hands over while it lives, and remove each folder after."""
    training = multiprocessing.parent_process()
    while (request := connection.recv()) is not None:
        if training is None or not training.is_alive():  # what it sent before is still to be read
            raise EOFError
        yield request
        shutil.rmtree(request[1])
