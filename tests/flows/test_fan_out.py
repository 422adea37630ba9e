"""How fits are spread over processes."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import pytest
from flows import fan_out
from prefect.context import serialize_context
from prefect.settings import PREFECT_API_URL, temporary_settings
from tests.end_to_end.workspace import LONGEST, ROOT
from tests.simulated_panels import simulate, write_panel_table

from latentbeta.config import ExecutionSettings
from latentbeta.errors import ConvergenceWarning
from latentbeta.models.pca import PrincipalComponents
from latentbeta.walk_forward.folds import Fold
from latentbeta.walk_forward.jobs import Job

JOBS = [Job(PrincipalComponents(k), ()) for k in range(1, 36)]
TWO = ExecutionSettings(workers=2, scheduler=None)


def test_processes_are_renewed_after_so_many_jobs_each(monkeypatch):
    monkeypatch.setattr(fan_out, "JOBS_PER_PROCESS", 8)
    found = fan_out.turns(JOBS, TWO)
    assert [len(turn) for turn in found] == [16, 16, 3]
    assert [job for turn in found for job in turn] == JOBS


def test_a_clusters_processes_are_left_alone():
    cluster = ExecutionSettings(workers=2, scheduler="tcp://host:8786")
    assert fan_out.turns(JOBS, cluster) == [JOBS]


@pytest.mark.parametrize(("seconds", "spread"), [(5.0, []), (60.0, JOBS)])
def test_fits_that_processes_cannot_speed_up_stay_in_the_stages_own(
    tmp_path, monkeypatch, seconds, spread
):
    panel = simulate(n_dates=20, n_assets=8, n_characteristics=2, seed=110).panel
    write_panel_table(panel, tmp_path)
    given: list[Job] = []
    monkeypatch.setattr(fan_out, "expected_seconds", lambda *_: seconds)
    monkeypatch.setattr(fan_out, "fit_side_by_side", lambda jobs, *_: given.extend(jobs))
    fit_ahead = fan_out.fitter(TWO, tmp_path, tmp_path / "store")
    assert fit_ahead is not None
    fit_ahead(JOBS)
    assert given == spread


def test_dask_pauses_no_process_for_its_memory():
    with fan_out._cluster(2) as cluster:
        fan_out._wait_for(cluster, 2)
        workers = cluster.scheduler_info["workers"].values()
        assert [worker["memory_limit"] for worker in workers] == [0, 0]  # Dask's word for none


@dataclass(frozen=True)
class _Restless(PrincipalComponents):
    def fit(self, training, validation):
        warnings.warn("PCA: still moving", ConvergenceWarning, stacklevel=2)
        return super().fit(training, validation)


@pytest.mark.filterwarnings("default::latentbeta.errors.ConvergenceWarning")
def test_a_warning_from_a_process_is_one_plain_line(tmp_path, capsys):
    panel = simulate(n_dates=20, n_assets=8, n_characteristics=2, seed=110).panel
    write_panel_table(panel, tmp_path / "panel")
    job = Job(_Restless(1), (Fold(0, 0, 10, 16, 17, 20),))
    assert fan_out.fit_job.fn(job, tmp_path / "panel", tmp_path / "store") == 1
    assert capsys.readouterr().out == "warning: PCA: still moving\n"
    assert len(list((tmp_path / "store").iterdir())) == 1


def test_only_processes_that_cannot_know_are_told_of_prefects_settings(monkeypatch):
    address = "http://127.0.0.1:4200/api"
    cluster = ExecutionSettings(workers=2, scheduler="tcp://host:8786")
    with temporary_settings({PREFECT_API_URL: address}):
        for execution, environment, told in [
            (TWO, address, False),
            (TWO, "http://127.0.0.1:1/api", True),  # forked processes would look for the flow there
            (cluster, address, True),
        ]:
            monkeypatch.setenv("PREFECT_API_URL", environment)
            with fan_out._settings(execution):
                assert bool(serialize_context()["settings_context"]) == told


SIDE_BY_SIDE = """
import gc, os, sys
from pathlib import Path
from distributed import Client
from flows import fan_out
from flows.api import one_api
from latentbeta.config import ExecutionSettings
from latentbeta.models.pca import PrincipalComponents
from latentbeta.progress import counting
from latentbeta.walk_forward.folds import Fold
from latentbeta.walk_forward.jobs import Job

