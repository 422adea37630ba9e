"""What a flow started as a command prints, and the server that it needs until its end."""

import logging
import os
import signal
import subprocess
import sys
import time
import warnings
from asyncio import CancelledError
from urllib.parse import urlsplit

import psutil
import pytest
from flows import api_server
from flows.api import known_to_prefect, plain_errors, plain_warnings
from flows.server import ONE_RUN, is_up
from prefect.settings import get_current_settings
from sqlalchemy.pool import AsyncAdaptedQueuePool

from latentbeta.errors import ConvergenceWarning, DataError


def test_the_packages_own_warning_is_one_plain_line_and_others_stay(capsys):
    with warnings.catch_warnings(record=True) as others, plain_warnings():
        warnings.simplefilter("always")
        warnings.warn("IPCA: still moving", ConvergenceWarning, stacklevel=1)
        warnings.warn("something else", UserWarning, stacklevel=1)
    assert capsys.readouterr().out == "warning: IPCA: still moving\n"
    assert [str(other.message) for other in others] == ["something else"]


def test_the_packages_own_error_is_its_message_and_status_one(capsys):
    with pytest.raises(SystemExit) as ended, plain_errors("ingest"):
        raise DataError("prices.csv, row 3: close is -1; correct it")
    assert ended.value.code == 1
    assert (
        capsys.readouterr().err == "\ningest stopped: prices.csv, row 3: close is -1; correct it\n"
    )


def test_the_server_outlives_a_terminals_ctrl_c(prefect_url):
    """Ctrl-C reaches every process of the run; what the run says of its end goes to the server."""
    port = str(urlsplit(prefect_url).port)
    (server,) = [p for p in psutil.process_iter() if _serves(p, port)]
    os.kill(server.pid, signal.SIGINT)
    time.sleep(1)  # it would close its socket at once
    assert is_up(prefect_url)


def test_prefect_reads_its_settings_once_for_a_process_that_stood_ready(prefect_url):
    with known_to_prefect(prefect_url):
        told = get_current_settings()
        assert (str(told.api.url), told.flows.heartbeat_frequency) == (prefect_url, None)
        with known_to_prefect(prefect_url):
            assert get_current_settings() is told
        with known_to_prefect("http://127.0.0.1:1/api"):
            assert str(get_current_settings().api.url) == "http://127.0.0.1:1/api"


def test_a_runs_server_registers_no_blocks():
    script = (
        "from prefect.settings import get_current_settings; s = get_current_settings().server;"
        " print(s.register_blocks_on_start, s.memoize_block_auto_registration, s.ui.enabled)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | ONE_RUN,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert done.stdout == "False False False\n"


def test_a_question_that_the_servers_end_cuts_short_is_no_error(caplog, monkeypatch):
    kind = AsyncAdaptedQueuePool
    pool = logging.getLogger(f"{kind.__module__}.{kind.__qualname__}")
    monkeypatch.setattr(pool, "filters", [])
    monkeypatch.setattr("uvicorn.run", lambda *_, **__: None)
    monkeypatch.setattr("prefect.server.api.server.create_app", lambda: None)
    monkeypatch.setattr("signal.pthread_sigmask", lambda *_: None)
    api_server.main(1)
    for error in (CancelledError(), OSError()):
        pool.error("Exception during reset or similar", exc_info=error)
    assert [record.exc_info[0] for record in caplog.records] == [OSError]


def _serves(process, port):
    try:
        return process.cmdline()[-3:] == ["-m", "flows.api_server", port]
    except psutil.Error:  # ended meanwhile
        return False
