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
from typing import TYPE_CHECKING, Any, NoReturn

from flows.server import ADDRESS, OURS, booting_api, wait_until_up
from latentbeta.errors import LatentBetaError, LatentBetaWarning
from latentbeta.progress import say

if TYPE_CHECKING:  # importing Prefect takes a second: a command starts the server first
    from prefect.flows import Flow

SECONDS_TO_DRAIN = 5


def run_flow(flow: Flow[Any, Any], **parameters: Any) -> Any:
    """Run a flow as a command: the package's own errors end it with their message and status 1.

    The flow finds the run's API in ``PREFECT_API_URL``, or the server of ``make serve``; without
    either, a server is started for this process alone. Any other exception keeps its traceback.
    """
    with plain_errors(flow.name):
        return on_the_api(flow, **parameters)


def on_the_api(flow: Flow[Any, Any], **parameters: Any) -> Any:
    """Run a flow as `run_flow` does, with every exception left as it is."""
    for name in ("prefect.flow_runs", "prefect.task_runs"):
        logging.getLogger(name).propagate = False  # the API keeps them; here they would be twice
    logging.getLogger("EventsWorker").setLevel(logging.ERROR)  # it warns that it ends in order
    end_in_order()
    with plain_warnings(), one_api():
        return flow(**parameters)


def end_in_order() -> None:
    """Let SIGTERM end this process as an exception does, with all that it started.

    Prefect marks the run, then hands the signal on to what is set here.
    """
    signal.signal(signal.SIGTERM, _end)


def _end(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
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
    """Give the address of the run's Prefect API, once it answers; see `booting_api`."""
    with booting_api() as url, known_to_prefect(url):
        wait_until_up()
        try:
            yield url
        finally:
            if os.environ.get(OURS) == os.environ.get(ADDRESS):
                _drain_logs()


@contextmanager
def known_to_prefect(url: str) -> Iterator[None]:
    """Tell Prefect of an address that it may have been imported without, and to send no heartbeats.

    The end of a flow waits for its heart's next beat, a second at the longest. Runs of killed
    processes are found without (flows/lock.py).

    Prefect takes a twentieth of a second to read all its settings anew: told before, as a process
    that stood ready was, it is not told again.
    """
    from prefect.settings import (
        PREFECT_API_URL,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        temporary_settings,
    )

    settings = {PREFECT_API_URL: url, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}
    if all(setting.value() == value for setting, value in settings.items()):
        yield
        return
    with temporary_settings(updates=settings):
        yield


def _drain_logs() -> None:
    """Send the logs that are left, or their thread finds no server and complains on stderr."""
    from prefect.logging.handlers import APILogWorker

    APILogWorker.drain_all(timeout=SECONDS_TO_DRAIN)
