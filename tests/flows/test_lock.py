import os
import subprocess
import sys
import time

import psutil
import pytest
from flows.lock import MARK, clear_dvc_lock, project_lock

from latentbeta.errors import PipelineError
from latentbeta.storage import write_json

HOLD = """
import sys, time
from pathlib import Path
from flows.lock import project_lock
with project_lock(Path(sys.argv[1]), "make run"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Return another process that holds the project."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_run_says_who_is_at_work_and_a_killed_one_lets_go(tmp_path, holder):
    with (
        pytest.raises(PipelineError, match=f"make run, process {holder.pid}, since 20"),
        project_lock(tmp_path, "make nightly"),
    ):
        pytest.fail("the lock was given twice")
    holder.kill()
    holder.wait()
    with project_lock(tmp_path, "make nightly"):
        pass


def test_the_same_process_may_hold_it_again(tmp_path):
    with project_lock(tmp_path, "make run"), project_lock(tmp_path, "run"):
        assert os.environ[MARK] == str(tmp_path)
    assert MARK not in os.environ


def test_processes_that_a_killed_run_left_behind_are_ended(tmp_path):
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
    left = subprocess.Popen(sleeper, env=os.environ | {MARK: str(tmp_path)})
    another = subprocess.Popen(sleeper, env=os.environ | {MARK: "/another"})
    try:
        while MARK not in psutil.Process(left.pid).environ():
            time.sleep(0.01)
        with project_lock(tmp_path, "make run"):
            assert left.poll() is not None
            assert another.poll() is None
    finally:
        for process in (left, another):
            process.kill()
            process.wait()


@pytest.mark.parametrize("content", ['{"write": {"/x": {"pid": 4194303, "cmd": "dvc"}}}', "{cut"])
def test_dvcs_record_of_dead_processes_is_cleared(tmp_path, content):
    path = tmp_path / "rwlock"
    path.write_text(content)
    clear_dvc_lock(path)
    assert not path.exists()


def test_a_process_id_that_belongs_to_another_program_now_is_no_dvc(tmp_path):
    path = tmp_path / "rwlock"
    info = {"pid": os.getpid(), "cmd": "dvc repro"}
    write_json({"read": {"/x": [info]}, "write": {}}, path)
    clear_dvc_lock(path)
    assert not path.exists()


def test_dvcs_record_of_a_process_at_work_stays(tmp_path):
    path = tmp_path / "rwlock"
    command = [sys.executable, "-c", "import time; time.sleep(60)", "dvc"]
    with subprocess.Popen(command) as process:
        write_json({"write": {"/x": {"pid": process.pid, "cmd": "dvc"}}}, path)
        clear_dvc_lock(path)
        process.kill()
    assert path.exists()
