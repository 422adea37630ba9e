"""Nights in a row by the command that `make nightly` calls, nothing done by hand between them."""

import json
import re

import pandas as pd
import pytest
from flows.overlay import write_settings
from tests.end_to_end.workspace import SMALL, digests

from latentbeta.storage import read_json
from latentbeta.tracking.registry import challenger, champion

# The session after the first of them ends a month, so the second night's panel has a date more,
# which is the first of a new fold: a challenger with new weights.
END = "2016-09-28"
NIGHTS = ["2016-09-29", "2016-09-30", "2016-10-03"]


@pytest.fixture(scope="module")
def nights(workspace_of):
    """Run three nights on a copy that has only been given its settings."""
    workspace = workspace_of("nights")
    settings = SMALL | {"simulation": SMALL["simulation"] | {"end": END}}
    write_settings(workspace.folder / "params.yaml", settings, source="test")
    done = []
    for _ in NIGHTS:
        done.append(workspace.run("flows.nightly"))
        assert done[-1].status == 0, done[-1].output
    return workspace, done


@pytest.mark.slow
def test_each_night_publishes_the_next_period(nights):
    workspace, _ = nights
    published = workspace.data / "published"
    assert sorted(p.name for p in published.iterdir()) == [*NIGHTS, "latest.json"]
    assert read_json(published / "latest.json")["folder"] == NIGHTS[-1]
    ends = []
    for night in NIGHTS:
        manifest = read_json(published / night / "manifest.json")
        betas = pd.read_parquet(published / night / "betas.parquet")
        forecasts = pd.read_parquet(published / night / "forecasts.parquet")
        assert list(betas) == ["date", "asset", "factor_1", "factor_2", "factor_3"]
        assert list(forecasts) == ["date", "asset", "forecast"]
        assert manifest["as_of"] == night
        assert len(betas) == len(forecasts) == manifest["n_assets"] >= 20
        assert forecasts["forecast"].notna().all()
        assert (forecasts["date"] == pd.Timestamp(manifest["period_end"])).all()
        assert manifest["period_end"] > night
        ends.append(manifest["period_end"])
    assert ends == ["2016-09-30", "2016-10-31", "2016-10-31"]


@pytest.mark.slow
def test_each_night_says_what_the_gate_decided(nights):
    workspace, done = nights
    verdicts = [re.search(r"Gate: +(champion|refused): (.+)", night.output) for night in done]
    assert verdicts[0][1] == "champion"
    assert "there was no champion" in verdicts[0][2]
    assert re.search(r"total_r2 -?[\d.]+% against -?[\d.]+%", verdicts[1][2])
    holder, last = champion(workspace.folder), challenger(workspace.folder)
    assert last.number == 2
    assert holder.number == (2 if verdicts[1][1] == "champion" else 1)
    assert f"Champion:   version {holder.number}" in done[-1].output
    versions = [
        read_json(workspace.data / "published" / night / "manifest.json")["version"]
        for night in NIGHTS
    ]
    assert versions[0] == 1
    assert versions[-1] == holder.number


@pytest.mark.slow
def test_finished_folds_are_found_on_the_next_night(nights):
    _, done = nights
    assert "1 of 5 folds fitted" in done[1].output
    assert "0 of 5 folds fitted" in done[2].output


@pytest.mark.slow
def test_the_same_night_again_changes_nothing(nights):
    workspace, _ = nights
    before = digests(workspace.data / "published")
    number = challenger(workspace.folder).number
    again = workspace.run("flows.nightly", "--as-of", NIGHTS[-1])
    assert again.status == 0, again.output
    assert "Running stage" not in again.output
    assert digests(workspace.data / "published") == before
    assert challenger(workspace.folder).number == number
    assert json.loads((workspace.data / "published/latest.json").read_text())["as_of"] == NIGHTS[-1]