if __name__ == "__main__":
    jobs = [Job(PrincipalComponents(k), (Fold(0, 0, 10, 16, 17, 20),)) for k in (1, 2, 3)]
    os.environ["PREFECT_API_URL"] = sys.argv[1]  # Prefect was imported without
    two, folder = ExecutionSettings(workers=2, scheduler=None), Path(sys.argv[2])
    fan_out.SECONDS_TO_START = float(sys.argv[3])
    with one_api(), counting("fit", 3) as advance:
        fan_out.fit_side_by_side(jobs, two, folder / "panel", folder / "store", advance)
    with fan_out._cluster(1) as cluster, Client(cluster) as client:
        client.wait_for_workers(1)
        print(client.run(gc.get_freeze_count))
"""


def test_processes_that_fit_find_the_api_of_the_flow_and_a_terminal_sees_them(
    tmp_path, prefect_url
):
    before = _all_completed(prefect_url)
    status, shown = _side_by_side_in_a_terminal(tmp_path, prefect_url, seconds_to_start=LONGEST)
    assert status == 0
    # A terminal's bar holds a lock, which no other process can be sent.
    assert re.findall(r"(\d)/3", shown)[-1] == "3"
    assert len(list((tmp_path / "store").iterdir())) == 3
    # What TensorFlow and the others import came off the collector's list before the fork.
    assert int(re.findall(r": (\d+)}", shown)[-1]) > 200_000
    expected, deadline = [before[0] + 1, before[1] + 3], time.monotonic() + 30
    while (found := _all_completed(prefect_url)) != expected:  # the API is told of tasks by events
        assert time.monotonic() < deadline, f"{found} completed flows and tasks, not {expected}"
        time.sleep(0.1)


def test_processes_that_do_not_start_are_not_waited_for_without_end(
    tmp_path, prefect_url, monkeypatch
):
    monkeypatch.setenv("DASK_DISTRIBUTED__WORKER__PRELOAD", '["no_such_module"]')
    status, shown = _side_by_side_in_a_terminal(tmp_path, prefect_url, seconds_to_start=1)
    assert status == 1
    assert "No module named 'no_such_module'" in shown
    assert "PipelineError: of 2 processes for the fits some did not start within 1.0 s" in shown


def _side_by_side_in_a_terminal(folder, url, seconds_to_start):
    panel = simulate(n_dates=20, n_assets=8, n_characteristics=2, seed=110).panel
    write_panel_table(panel, folder / "panel")
    script = folder / "script.py"
    script.write_text(SIDE_BY_SIDE)
    unset = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    paths = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}
    command = [sys.executable, script, url, folder, str(seconds_to_start)]
    return _in_a_terminal(command, unset | paths)


def _in_a_terminal(command, environment):
    """Run a command whose output is a terminal's; return its status and the output."""
    ours, theirs = os.openpty()
    with (
        subprocess.Popen(command, env=environment, stdout=theirs, stderr=theirs) as process,
        os.fdopen(ours, "rb") as terminal,
    ):
        os.close(theirs)
        with ThreadPoolExecutor(1) as reader:
            read = reader.submit(_all_of, terminal)
            try:
                status = process.wait(LONGEST)
            finally:
                process.kill()
        return status, read.result().decode()


def _all_of(terminal):
    """Return what comes until the other side is closed, which Linux tells by an error."""
    found = []
    with suppress(OSError):
        while piece := os.read(terminal.fileno(), 4096):
            found.append(piece)
    return b"".join(found)


def _all_completed(url):
    return [_completed(url, kind) for kind in ("flow_runs", "task_runs")]


def _completed(url, kind):
    """Count the completed runs of the flow that fits, or of its tasks, that an API knows."""
    wanted = {
        "flows": {"name": {"any_": [fan_out.fit_jobs.name]}},
        kind: {"state": {"type": {"any_": ["COMPLETED"]}}},
    }
    body, kind_of = json.dumps(wanted).encode(), {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/{kind}/filter", body, kind_of)
    with urllib.request.urlopen(request) as answer:
        return len(json.load(answer))
