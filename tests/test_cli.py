import json
import os
from pathlib import Path

import pandas as pd
import pytest
from tests.simulated_panels import simulate
from tests.synthetic_results import Market, write_results
from typer.testing import CliRunner

from latentbeta.cli import app
from latentbeta.storage import write_json, write_parquet

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


@pytest.fixture
def with_results(project):
    settings = Path(__file__).parents[1] / "params.yaml"
    (project / "params.yaml").write_bytes(settings.read_bytes())
    write_results(project / "data", Market())
    (project / "flows/weights.csv").write_text(
        "date,asset,weight\n2016-01-29,A00,1\n2016-01-29,A01,-1\n2016-02-29,A02,2\n"
    )
    return project


def test_an_attribution_for_a_machine_adds_up(with_results):
    command = ["attribute", "weights.csv", "--model", "pca", "--n-factors", "2", "--json"]
    said = json.loads(RUNNER.invoke(app, command).stdout)
    assert (said["model"], said["n_factors"]) == ("pca", 2)
    assert [row["part"] for row in said["summary"]] == ["factor_1", "factor_2", "specific", "total"]
    assert [row["date"] for row in said["dates"]] == ["2016-01-29", "2016-02-29"]
    for row in said["dates"]:
        parts = row["factor_1"] + row["factor_2"] + row["specific"]
        assert parts == pytest.approx(row["total"], abs=1e-12)


def test_an_attribution_for_people_names_its_parts(with_results):
    result = RUNNER.invoke(app, ["attribute", "weights.csv", "--n-factors", "2"])
    assert result.exit_code == 0
    assert "CA1, K = 2: 2 periods" in result.stdout
    assert "factor 2" in result.stdout


def test_a_wrong_row_of_weights_ends_the_command_in_one_line(with_results):
    (with_results / "flows/weights.csv").write_text("date,asset,weight\n2016-01-29,WHO,1\n")
    result = RUNNER.invoke(app, ["attribute", "weights.csv", "--n-factors", "2"])
    assert result.exit_code == 1
    assert "row 1, column 'asset' holds 'WHO'" in result.stderr
    assert "Traceback" not in result.stderr


def test_no_number_of_factors_is_taken_for_the_default(with_results):
    result = RUNNER.invoke(app, ["attribute", "weights.csv", "--n-factors", "0"])
    assert result.exit_code == 2


@pytest.fixture
def with_panel(project):
    simulated = simulate(n_dates=20, n_assets=12, n_characteristics=2, seed=3).panel
    leading = {
        "date": simulated.dates[simulated.date_index],
        "formation": simulated.dates[simulated.date_index],
        "asset": simulated.assets[simulated.asset_index],
        "return": simulated.R,
        "market_equity": simulated.market_equity,
    }
    ranked = {name: simulated.Z[:, p] for p, name in enumerate(simulated.characteristic_names)}
    write_parquet(pd.DataFrame(leading | ranked), project / "data/panel/panel.parquet")
    settings = Path(__file__).parents[1] / "params.yaml"
    (project / "params.yaml").write_text(settings.read_text(encoding="utf-8"), encoding="utf-8")
    return project


def test_the_tests_of_ipca_for_a_machine_and_for_people(with_panel):
    command = ["ipca-tests", "--n-factors", "1", "--draws", "3"]
    found = json.loads(RUNNER.invoke(app, [*command, "--json"]).stdout)
    assert (found["n_factors"], found["draws"]) == (1, 3)
    assert [test["tested"] for test in found["tests"]] == ["intercept", "c1", "c2", "constant"]
    assert all(0 <= test["p_value"] <= 1 for test in found["tests"])
    shown = RUNNER.invoke(app, command).stdout
    for test in found["tests"]:
        assert f"{test['p_value']:.3f}" in shown
    assert "12 of 12" in shown


def test_the_tests_of_ipca_need_a_panel_and_directions(with_panel):
    result = RUNNER.invoke(app, ["ipca-tests", "--n-factors", "9", "--draws", "1"])
    assert result.exit_code == 1
    assert "span 3 directions" in result.stderr
    (with_panel / "data/panel/panel.parquet").unlink()
    result = RUNNER.invoke(app, ["ipca-tests"])
    assert result.exit_code == 1
    assert "panel.parquet: no such file" in result.stderr


def test_the_null_is_a_process_that_is_told_which_models(project, monkeypatch):
    started = []
    monkeypatch.setattr(
        "latentbeta.cli.studies.start", lambda *arguments: started.append(arguments)
    )
    RUNNER.invoke(app, ["null", "--models", "pca,ca1", "--repetitions", "3"])
    assert started == [("latentbeta.permutation", "--repetitions", "3", "--models", "pca,ca1")]


def test_a_study_of_a_model_that_does_not_exist_is_refused(project):
    result = RUNNER.invoke(app, ["monte-carlo", "--models", "pca,cae"])
    assert result.exit_code == 1
    assert "no model is called 'cae'" in result.stderr


def test_a_study_that_is_stopped_says_how_to_go_on(project, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("latentbeta.monte_carlo.command.monte_carlo", stopped)
    result = RUNNER.invoke(app, ["monte-carlo", "--models", "pca", "--repetitions", "1"])
    assert result.exit_code == 130
    assert "the same command goes on from here" in result.stdout
