"""How every flow is started: on the run's one Prefect API, failing with a plain message."""

from __future__ import annotations

import logging
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

import httpx
from prefect.flows import Flow
from prefect.logging.handlers import APILogWorker
from prefect.server.api.server import SubprocessASGIServer
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import PROJECT
from latentbeta.environment import PREFECT_FOLDER
from latentbeta.errors import LatentBetaError, LatentBetaWarning
from latentbeta.progress import say
from latentbeta.storage import read_json

SERVER_FILE = PROJECT / PREFECT_FOLDER / "server.json"


def run_flow(flow: Flow[Any, Any], **parameters: Any) -> Any:
    """Run a flow as a command: the package's own errors end it with their message and status 1.

    The flow finds the run's API in ``PREFECT_API_URL``, or the server of ``make serve``; without
    either, a server is started for this process alone. Any other exception keeps its traceback.
    """
    for name in ("prefect.flow_runs", "prefect.task_runs"):
        logging.getLogger(name).propagate = False  # the API keeps them; here they would be twice
    logging.getLogger("EventsWorker").setLevel(logging.ERROR)  # it warns that it ends in order
    signal.signal(signal.SIGTERM, _end)  # Prefect marks the run, then hands the signal on to this
    with plain_errors(flow.name), plain_warnings(), one_api():
        return flow(**parameters)


def _end(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    """End as an exception does, so that servers and processes that were started end too."""
    raise SystemExit(128 + number)


@contextmanager
def plain_errors(name: str) -> Iterator[None]:
    """End the process with status 1 and the message when the package raises an error of its own."""
    try:
        yield
    except LatentBetaError as error:
        sys.stderr.write(f"\n{name} stopped: {error}\n")
        raise SystemExit(1) from None


@contextmanager
def plain_warnings() -> Iterator[None]:
    """Print the package's own warnings as one line each, without a place in the source."""
    with warnings.catch_warnings():
        others = warnings.showwarning

        def show(message: Any, category: type[Warning], *place: Any, **more: Any) -> None:
            if issubclass(category, LatentBetaWarning):
                say(f"warning: {message}")
            else:
                others(message, category, *place, **more)

        warnings.showwarning = show
        yield


@contextmanager
def one_api() -> Iterator[str]:
    """Give the address of one Prefect API that this process and its children share.

    Booting a server costs seconds, so a run boots one, not one a stage. An address that is
    already set is used as it is, then the server of ``make serve`` if it is up; only a server
    that was started here is ended here.
    """
    if url := os.environ.get("PREFECT_API_URL") or served_url():
        with _exported(url):
            yield url
        return
    server = SubprocessASGIServer()
    server.start()
    try:
        with _exported(server.api_url):
            yield server.api_url
    finally:
        APILogWorker.drain_all(timeout=5)  # or its thread finds no server and complains on stderr
        server.stop()


def served_url() -> str | None:
    """Return the address of the server that ``make serve`` keeps up, None if it is not up."""
    if not SERVER_FILE.exists():
        return None
    url = str(read_json(SERVER_FILE)["url"])
    try:
        healthy = httpx.get(f"{url}/health", timeout=2).is_success
    except httpx.HTTPError:
        return None
    return url if healthy else None


@contextmanager
def _exported(url: str) -> Iterator[None]:
    """Set the address for this process, whose settings are read already, and for its children."""
    before = os.environ.get("PREFECT_API_URL")
    os.environ["PREFECT_API_URL"] = url
    try:
        with temporary_settings(updates={PREFECT_API_URL: url}):
            yield
    finally:
        if before is None:
            del os.environ["PREFECT_API_URL"]
