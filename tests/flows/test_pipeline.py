import datetime as dt
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from flows import pipeline
from flows.api import plain_errors
from flows.pipeline import StageError, make_calendar, reproduce, settings_changed

from latentbeta.data import calendar
from latentbeta.errors import DataError
from latentbeta.storage import write_json

ROOT = Path(__file__).parents[2]
DVC_YAML = """
stages:
  ingest:
    cmd: {command}
    params: [seed]
    outs: [out]
  report:
    cmd: cp out page
    deps: [out]
    outs: [page]
"""
REFUSE = "echo 'prices.csv row 3 is negative' >&2; exit 1"


@pytest.fixture
def project(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=tmp_path, check=True
    )
    shutil.copy(ROOT / "params.yaml", tmp_path)
    return tmp_path


@pytest.mark.parametrize("data", ["data/simulated", "prices/of/ones/own"])
def test_the_calendar_is_there_before_the_stages_ask_for_it(project, monkeypatch, data):
    with settings_changed(project / "params.yaml", {"data": {"path": data}}, source="test"):
        monkeypatch.setattr(pipeline, "SETTINGS", project / "params.yaml")
        monkeypatch.setattr(pipeline, "SUMMARY", project / "summary.json")
        calendar._sessions_of_years.cache_clear()
        make_calendar()  # of one's own prices nothing is known yet
        write_json({"first_date": "2003-03-03", "last_date": "2018-12-28"}, pipeline.SUMMARY)
        make_calendar()
    assert calendar._sessions_of_years.cache_info().misses == 1
    calendar.sessions("XNYS", dt.date(2003, 1, 2), dt.date(2018, 12, 31))
    assert calendar._sessions_of_years.cache_info().misses == 1


def test_stages_run_and_the_one_that_fails_is_named(project, capfd):
    (project / "dvc.yaml").write_text(DVC_YAML.format(command="echo done > out"))
    reproduce(project)
    assert (project / "page").read_text() == "done\n"
    (project / "dvc.yaml").write_text(DVC_YAML.format(command=REFUSE))
    with pytest.raises(StageError, match="stage ingest failed") as failure:
        reproduce(project)
    assert failure.value.stage == "ingest"
    assert "prices.csv row 3 is negative" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("stage", "taken_back"),
    [
        ("ingest", True),
        ("simulate", True),
        ("fetch", True),
        (None, True),
        ("train", False),
        ("validate", False),
    ],
)
def test_settings_of_unusable_input_are_taken_back(tmp_path, stage, taken_back):
    path = tmp_path / "params.yaml"
    shutil.copy(ROOT / "params.yaml", path)
    former = path.read_text(encoding="utf-8")
    with pytest.raises(StageError):
        fail_with_other_data(path, stage)
    assert (path.read_text(encoding="utf-8") == former) is taken_back


def fail_with_other_data(path, stage):
    with settings_changed(path, {"data": {"path": "/mine"}}, source="--data"):
        assert "/mine" in path.read_text(encoding="utf-8")
        raise StageError(stage)


def test_an_error_of_the_package_is_a_plain_message_and_status_1(capsys):
    with pytest.raises(SystemExit) as ended, plain_errors("ingest"):
        raise DataError("prices.csv, row 3, close: -1.0 is negative")
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert "ingest stopped: prices.csv, row 3, close: -1.0 is negative" in said
    assert "Traceback" not in said


def test_any_other_error_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError), plain_errors("ingest"):
        _ = 1 / 0
