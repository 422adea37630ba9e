import json
import math

import numpy as np
import pandas as pd
import pytest
from tests.synthetic_results import (
    NOISE,
    Market,
    monthly_settings,
    panel_of,
    predictions_of,
    write_results,
)

from latentbeta.errors import DataError
from latentbeta.evaluation.evaluate import evaluate, measure_predictions
from latentbeta.evaluation.measures import MEASURES
from latentbeta.storage import content_hash

MODELS = list(NOISE)


@pytest.fixture(scope="module")
def settings():
    return monthly_settings()


@pytest.fixture(scope="module")
def market():
    return Market()


@pytest.fixture(scope="module")
def found(market, settings):
    return measure_predictions(predictions_of(market), panel_of(market), settings)


def run(data, settings):
    return evaluate(
        results=data / "results",
        panel=data / "panel/panel.parquet",
        truth=data / "prices/truth",
        history=data / "training/history.parquet",
        output=data / "evaluation",
        settings=settings,
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory, market, settings):
    data = tmp_path_factory.mktemp("data")
    write_results(data, market)
    run(data, settings)
    return data


def metrics_by_model(metrics):
    return {record["model"]: record for record in metrics}


def test_every_model_has_every_measure_with_its_error(found):
    assert [record["model"] for record in found.metrics] == MODELS
    for record in found.metrics:
        for name in MEASURES:
            assert math.isfinite(record[name])
            assert record[f"{name}_se"] > 0


def test_the_closer_model_explains_more(found):
    total = [record["total_r2"] for record in found.metrics]
    assert total == sorted(total)


def test_measures_can_be_recomputed_from_the_predictions_alone(found, market):
    table = predictions_of(market).query("model == 'ca1'").dropna()
    record = metrics_by_model(found.metrics)["ca1"]
    scale = (table.realised**2).sum()
    assert record["total_r2"] == pytest.approx(
        1 - ((table.realised - table.fitted) ** 2).sum() / scale
    )
    assert record["predictive_r2"] == pytest.approx(
        1 - ((table.realised - table.forecast) ** 2).sum() / scale
    )
    by_date = table.groupby("date")[["realised", "forecast"]]
    assert record["ic"] == pytest.approx(by_date.corr().iloc[::2, 1].mean())
    assert record["n_observations"] == len(table)
    assert record["n_dates"] == 36
    assert (record["first_test_date"], record["last_test_date"]) == ("2016-01-29", "2018-12-31")


def test_sharpe_ratio_is_that_of_the_saved_portfolio(found):
    returns = found.portfolios.query("model == 'ca1'")["long_short"]
    expected = returns.mean() / returns.std() * np.sqrt(12)
    assert metrics_by_model(found.metrics)["ca1"]["long_short_sharpe"] == pytest.approx(expected)


def test_fold_metrics_are_those_of_the_fold_alone(found, market):
    table = predictions_of(market).query("model == 'ipca' and fold == 1").dropna()
    row = found.fold_metrics.query("model == 'ipca' and fold == 1").iloc[0]
    error = ((table.realised - table.fitted) ** 2).sum()
    assert row.total_r2 == pytest.approx(1 - error / (table.realised**2).sum())
    assert row.n_observations == len(table)
    assert str(row.first_date.date()) == "2017-01-31"


def test_differences_are_of_the_table_and_paired(found):
    metrics = metrics_by_model(found.metrics)
    table = found.differences.query("model_a == 'ca1' and model_b == 'ipca'").set_index("measure")
    row = table.loc["total_r2"]
    assert row.difference == pytest.approx(metrics["ca1"]["total_r2"] - metrics["ipca"]["total_r2"])
    assert row.t == pytest.approx(row.difference / row.se)
    assert row.t > 2
    assert row.diebold_mariano > 2
    assert row.se < metrics["ca1"]["total_r2_se"]
    assert np.isnan(table.loc["ic", "diebold_mariano"])
    assert len(found.differences) == 6 * len(MEASURES)


def test_models_that_cover_different_rows_are_compared_on_the_common_ones(market, settings):
    table = predictions_of(market)
    half = table["asset"] < "A20"
    gone = (table["model"] == "ca1") & ~half
    partial = table.assign(fitted=table["fitted"].mask(gone), forecast=table["forecast"].mask(gone))
    of_half = measure_predictions(table[half], panel_of(market), settings)
    of_partial = measure_predictions(partial, panel_of(market), settings)
    query = "model_a == 'ca1' and model_b == 'ipca'"
    pd.testing.assert_frame_equal(
        of_half.differences.query(query), of_partial.differences.query(query)
    )


