"""The whole job on a small simulated market, by the command that `make run` calls."""

import itertools
import json
import re

import numpy as np
import pandas as pd
import pytest
from tests.end_to_end.measures import measures_of
from tests.end_to_end.workspace import SMALL, copied, git

from latentbeta.config import read_settings
from latentbeta.environment import tracking_uri
from latentbeta.storage import read_json, write_json

STAGES = ["simulate", "ingest", "characteristics", "validate", "train", "evaluate", "report"]
MODELS = [("pca", 3), ("ipca", 3), ("ca1", 3)]
BOUND = 60  # seconds for a run with nothing to do, on any machine; docs/evidence.md has the figure

FACTORS = ["factor_1", "factor_2", "factor_3"]
ROW = ["model", "n_factors", "fold", "date", "asset"]
PRICES = ["date", "asset", "open", "high", "low", "close", "volume", "dividend", "split", "shares"]
LISTING = ["asset", "name", "sector", "listed", "delisted", "delisting_return"]
PREMIA = ["premium_1", "premium_2", "premium_3"]
COLUMNS = {
    "prices/prices.parquet": [*PRICES, "total_return"],
    "prices/assets.parquet": [*LISTING, "first_date", "last_date"],
    "prices/risk_free.parquet": ["date", "risk_free"],
    "prices/flags.parquet": ["rule", "asset", "date", "value", "detail"],
    "results/predictions.parquet": [*ROW, "realised", "fitted", "forecast"],
    "results/betas.parquet": [*ROW, *FACTORS],
    "results/factors.parquet": [
        *("model", "n_factors", "fold", "date", *FACTORS, *PREMIA, "tangency")
    ],
    "results/folds.parquet": [
        *("fold", "train_start", "train_end", "validation_start", "validation_end"),
        *("test_start", "test_end", "embargo"),
    ],
    "training/history.parquet": [
        *("model", "n_factors", "fold", "member", "epoch", "training_loss", "validation_loss")
    ],
}


@pytest.fixture(scope="module")
def data(base_run):
    return base_run.workspace.data


@pytest.fixture(scope="module")
def predictions(data):
    return pd.read_parquet(data / "results/predictions.parquet")


@pytest.fixture(scope="module")
def metrics(data):
    return read_json(data / "results/metrics.json")


def test_it_ends_with_the_table_the_report_and_how_to_open_mlflow(base_run, data):
    output = base_run.done.output
    assert base_run.done.status == 0
    assert [f"Running stage '{s}'" in output for s in STAGES] == [True] * len(STAGES)
    table = output[output.index("Out of sample") :]
    for model in ("PCA", "IPCA", "CA1"):
        assert re.search(rf"│ {model} +│", table), output
    assert "Report:  data/report/report.html" in table
    assert "make ui" in table
    page = (data / "report/report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=.https?:", page)


@pytest.mark.parametrize("name", COLUMNS)
def test_results_have_the_documented_columns(data, name):
    assert list(pd.read_parquet(data / name)) == COLUMNS[name]


def test_every_characteristic_that_was_asked_for_is_in_the_panel(base_run, data):
    names = read_settings(base_run.workspace.folder / "params.yaml").characteristics.names
    panel = pd.read_parquet(data / "panel/panel.parquet")
    raw = pd.read_parquet(data / "panel/raw.parquet")
    assert list(panel) == [
        "date",
        "formation",
        "asset",
        "return",
        "market_equity",
        "sector",
        *names,
    ]
    assert list(raw) == ["date", "asset", *names]
    assert panel[list(names)].abs().max().max() <= 1
    assert panel[list(names)].notna().all(axis=None)


def test_the_newest_date_has_forecasts_and_no_return(data, predictions):
    last_price = pd.read_parquet(data / "prices/prices.parquet")["date"].max()
    newest = predictions[predictions["date"] == predictions["date"].max()]
    assert newest["date"].min() > last_price
    assert newest["realised"].isna().all()
    assert newest["forecast"].notna().all()
    assert set(zip(newest["model"], newest["n_factors"], strict=True)) == set(MODELS)


def test_folds_are_in_order_and_tests_are_back_to_back(data, predictions):
    folds = pd.read_parquet(data / "results/folds.parquet")
    assert len(folds) >= 4
    order = ["train_start", "train_end", "validation_start", "validation_end", "test_start"]
    for before, after in itertools.pairwise(order):
        assert (folds[before] < folds[after]).all()
    dates = np.sort(pd.read_parquet(data / "panel/panel.parquet")["date"].unique())
    tested = np.sort(predictions["date"].unique())
    first = 24 + 12 + SMALL["walk_forward"]["embargo"]
    np.testing.assert_array_equal(tested, dates[first:])


