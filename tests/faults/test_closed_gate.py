"""Data that break a blocking rule: the pipeline stops before training, and goes on when mended."""

import pandas as pd
import pytest
from tests.end_to_end.workspace import copied, digests, n_recorded_runs

from latentbeta.storage import read_json

MADE_AFTER_THE_GATE = ("results", "training", "evaluation", "report", "fold_store")


@pytest.fixture
def workspace(base_run, tmp_path):
    return copied(base_run.workspace, tmp_path / "copy")


def with_minimum_assets(workspace, number):
    overlay = workspace.overlay({"quality": {"minimum_assets": number}})
    return workspace.run("flows.run", "--params", overlay)


def state(workspace):
    files = {name: digests(workspace.data / name) for name in MADE_AFTER_THE_GATE}
    assert all(files.values())
    return files, n_recorded_runs(workspace)


def test_a_blocking_rule_stops_before_training(workspace):
    before = state(workspace)
    done = with_minimum_assets(workspace, 1000)
    assert done.status != 0
    assert "validate stopped: the validation gate is closed" in done.output
    assert "assets_enough" in done.output
    assert "stage validate failed" in done.output
    assert "Running stage 'train'" not in done.output
    assert "Traceback" not in done.output
    assert state(workspace) == before
    rows = pd.read_parquet(workspace.data / "validation/offending_rows.parquet")
    at_fault = rows[rows["rule"] == "assets_enough"]
    assert len(at_fault) > 50
    assert (at_fault["severity"] == "blocking").all()
    assert at_fault["date"].notna().all()
    assert not read_json(workspace.data / "validation/result.json")["passed"]
    assert "assets_enough" in (workspace.data / "validation/docs/index.html").read_text()


@pytest.mark.slow
def test_once_mended_the_next_run_goes_through_and_trains_nothing_anew(workspace):
    assert with_minimum_assets(workspace, 1000).status != 0
    before = state(workspace)
    done = with_minimum_assets(workspace, 20)
    assert done.status == 0, done.output
    assert "Stage 'train' didn't change, skipping" in done.output
    assert state(workspace)[0]["results"] == before[0]["results"]
