"""Cells are kept as they finish: found by the next start, the same bytes however many workers."""

import itertools
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from latentbeta.errors import ModelError
from latentbeta.monte_carlo import run
from latentbeta.monte_carlo.design import Design
from latentbeta.monte_carlo.run import cell_path, in_order, run_study, study_hash
from latentbeta.monte_carlo.study import MODELS, Cell, Scores, Study, score

STUDY = Study(
    design=Design(n_assets=20, n_dates=12, n_characteristics=4, n_inputs=4),
    networks=Study().networks.model_copy(update={"epochs": 2, "batch_size": 64}),
    n_seeds=2,
)
LINEAR = [Cell(case, model, 1, 1) for case in "ab" for model in ("pca", "ipca")]


def files(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*.json")}


def test_serial_and_parallel_runs_leave_the_same_bytes(tmp_path):
    cells = [*LINEAR, Cell("a", "ca0", 2, 1), Cell("a", "ca0", 2, 2)]
    serial = run_study(STUDY, cells, tmp_path / "serial", workers=1)
    parallel = run_study(STUDY, cells, tmp_path / "parallel", workers=2)
    assert len(files(tmp_path / "serial")) == 6
    assert files(tmp_path / "serial") == files(tmp_path / "parallel")
    assert serial == parallel


def test_finished_cells_are_found_and_only_the_missing_one_is_computed(tmp_path, capsys):
    for cell in LINEAR:
        run._compute(STUDY, cell, tmp_path)
    kept, lost = cell_path(tmp_path, LINEAR[0]), cell_path(tmp_path, LINEAR[1])
    before, expected = kept.stat().st_mtime_ns, lost.read_bytes()
    lost.unlink()
    results = run_study(STUDY, LINEAR, tmp_path, workers=2)
    assert "3 of 4 cells found" in capsys.readouterr().out
    assert kept.stat().st_mtime_ns == before
    assert lost.read_bytes() == expected
    assert results[LINEAR[0]] == score(LINEAR[0], STUDY)


def test_nothing_is_started_when_all_is_there(tmp_path, monkeypatch):
    for cell in LINEAR:
        run._compute(STUDY, cell, tmp_path)
    monkeypatch.setattr(run, "_pool", None)
    assert set(run_study(STUDY, LINEAR, tmp_path, workers=2)) == set(LINEAR)


def test_other_settings_find_nothing():
    noisier = replace(STUDY, design=replace(STUDY.design, noise=0.2))
    assert len({study_hash(s) for s in (STUDY, noisier, replace(STUDY, n_seeds=3))}) == 3


def test_cells_of_one_network_are_next_to_each_other():
    cells = [Cell(c, m, k, n) for n in (1, 2) for c in "ab" for m in MODELS for k in (1, 2)]
    ordered = in_order(cells)
    assert sorted(ordered) == sorted(cells)
    networks = [(c.case, c.model, c.n_factors) for c in ordered]
    changes = sum(a != b for a, b in itertools.pairwise(networks))
    assert changes == len(set(networks)) - 1
    assert ordered[0].model == "ca3"


def test_a_cell_that_cannot_be_estimated_ends_the_run_and_keeps_the_others(tmp_path):
    impossible = Cell("a", "ipca", 9, 1)  # of four characteristics
    with pytest.raises(ModelError, match="9 factors"):
        run_study(STUDY, [*LINEAR, impossible], tmp_path, workers=1)
    assert not cell_path(tmp_path, impossible).exists()


SCRIPT = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
from pathlib import Path
from latentbeta.monte_carlo.run import run_study
from tests.monte_carlo.test_run import LONG, STUDY
if __name__ == "__main__":
    run_study(STUDY, LONG, Path({folder!r}), workers=2)
"""
LONG = [Cell("a", "pca", 1, n) for n in range(1, 4000)]


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_ended_leaves_whole_cells_and_no_process(tmp_path, ending):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(folder=str(tmp_path / "store")))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, script], env=environment, start_new_session=True, stderr=subprocess.PIPE
    )
    wait_until(lambda: len(files(tmp_path / "store")) >= 3)
    os.kill(process.pid, ending)
    process.communicate(timeout=30)
    assert process.returncode
    wait_until(lambda: not in_group(process.pid))
    done = files(tmp_path / "store")
    assert len(done) < len(LONG)
    assert all(Scores(**run.read_json(tmp_path / "store" / path)) for path in done)


def wait_until(reached):
    for _ in range(300):
        if reached():
            return
        time.sleep(0.1)
    pytest.fail("not reached in 30 s")


def in_group(leader):
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    return True