@pytest.mark.parametrize(("model", "n_factors"), MODELS)
def test_metrics_can_be_recomputed_from_the_predictions(
    base_run, data, predictions, metrics, model, n_factors
):
    settings = read_settings(base_run.workspace.folder / "params.yaml")
    mine = predictions[(predictions["model"] == model) & (predictions["n_factors"] == n_factors)]
    panel = pd.read_parquet(data / "panel/panel.parquet")
    expected = measures_of(mine, panel, settings.evaluation.quantile)
    record = next(r for r in metrics if (r["model"], r["n_factors"]) == (model, n_factors))
    for name, value in expected.items():
        assert record[name] == pytest.approx(value, rel=1e-8, abs=1e-10), name
        assert name.startswith("n_") or record[f"{name}_se"] > 0


def test_mlflow_holds_a_parent_and_a_child_a_model_with_the_pooled_measures(
    base_run, data, metrics
):
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri(base_run.workspace.folder))
    runs = read_json(data / "training/runs.json")
    assert [(c["model"], c["n_factors"]) for c in runs["children"]] == MODELS
    parent = client.get_run(runs["parent"])
    assert parent.info.status == "FINISHED"
    for name in ("data.hash", "panel.hash", "folds.hash", "dvc.lock.hash"):
        assert re.fullmatch("[0-9a-f]{64}", parent.data.tags[name])
    for name in ("mlflow.source.git.commit", "prefect.flow_run_id"):
        assert parent.data.tags[name]
    for child, record in zip(runs["children"], metrics, strict=True):
        run = client.get_run(child["run_id"])
        assert run.data.tags["mlflow.parentRunId"] == runs["parent"]
        numbers = {
            name: value
            for name, value in record.items()
            if isinstance(value, int | float) and not name.endswith(("_low", "_high"))
        }
        numbers.pop("n_factors")
        assert {name: run.data.metrics[name] for name in numbers} == numbers
        by_fold = client.get_metric_history(child["run_id"], "fold/total_r2")
        assert [point.step for point in by_fold] == list(range(len(by_fold)))
        assert len(by_fold) >= 4
        assert client.list_artifacts(child["run_id"], "tables")
    (experiment,) = client.search_experiments(filter_string="name = 'latentbeta'")
    assert len(client.search_runs([experiment.experiment_id])) == 1 + len(MODELS)


def test_dvc_repro_alone_finds_nothing_to_do(base_run):
    done = base_run.workspace.run("dvc", "repro")
    assert done.status == 0
    for stage in STAGES:
        assert f"Stage '{stage}' didn't change, skipping" in done.output, done.output
    assert "Running stage" not in done.output
    assert done.seconds < BOUND


def test_dvc_shows_metrics_and_plots(base_run, metrics):
    shown = base_run.workspace.run("dvc", "metrics", "show", "--json")
    assert shown.status == 0
    (by_file,) = json.loads(shown.output).values()
    numbers = by_file["data"]["data/evaluation/metrics.json"]["data"]
    assert [numbers[f"{m}_{k}"]["total_r2"] for m, k in MODELS] == [r["total_r2"] for r in metrics]
    plots = base_run.workspace.run("dvc", "plots", "show", "--json")
    assert plots.status == 0
    for title in ("Long-short portfolios", "Total R² by fold", "Validation loss"):
        assert title in str(json.loads(plots.output))


def test_dvc_tells_what_changed_since_a_commit(base_run, metrics, tmp_path):
    workspace = copied(base_run.workspace, tmp_path / "copy")
    git(workspace.folder, "add", "dvc.lock", "params.yaml")
    git(workspace.folder, "commit", "--quiet", "--message", "results")
    path = workspace.data / "evaluation/metrics.json"
    numbers = read_json(path)
    numbers["ca1_3"]["total_r2"] += 0.25
    write_json(numbers, path)
    done = workspace.run("dvc", "metrics", "diff", "--json")
    assert done.status == 0
    (changed,) = json.loads(done.output).values()
    old = next(r["total_r2"] for r in metrics if r["model"] == "ca1")
    assert list(changed) == ["ca1_3.total_r2"]
    assert changed["ca1_3.total_r2"]["old"] == old
    assert changed["ca1_3.total_r2"]["diff"] == pytest.approx(0.25)
