"""kill -9 in the middle of the training: what was finished is kept, and the end is the same."""

import re
import time
from dataclasses import replace

import psutil
import pytest
from tests.end_to_end.workspace import LONGEST, SMALL, digests

FINAL = ("simulated", "prices", "panel", "results", "training", "evaluation")
N_FITS = 15  # three models, five folds


def tree(process):
    """Return the run's process alone, and with all that descend from it."""
    root = psutil.Process(process.pid)
    return root, [*root.children(recursive=True), root]


def finished_folds(workspace):
    return sorted((workspace.data / "fold_store").glob("*.npz"))


def wait_for_the_first_fold(workspace, process):
    deadline = time.monotonic() + LONGEST
    while not finished_folds(workspace):
        assert process.poll() is None, workspace.log.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_training(process, workspace):
    try:
        return process.cmdline()[-2:] == ["flows", "train"] and process.cwd() == str(
            workspace.folder
        )
    except psutil.Error:
        return False


def final_bytes(workspace):
    """Everything that is made but the ids of the runs, which are new each time."""
    files = {name: digests(workspace.data / name) for name in FINAL}
    assert files["training"].pop("runs.json")
    assert all(files.values())
    return files


@pytest.mark.slow
@pytest.mark.parametrize("everything", [True, False], ids=["whole tree", "the run alone"])
def test_a_killed_run_picks_up_where_it_stopped(base_run, workspace_of, everything):
    workspace = replace(workspace_of("killed"), api="")  # its own server is killed, or left, too
    with workspace.start("flows.run", "--params", workspace.overlay(SMALL)) as process:
        wait_for_the_first_fold(workspace, process)
        root, descendants = tree(process)
        victims = descendants if everything else [root]
        for victim in victims:
            victim.kill()
        psutil.wait_procs(victims, timeout=30)
    alive = any(is_training(p, workspace) for p in psutil.process_iter())
    assert alive != everything
    finished = {path: path.stat().st_mtime_ns for path in finished_folds(workspace)}
    assert 1 <= len(finished) < N_FITS
    again = workspace.run_small()
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    assert len(finished_folds(workspace)) == N_FITS
    alone = [int(n) for n in re.findall(r"K=3: (\d) of 5 folds fitted", again.output)]
    ahead = [int(n) for n in re.findall(r"fit: done, (\d+) of", again.output)]  # by Dask
    assert len(alone) == 3
    left = int(everything)  # a stage that outlives its run may finish them before it is ended
    assert left <= sum(alone) + sum(ahead) <= N_FITS - len(finished)
    assert final_bytes(workspace) == final_bytes(base_run.workspace)
    assert not any(is_training(p, workspace) for p in psutil.process_iter())
