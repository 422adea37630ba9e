"""One Prefect API for a run, which boots while the run's own imports and stages go on."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from flows import PROJECT
from latentbeta.environment import PREFECT_FOLDER
from latentbeta.errors import PipelineError
from latentbeta.storage import read_json

HOST = "127.0.0.1"
SERVER_FILE = PROJECT / PREFECT_FOLDER / "server.json"
ADDRESS = "PREFECT_API_URL"
OURS = "LATENTBETA_API"  # the same address, where a run of this project started the server
SECONDS_TO_START = 180
SECONDS_TO_STOP = 5
ONE_RUN = {
    # What Prefect sets for a server that lives as long as one process.
    "PREFECT_UI_ENABLED": "0",
    "PREFECT__SERVER_EPHEMERAL": "1",
    "PREFECT__SERVER_FINAL": "1",
    # No flow uses a block. Looking them all up takes a second of every boot, writing them to a new
    # database four; the server of `make serve` does, for whoever opens its pages.
    "PREFECT_API_BLOCKS_REGISTER_ON_START": "0",
    "PREFECT_MEMOIZE_BLOCK_AUTO_REGISTRATION": "0",
}


@contextmanager
def booting_api() -> Iterator[str]:
    """Give the address of one Prefect API that this process and its children share.

    A server of our own is started and not waited for, because booting it takes as long as the
    imports of a stage; `wait_until_up` stands where the API is first needed. An address that is
    already set is used as it is, then the server of ``make serve`` if it is up; only a server
    that was started here is ended here.

    Prefect reads the address when it is imported, so this comes before.
    """
    if url := os.environ.get(ADDRESS):
        yield url
    elif url := served_url():
        with _set({ADDRESS: url}):
            yield url
    else:
        port = _free_port()
        url = f"http://{HOST}:{port}/api"
        with _server(port), _set({ADDRESS: url, OURS: url}):
            yield url


def wait_until_up() -> None:
    """Wait for the API, if it is one that a run of this project started.

    Raises
    ------
    PipelineError
        When it does not answer in time.
    """
    url = os.environ.get(OURS)
    if url is None or url != os.environ.get(ADDRESS):
        return
    deadline = time.monotonic() + SECONDS_TO_START
    while not is_up(url):
        if time.monotonic() > deadline:
            raise PipelineError(f"Prefect's API did not answer within {SECONDS_TO_START} s")
        time.sleep(0.05)


def is_up(url: str) -> bool:
    """Tell whether an API on this machine answers."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or HOST, parts.port, timeout=2)
    try:
        connection.request("GET", f"{parts.path}/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def served_url() -> str | None:
    """Return the address of the server that ``make serve`` keeps up, None if it is not up."""
    if not SERVER_FILE.exists():
        return None
    url = str(read_json(SERVER_FILE)["url"])
    return url if is_up(url) else None


@contextmanager
def _server(port: int) -> Iterator[None]:
    """Start Prefect's server as a process, and end it after."""
    server = subprocess.Popen(
        [sys.executable, "-m", "flows.api_server", str(port)],
        env=os.environ | ONE_RUN,
        cwd=PROJECT,
    )
    try:
        yield
    finally:
        server.terminate()
        try:
            server.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextmanager
def _set(variables: dict[str, str]) -> Iterator[None]:
    """Set variables for this process and its children meanwhile."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
