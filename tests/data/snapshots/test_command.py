import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from latentbeta.cli import app
from latentbeta.data.snapshots import SnapshotStore

ROOT = Path(__file__).parents[3]
RUNNER = CliRunner()
SPAN = ("2024-01-02", "2024-02-15")


@pytest.fixture
def project(tmp_path: Path, monkeypatch) -> Path:
    folder = tmp_path / "project"
    (folder / "flows").mkdir(parents=True)
    (folder / "dvc.yaml").touch()
    shutil.copy(ROOT / "params.yaml", folder)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def kept(project: Path, history, noon) -> SnapshotStore:
    """A first snapshot, and a restated one: a cell changed, a row gone, days new."""
    store = SnapshotStore(project / "data/snapshots", "data/simulated")
    store.commit(history(*SPAN), fetched_at=noon)
    later = history("2024-02-16", "2024-02-20", n_assets=2)
    changed = pd.concat([history(*SPAN).drop(index=3), later]).reset_index(drop=True)
    changed.loc[10, "dividend"] = 0.75
    store.commit(changed, fetched_at=noon)
    return store


def output(*arguments: str) -> str:
    result = RUNNER.invoke(app, ["snapshots", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_list(kept: SnapshotStore) -> None:
    lines = output().splitlines()
    assert lines[0].startswith("data/simulated, in ")
    assert lines[1].split()[0] == "number"
    head = kept.head()
    assert head is not None
    assert lines[3].split()[:4] == ["2", "2024-06-03", "12:00:00", "restated"]
    for shown in (f"{head.rows:,}", "2024-01-02", head.last_date, head.content[:12]):
        assert shown in lines[3]
    assert len(lines) == 4


def test_the_list_for_a_machine(kept: SnapshotStore) -> None:
    found = json.loads(output("--json"))
    assert found["source"] == "data/simulated"
    assert [s["kind"] for s in found["snapshots"]] == ["first", "restated"]
    assert found["snapshots"][1]["changes"]["changed"] == 1
    assert "parts" not in found["snapshots"][0]


def test_what_a_snapshot_changed(kept: SnapshotStore) -> None:
    lines = output("--diff", "2").splitlines()
    assert lines[0].startswith("snapshot 2, restated: ")
    assert "1 row changed, 1 row removed" in lines[0]
    assert lines[1].split() == ["what", "date", "asset", "column", "before", "after"]
    assert any("dividend" in line and line.endswith("0.75") for line in lines[2:])
    found = json.loads(output("--diff", "2", "--json"))
    assert sorted(line["what"] for line in found["lines"]) == ["changed", "removed"]
    assert output("--diff", "1").splitlines() == [
        f"snapshot 1, first: {kept.known(1).rows:,} rows new"
    ]


@pytest.mark.parametrize("known_at", ["1", "2", "2024-06-03", None])
def test_old_rows_are_written_for_another_run(kept: SnapshotStore, known_at, tmp_path) -> None:
    path = tmp_path / "old.parquet"
    chosen = ["--known-at", known_at] if known_at else []
    said = output("--write", str(path), "--as-of", "2024-01-31", *chosen)
    number = 1 if known_at == "1" else 2
    assert f"of snapshot {number}" in said
    written = pd.read_parquet(path)
    expected = kept.known(number)
    assert len(written) == sum(p.rows for p in expected.parts if p.month == "2024-01")
    assert written["date"].max() == pd.Timestamp("2024-01-31")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--diff", "3"], "there is no such snapshot"),
        (["--write", "x.parquet", "--as-of", "yesterday"], "yesterday: not a date"),
        (["--write", "x.parquet", "--known-at", "2020-01-01"], "made up to 2020-01-01"),
    ],
)
def test_what_is_not_there_is_said(kept: SnapshotStore, arguments, message: str) -> None:
    result = RUNNER.invoke(app, ["snapshots", *arguments])
    assert result.exit_code == 1
    assert message in result.stderr


def test_before_the_first_ingest_the_command_for_it_is_named(project: Path) -> None:
    result = RUNNER.invoke(app, ["snapshots"])
    assert result.exit_code == 1
    assert "no snapshot of data/simulated yet: `latentbeta ingest`" in result.stderr


def test_a_panel_has_none(project: Path) -> None:
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("  kind: prices", "  kind: panel"))
    result = RUNNER.invoke(app, ["snapshots"])
    assert result.exit_code == 1
    assert "a panel of your own has no snapshots" in result.stderr