def test_a_forecast_of_zero_scores_zero(market, settings):
    table = predictions_of(market).query("model == 'pca'").assign(forecast=0.0, fitted=0.0)
    record = measure_predictions(table, panel_of(market), settings).metrics[0]
    assert record["total_r2"] == record["predictive_r2"] == record["predictive_r2_managed"] == 0
    assert record["predictive_r2_se"] == 0
    assert record["ic"] is None
    assert record["long_short_sharpe"] is None


def test_a_model_that_forecasts_nothing_gets_nulls(market, settings):
    table = predictions_of(market)
    silent = table["model"] == "ca1"
    table = table.assign(forecast=table["forecast"].mask(silent))
    found = measure_predictions(table, panel_of(market), settings)
    record = metrics_by_model(found.metrics)["ca1"]
    for name in ("predictive_r2", "predictive_r2_managed", "ic", "rank_ic", "long_short_sharpe"):
        assert record[name] is None
        assert record[f"{name}_se"] is None
    assert record["total_r2"] > 0
    row = found.differences.query("model_a == 'ca1' and measure == 'predictive_r2'").iloc[0]
    assert np.isnan([row.difference, row.se, row.t]).all()


def test_dates_without_a_return_change_nothing(market, found, settings):
    table = predictions_of(market)
    newest = table[table["date"] == table["date"].max()].assign(
        date=pd.Timestamp("2019-01-31"), realised=np.nan, fitted=np.nan
    )
    longer = measure_predictions(
        pd.concat([table, newest], ignore_index=True), panel_of(market), settings
    )
    assert longer.metrics == found.metrics


def test_unknown_market_values_give_no_value_weighted_portfolio(market, settings):
    panel = panel_of(market)
    panel.market_equity[:] = np.nan
    try:
        record = measure_predictions(predictions_of(market), panel, settings).metrics[0]
    finally:
        panel.market_equity[:] = market.market_equity.reshape(-1)
    assert record["long_short_sharpe_vw"] is None
    assert record["long_short_sharpe"] is not None


def test_files_hold_what_was_promised(written):
    metrics = json.loads((written / "results/metrics.json").read_text())
    best = metrics_by_model(metrics)["ca1"]
    assert best["beta_correlation_1"] > 0.95
    assert best["beta_correlation_mean"] == pytest.approx(
        (best["beta_correlation_1"] + best["beta_correlation_2"]) / 2
    )
    truth = json.loads((written / "evaluation/truth.json").read_text())
    assert truth["known"]
    assert 0 < truth["oracle_total_r2"] < 1
    names = {path.name for path in (written / "evaluation").rglob("*.*")}
    assert names == {
        "fold_metrics.parquet",
        "differences.parquet",
        "portfolios.parquet",
        "truth.json",
        "metrics.json",
        "cumulative.csv",
        "fold_r2.csv",
        "loss.csv",
    }
    numbers = json.loads((written / "evaluation/metrics.json").read_text())
    assert numbers["ca1_2"]["total_r2"] == best["total_r2"]
    assert "model" not in numbers["ca1_2"]
    loss = pd.read_csv(written / "evaluation/plots/loss.csv")
    assert list(loss.columns) == ["epoch", "series", "training_loss", "validation_loss"]
    assert len(loss) == 12


def test_the_same_results_give_the_same_bytes(written, settings):
    before = content_hash(written / "evaluation"), content_hash(written / "results/metrics.json")
    run(written, settings)
    after = content_hash(written / "evaluation"), content_hash(written / "results/metrics.json")
    assert before == after


def test_without_truth_or_history(tmp_path, market, settings):
    write_results(tmp_path, market)
    metrics = evaluate(
        results=tmp_path / "results",
        panel=tmp_path / "panel/panel.parquet",
        truth=None,
        history=None,
        output=tmp_path / "evaluation",
        settings=settings,
    )
    assert "beta_correlation_mean" not in metrics[0]
    assert json.loads((tmp_path / "evaluation/truth.json").read_text()) == {"known": False}


def test_an_asset_from_another_panel_is_named(market, settings):
    table = predictions_of(market).replace({"asset": {"A07": "STRANGER"}})
    with pytest.raises(DataError, match="STRANGER"):
        measure_predictions(table, panel_of(market), settings)


def test_a_repeated_row_is_named(market, settings):
    table = predictions_of(market)
    with pytest.raises(DataError, match="more than one row"):
        measure_predictions(pd.concat([table, table.iloc[:1]]), panel_of(market), settings)


def test_nothing_realised_is_an_error(market, settings):
    table = predictions_of(market).assign(realised=np.nan)
    with pytest.raises(DataError, match="no test date has a realised return"):
        measure_predictions(table, panel_of(market), settings)
