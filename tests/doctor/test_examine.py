import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from latentbeta.cli import app
from latentbeta.config import read_settings
from latentbeta.doctor.examine import examine, for_machine, in_lines
from latentbeta.doctor.findings import Finding, healthy
from latentbeta.doctor.inputs import data
from latentbeta.doctor.runs import in_words, runs
from latentbeta.doctor.surroundings import disk, locked, packages
from latentbeta.doctor.validation import validation
from latentbeta.storage import write_json, write_parquet

PROJECT = Path(__file__).parents[2]
RULE = {
    "name": "volume_not_negative",
    "table": "prices",
    "column": "volume",
    "severity": "blocking",
    "requires": "volume is at least 0",
    "passed": False,
    "evaluated": True,
    "observed": "",
    "n_checked": 3750,
    "n_unexpected": 2,
    "share": 2 / 3750,
}
SOUND = RULE | {"passed": True, "n_unexpected": 0}


@pytest.fixture(scope="module")
def _empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder under git and DVC, with one stage, and nothing made yet."""
    folder = tmp_path_factory.mktemp("empty")
    for name in ("params.yaml", "pyproject.toml", "requirements.lock"):
        shutil.copy(PROJECT / name, folder / name)
    (folder / "flows").mkdir()
    (folder / "dvc.yaml").write_text("stages:\n  report:\n    cmd: x\n    deps: [params.yaml]\n")
    for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def project(_empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    return shutil.copytree(_empty, tmp_path / "project")


def written(project: Path, *rules: dict[str, object], n_quarantined: int = 0) -> list[Finding]:
    failed = [rule for rule in rules if not rule["passed"]]
    blocking = [rule for rule in failed if rule["severity"] == "blocking"]
    document = {
        "passed": not blocking,
        "n_rules": len(rules),
        "n_blocking": len(blocking),
        "n_warnings": len(failed) - len(blocking),
        "n_quarantined": n_quarantined,
        "rules": rules,
    }
    write_json(document, project / "data/validation/result.json")
    return list(validation(project))


def test_a_project_before_its_first_run_is_healthy_and_says_what_comes_next(project: Path) -> None:
    findings = examine(project)
    assert healthy(findings)
    said = "\n".join(in_lines(findings))
    assert "the data have not been validated" in said
    assert "the simulated market is not made yet" in said
    assert "report is out of date: params.yaml modified (deps)" in said
    assert "no run has been started here" in said
    assert said.splitlines()[-1].startswith("healthy")
    areas = list(dict.fromkeys(finding.area for finding in findings))
    assert areas == ["environment", "settings", "data", "validation", "stages", "runs"]


def test_settings_that_are_wrong_block_and_hide_what_rests_on_them(project: Path) -> None:
    text = (project / "params.yaml").read_text().replace("minimum_assets: 20", "minimum_assets: 0")
    (project / "params.yaml").write_text(text)
    findings = examine(project)
    assert not healthy(findings)
    (wrong,) = [finding for finding in findings if finding.state == "blocks"]
    assert "quality.minimum_assets" in wrong.text
    assert not [finding for finding in findings if finding.area == "data"]


def test_the_command_ends_with_one_when_something_blocks(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    written(project, RULE)
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["healthy"] is False
    assert [f["area"] for f in document["findings"] if f["state"] == "blocks"] == ["validation"] * 2
    written(project, SOUND)
    assert CliRunner().invoke(app, ["doctor"]).exit_code == 0


def test_a_failed_rule_is_told_with_its_rows_and_what_to_do(tmp_path: Path) -> None:
    verdict, rule = written(tmp_path, RULE, SOUND)
    assert verdict.state == rule.state == "blocks"
    assert "the gate is closed" in verdict.text
    assert "of 2 rules 1 blocking and 0 warnings do not hold" in verdict.text
    assert "volume_not_negative (prices, volume): 2 of 3,750 rows break it" in rule.text
    assert rule.advice == "correct the source"


def test_a_warning_does_not_block_unless_it_could_not_be_evaluated(tmp_path: Path) -> None:
    warning = RULE | {"severity": "warning", "name": "price_order"}
    verdict, rule = written(tmp_path, warning)
    assert (verdict.state, rule.state) == ("well", "note")
    _, rule = written(tmp_path, warning | {"evaluated": False, "observed": "there is no column x"})
    assert rule.state == "blocks"
    assert "could not be evaluated: there is no column x" in rule.text


def test_quarantined_rows_are_told(tmp_path: Path) -> None:
    *_, last = written(tmp_path, SOUND, n_quarantined=1234)
    assert "1,234 daily returns are in quarantine" in last.text


def test_a_table_that_is_cut_short_blocks_and_names_the_stage(project: Path) -> None:
    table = pd.DataFrame({"date": pd.to_datetime(["2018-01-02", "2018-03-01"]), "x": 1.0})
    file = project / "data/prices/prices.parquet"
    write_parquet(table, file)
    texts = [f.text for f in examine(project) if f.area == "data"]
    assert "data/prices/prices.parquet: 2 rows, 2018-01-02 to 2018-03-01" in texts
    file.write_bytes(file.read_bytes()[:-20])
    (cut,) = [f for f in examine(project) if f.state == "blocks"]
    assert "prices.parquet cannot be read" in cut.text
    assert cut.advice == "make it again: `dvc repro --force ingest`"


@pytest.mark.parametrize("dates", [[], ["then"], [None]])
def test_a_table_without_dates_blocks(tmp_path: Path, dates: list[str | None]) -> None:
    kind = "str" if dates == ["then"] else "datetime64[us]"
    table = pd.DataFrame({"date": pd.Series(dates, dtype=kind)})
    write_parquet(table, tmp_path / "data/panel/panel.parquet")
    (found,) = [f for f in data(tmp_path, read_settings(PROJECT / "params.yaml")) if f.advice][1:]
    assert found.state == "blocks"
    assert found.text.startswith("data/panel/panel.parquet ")
    assert found.advice == "make it again: `dvc repro --force characteristics`"


@pytest.mark.parametrize("text", ["{half", "{}", "[]", ""])
def test_damaged_documents_are_findings_and_no_error(tmp_path: Path, text: str) -> None:
    for name in ("validation/result.json", "published/2018-01-02/manifest.json"):
        (tmp_path / "data" / name).parent.mkdir(parents=True)
        (tmp_path / "data" / name).write_text(text)
    (lost,) = validation(tmp_path)
    assert lost.state == "blocks"
    assert "data/validation/result.json is damaged" in lost.text
    *_, night = runs(tmp_path)
    assert night.state == "note"
    assert "data/published/2018-01-02/manifest.json is damaged" in night.text


def test_what_is_still_to_be_fetched_is_no_loss(tmp_path: Path) -> None:
    text = (
        (PROJECT / "params.yaml").read_text().replace("path: data/simulated", "path: data/fetched")
    )
    (tmp_path / "params.yaml").write_text(text)
    (found,) = data(tmp_path, read_settings(tmp_path / "params.yaml"))
    assert (found.state, found.text) == ("note", "nothing has been fetched yet")


def test_an_empty_folder_of_data_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "data/simulated").mkdir(parents=True)
    (found,) = data(tmp_path, read_settings(PROJECT / "params.yaml"))
    assert found.state == "blocks"
    assert "put files of prices there" in found.advice


def test_a_path_without_data_blocks(project: Path) -> None:
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(text.replace("path: data/simulated", "path: gone"))
    (lost,) = [f for f in examine(project) if f.state == "blocks"]
    assert lost.text == "gone is not there"


def test_what_dvc_says_is_put_into_words() -> None:
    status = {
        "ingest": [
            {"changed deps": {"params.yaml": {"data.as_of": "modified"}, "data/x": "deleted"}},
            {"changed outs": {"data/prices": "modified"}},
            "changed command",
        ]
    }
    (finding,) = in_words(status)
    assert finding.text == (
        "ingest is out of date: data.as_of in params.yaml changed; data/x is not there (deps);"
        " data/prices modified (outs); changed command"
    )
    (finding,) = in_words({})
    assert finding.state == "well"


def test_a_run_at_work_is_named_and_a_killed_one_is_not(tmp_path: Path) -> None:
    cache = tmp_path / ".cache"
    cache.mkdir()
    write_json({"command": "nightly", "pid": 42, "since": "2018-01-02 20:00"}, cache / "run.json")
    lock = f"lock = filelock.FileLock({str(cache / 'run.lock')!r}); lock.acquire()"
    hold = f"import filelock, time; {lock}"
    holder = subprocess.Popen(
        [sys.executable, "-c", f"{hold}; print('held', flush=True); time.sleep(60)"],
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        held, _ = runs(tmp_path)
        assert held.text == "a run is at work: nightly, process 42, since 2018-01-02 20:00"
    finally:
        holder.kill()
        holder.communicate()
    free, _ = runs(tmp_path)
    assert free.text.startswith("no run is at work; last: nightly")


def test_a_night_with_fewer_assets_than_the_one_before_is_told(tmp_path: Path) -> None:
    for as_of, n_assets in (("2018-01-02", 300), ("2018-01-03", 284)):
        manifest = {"as_of": as_of, "n_assets": n_assets, "model": "ca1", "version": "3"}
        write_json(manifest, tmp_path / f"data/published/{as_of}/manifest.json")
    _, last, fewer = runs(tmp_path)
    assert last.text == "published last: 2018-01-03, 284 assets from ca1 version 3"
    assert fewer.state == "note"
    assert "16 assets fewer than the 300 of 2018-01-02" in fewer.text


def test_versions_that_differ_from_the_lock_are_named(tmp_path: Path) -> None:
    text = (
        "numpy==0.1 \\\n    --hash=sha256:0\nnot-there==1.0\nonly-elsewhere==2 ; os_name == 'x'\n"
    )
    assert locked(text) == {"numpy": "0.1", "not-there": "1.0"}
    (tmp_path / "requirements.lock").write_text(text)
    found = packages(tmp_path)
    assert found.state == "note"
    assert "not-there none instead of 1.0" in found.text
    assert "2 of 2 packages differ" in found.text


def test_a_full_disk_blocks() -> None:
    assert disk(1.9).state == "blocks"
    assert disk(2.1).state == "well"


def test_both_forms_say_the_same() -> None:
    findings = [Finding(area="data", state="blocks", text="gone", advice="look"), *in_words({})]
    lines = list(in_lines(findings))
    assert lines[:3] == ["data", "  X gone", "      do: look"]
    assert lines[-1] == "1 thing(s) to mend (X); worth a look (!): 0"
    assert [f["text"] for f in for_machine(findings)["findings"]] == [f.text for f in findings]
