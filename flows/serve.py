"""The night on its schedule, on one machine: the Prefect server it needs, and who runs it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prefect.flows import Flow
from prefect.schedules import Cron, Schedule
from prefect.settings import PREFECT_API_URL, temporary_settings
from ruamel.yaml import YAML

from flows import PROJECT
from flows.server import HOST, SECONDS_TO_START, SERVER_FILE, is_up, served_url
from latentbeta.errors import PipelineError
from latentbeta.progress import say
from latentbeta.storage import write_json


def serve_nightly(nightly: Flow[Any, Any], port: int) -> None:
    """Keep a Prefect server up and run the flow on the schedule of prefect.yaml until stopped.

    Raises
    ------
    PipelineError
        When it is served already, the port is taken, or the server does not start.
    """
    schedules = scheduled(PROJECT / "prefect.yaml", nightly.name)
    with prefect_server(port) as url, temporary_settings(updates={PREFECT_API_URL: url}):
        os.environ["PREFECT_API_URL"] = url
        os.chdir(PROJECT)  # the process of a night imports `flows` from here
        say(f"Prefect:  {url.removesuffix('/api')}  (schedule, runs and their logs)")
        for schedule in schedules:
            say(f"Schedule: {schedule.cron} {schedule.timezone}")
        # Prefect's own, when it is told to end; it does end
        warnings.filterwarnings("ignore", message="coroutine 'Runner.astop'")
        nightly.serve(
            name=nightly.name,
            schedules=schedules,
            limit=1,
            pause_on_shutdown=False,  # a restart of the machine must not stop the nights
            print_starting_message=False,
        )


def scheduled(path: Path, name: str) -> list[Schedule]:
    """Return the cron schedules that prefect.yaml gives a deployment."""
    deployments = YAML(typ="safe").load(path.read_text(encoding="utf-8"))["deployments"]
    mine = next(entry for entry in deployments if entry["name"] == name)
    return [Cron(entry["cron"], timezone=entry["timezone"]) for entry in mine["schedules"]]


@contextmanager
def prefect_server(port: int) -> Iterator[str]:
    """Start a Prefect server with its scheduler and pages, give its address, end it after."""
    if url := served_url():
        raise PipelineError(f"the nights are served already, on {url.removesuffix('/api')}")
    if _is_taken(port):
        raise PipelineError(f"port {port} is taken; name another with --port")
    url = f"http://{HOST}:{port}/api"
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", HOST]
    environment = os.environ | {"PREFECT_UI_API_URL": url, "PREFECT_API_URL": url}
    with subprocess.Popen(
        [*command, "--port", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for us: the runner needs the server to say goodbye
    ) as server:
        try:
            _wait_until_up(server, url)
            write_json({"url": url, "pid": server.pid}, SERVER_FILE)
            yield url
        finally:
            SERVER_FILE.unlink(missing_ok=True)
            server.terminate()


def _wait_until_up(server: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise PipelineError(
                f"the Prefect server ended at once, with status {server.returncode}"
            )
        if is_up(url):
            return
        time.sleep(0.5)
    raise PipelineError(f"the Prefect server did not answer within {SECONDS_TO_START} s")


def _is_taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        return probe.connect_ex((HOST, port)) == 0
