import json
import os

import pytest
from typer.testing import CliRunner

from latentbeta.cli import app
from latentbeta.storage import write_json

RUNNER = CliRunner()
METRICS = [{"model": "ca1", "n_factors": 3, "total_r2": 0.2, "total_r2_se": 0.01}]


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name in ("params.yaml", "dvc.yaml"):
        (tmp_path / name).touch()
    (tmp_path / "flows").mkdir()
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.chdir(tmp_path / "flows")  # a folder of the project will do
    return tmp_path


def test_the_table_for_a_machine_is_the_metrics_file(project):
    write_json(METRICS, project / "data/results/metrics.json")
    result = RUNNER.invoke(app, ["table", "--json"])
    assert json.loads(result.stdout) == METRICS


def test_the_table_for_people_names_the_model(project):
    write_json(METRICS, project / "data/results/metrics.json")
    result = RUNNER.invoke(app, ["table"])
    assert "CA1" in result.stdout
    assert "20.00" in result.stdout


def test_before_the_first_run_the_command_to_make_one_is_named(project):
    result = RUNNER.invoke(app, ["table"])
    assert result.exit_code == 1
    assert "`latentbeta run` makes it" in result.stderr


def test_outside_a_project_every_command_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = RUNNER.invoke(app, ["run"])
    assert result.exit_code == 1
    assert "is not inside a latentbeta project" in result.stderr


def test_every_stage_is_a_command():
    shown = RUNNER.invoke(app, ["--help"]).stdout
    for name in (
        "simulate",
        "ingest",
        "characteristics",
        "validate",
        "train",
        "evaluate",
        "report",
    ):
        assert name in shown
