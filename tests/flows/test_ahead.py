"""Processes that stand ready, with real processes and a package `flows` of stages made for it."""

import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from flows import ahead
from flows.ahead import FIRST, OWN
from flows.handover import FOLDER, RESULTS, handed_over
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
# In the place of flows/stage.py: no Prefect, so that a test takes a second.
STAGE = """
import os, sys, time
from pathlib import Path

def run_stage(stage, on_running=None):
    Path(stage + ".asked").touch()
    while stage == "characteristics" and not Path("begin").exists():  # as one whose API boots
        time.sleep(0.02)
    if on_running:
        on_running()
    print(f"{stage} in {os.getpid()}", flush=True)
    print("and on stderr", file=sys.stderr)
    Path("parent").write_text(str(os.getppid()))
    if stage == "ingest":
        raise SystemExit(3)
    if stage == "validate":
        raise ZeroDivisionError("planted")
    if stage == "train":
        Path("training").write_text(str(os.getpid()))
        time.sleep(60)
"""
AHEAD = """
import contextlib, sys
from pathlib import Path
from flows import ahead
ahead.SHARED, ahead.TRACKED = ("flows.stage",), ()
ahead.OWN = {name: () for name in ahead.OWN}
ahead._import_own = lambda stage: Path(stage + ".imported").touch()
ahead._api_known = contextlib.nullcontext
ahead.main(Path(sys.argv[1]))
"""


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "flows"
    folder.mkdir()
    for name in (
        "__init__.py",
        "__main__.py",
        "ahead.py",
        "handover.py",
        "imports.py",
        "server.py",
    ):
        shutil.copy(ROOT / "flows" / name, folder)
    (folder / "stage.py").write_text(STAGE)
    return tmp_path


@contextmanager
def standing_ready(project):
    sockets = Path(tempfile.mkdtemp())  # pytest's folder is too long a name for a socket
    command = [sys.executable, "-c", AHEAD, str(sockets)]
    try:
        with subprocess.Popen(command, cwd=project, stdin=subprocess.PIPE) as process:
            wait_until(lambda: all((sockets / s).exists() for s in OWN if s != RESULTS))
            try:
                yield sockets, process
            finally:
                if process.stdin and not process.stdin.closed:
                    process.stdin.close()
                process.wait(20)
    finally:
        shutil.rmtree(sockets)


def wait_until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def start(project, stage, sockets=None):
    environment = os.environ | ({FOLDER: str(sockets)} if sockets else {})
    return subprocess.Popen(
        [sys.executable, "-m", "flows", stage],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(project, stage, sockets=None):
    with start(project, stage, sockets) as command:
        said, complained = command.communicate(timeout=30)
    return command, said, complained


def test_the_ready_process_runs_the_stage_on_the_commands_streams(project):
    with standing_ready(project) as (sockets, ahead):
        command, said, complained = finished(project, "simulate", sockets)
        assert (command.returncode, complained) == (0, "and on stderr\n")
        assert int(said.removeprefix("simulate in ")) != command.pid
        assert int((project / "parent").read_text()) == ahead.pid


def test_nothing_is_imported_before_dvc_starts_a_stage(project):
    with standing_ready(project) as (sockets, ahead):
        assert psutil.Process(ahead.pid).children() == []
        command, said, _ = finished(project, RESULTS, sockets)
        assert said == f"{RESULTS} in {command.pid}\n"
        finished(project, "simulate", sockets)
        assert len(psutil.Process(ahead.pid).children()) >= len(FIRST) - 1


def test_its_status_is_the_commands(project):
    with standing_ready(project) as (sockets, _):
        assert finished(project, "ingest", sockets)[0].returncode == 3
        command, _, complained = finished(project, "validate", sockets)
    assert command.returncode == 1
    assert "ZeroDivisionError: planted" in complained


def test_a_second_command_and_one_without_a_run_do_the_work_themselves(project):
    with standing_ready(project) as (sockets, _):
        finished(project, "simulate", sockets)
        for again in (finished(project, "simulate", sockets), finished(project, "simulate")):
            assert again[1] == f"simulate in {again[0].pid}\n"


def test_the_first_stage_sets_the_others_importing_in_turn(project):
    def imported():
        return {path.stem for path in project.glob("*.imported")}

    stages = list(OWN)
    with standing_ready(project) as (sockets, _):
        assert imported() == set()
        with start(project, "characteristics", sockets) as command:
            wait_until((project / "characteristics.asked").exists)
            time.sleep(1)  # it does not run yet: the cores are for it
            early = imported()
            (project / "begin").touch()
            command.communicate(timeout=30)
        assert early == set()
        wait_until(lambda: imported() == set(stages[3:]))


def test_the_second_step_waits_for_no_first_stage_that_dvc_skips(project):
    with standing_ready(project) as (sockets, ahead):
        command, said, _ = finished(project, "report", sockets)
        assert said != f"report in {command.pid}\n"
        assert len(psutil.Process(ahead.pid).children()) >= len(OWN) - 1
        assert not list(project.glob("[si]*.imported"))


def test_a_killed_command_ends_its_stage(project):
    with standing_ready(project) as (sockets, _):
        with start(project, "train", sockets) as command:
            wait_until((project / "training").exists)
            wait_until((project / "training").read_text)
            worker = psutil.Process(int((project / "training").read_text()))
            command.kill()
        worker.wait(20)


def test_a_killed_stage_fails_its_command(project):
    with standing_ready(project) as (sockets, _), start(project, "train", sockets) as command:
        wait_until((project / "training").exists)
        wait_until((project / "training").read_text)
        os.kill(int((project / "training").read_text()), signal.SIGKILL)
        _, complained = command.communicate(timeout=20)
        assert command.returncode == 1
        assert "the process of stage train was killed" in complained


def test_none_outlives_the_run(project):
    with standing_ready(project) as (sockets, ahead):
        finished(project, "simulate", sockets)
        forks = psutil.Process(ahead.pid).children()
        assert forks
        assert ahead.stdin is not None
        ahead.stdin.close()  # as the system does when the run is killed
        psutil.wait_procs([*forks, psutil.Process(ahead.pid)], timeout=20)
        assert not any(fork.is_running() for fork in forks)


def test_what_all_import_is_no_more_than_the_first_stage_waits_for():
    late = ("scipy", "mlflow", "tensorflow", "matplotlib", "great_expectations")
    script = (
        "import sys; from flows import ahead; ahead._import(ahead.SHARED);"
        f" print([name for name in {late} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_stage_makes_ready_ahead_what_it_can_and_tells_of_faults_itself(monkeypatch):
    def ready():
        called.append("evaluate")
        raise ZeroDivisionError

    called: list[str] = []
    module = importlib.import_module("flows.evaluate")
    monkeypatch.setattr(module, "stand_ready", ready)
    ahead._import_own("evaluate")
    assert called == ["evaluate"]
    ahead._import_own("ingest")  # has none


def test_nothing_is_handed_over_without_a_run(monkeypatch, tmp_path):
    monkeypatch.delenv(FOLDER, raising=False)
    assert handed_over("train") is None
    monkeypatch.setenv(FOLDER, str(tmp_path))
    assert handed_over("train") is None


def test_one_stands_ready_for_each_stage_that_dvc_runs_on_simulated_prices():
    stages = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    commands = {name: stage["cmd"] for name, stage in stages.items()}
    ready = [name for name in OWN if name != RESULTS]
    assert [commands[name] for name in ready] == [f"${{python}} -m flows {name}" for name in ready]
    assert [name for name in commands if name in OWN] == ready
