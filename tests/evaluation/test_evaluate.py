import json
import math

import numpy as np
import pandas as pd
import pytest
from tests.synthetic_results import (
    NOISE,
    Market,
    betas_of,
    factors_of,
    importance_table,
    monthly_settings,
    panel_of,
    predictions_of,
    write_results,
)

from latentbeta.errors import DataError
from latentbeta.evaluation.evaluate import evaluate, measure
from latentbeta.evaluation.measures import DRAWDOWNS, MEASURES, TURNOVERS
from latentbeta.evaluation.saved_results import SavedResults
from latentbeta.storage import content_hash

MODELS = list(NOISE)


@pytest.fixture(scope="module")
def settings():
    return monthly_settings()


@pytest.fixture(scope="module")
def market():
    return Market()


def measure_predictions(predictions, panel, settings):
    return measure(SavedResults(predictions=predictions), panel, settings)


@pytest.fixture(scope="module")
def found(market, settings):
    saved = SavedResults(
        predictions=predictions_of(market),
        betas=betas_of(market),
        factors=factors_of(market),
        importance=importance_table(),
    )
    return measure(saved, panel_of(market), settings)


def run(data, settings):
    return evaluate(
        results=data / "results",
        panel=data / "panel/panel.parquet",
        truth=data / "prices/truth",
        training=data / "training",
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
        for name in (*MEASURES, *TURNOVERS, *DRAWDOWNS):
            assert math.isfinite(record[name])
            assert record[f"{name}_se"] > 0
            assert record[f"{name}_low"] < record[f"{name}_high"]
        for name in (*MEASURES, *TURNOVERS):
            assert record[f"{name}_low"] < record[name] < record[f"{name}_high"]


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
    returns = found.tables["portfolios"].query("model == 'ca1'")["long_short"]
    expected = returns.mean() / returns.std() * np.sqrt(12)
    assert metrics_by_model(found.metrics)["ca1"]["long_short_sharpe"] == pytest.approx(expected)


def test_net_sharpe_ratio_pays_for_what_is_traded(found):
    rows = found.tables["portfolios"].query("model == 'ca1'")
    traded = 4 * rows["turnover"].fillna(0.5)  # two ends, bought and sold; the first is built
    net = rows["long_short"] - 0.001 * traded
    record = metrics_by_model(found.metrics)["ca1"]
    assert record["long_short_net_sharpe"] == pytest.approx(net.mean() / net.std() * np.sqrt(12))
    deciles = found.tables["deciles"].query("model == 'ca1' and portfolio == 'long_short'")
    assert list(deciles["net_sharpe"]) == pytest.approx(
        [record["long_short_net_sharpe"], record["long_short_net_sharpe_vw"]]
    )
    assert list(deciles["sharpe_se"]) == pytest.approx(
        [record["long_short_sharpe_se"], record["long_short_sharpe_vw_se"]]
    )
    assert list(deciles["drawdown"]) == pytest.approx(
        [record["long_short_drawdown"], record["long_short_drawdown_vw"]]
    )


def test_tangency_sharpe_ratio_is_that_of_the_saved_returns(found, market):
    returns = factors_of(market).query("model == 'ipca'")["tangency"].dropna()
    record = metrics_by_model(found.metrics)["ipca"]
    assert record["tangency_sharpe"] == pytest.approx(returns.mean() / returns.std() * np.sqrt(12))


def test_deflated_sharpe_ratios_know_how_many_were_tried(found, market, settings):
    records = metrics_by_model(found.metrics)
    alone = measure_predictions(
        predictions_of(market).query("model == 'ca1'"), panel_of(market), settings
    ).metrics[0]
    assert alone["long_short_sharpe"] == records["ca1"]["long_short_sharpe"]
    assert records["ca1"]["long_short_deflated_sharpe"] < alone["long_short_deflated_sharpe"]
    assert 0 < records["pca"]["tangency_deflated_sharpe"] < 1
    assert alone["tangency_deflated_sharpe"] is None


def test_pricing_errors_are_counted_from_their_table(found):
    table = found.tables["pricing_errors"]
    assert list(table["portfolio"].iloc[:5]) == ["c0", "c1", "c2", "c3", "constant"]
    for record in found.metrics:
        mine = table[table["model"] == record["model"]]
        assert record["n_portfolios"] == 5
        assert record["n_pricing_errors"] == (mine["alpha_t"].abs() > 3).sum()
        assert record["mean_abs_alpha"] == pytest.approx(mine["alpha"].abs().mean())
        assert record["mean_abs_alpha_se"] > 0


def test_the_attribution_of_the_long_short_portfolio_is_of_its_saved_returns(found):
    table = found.tables["attribution"]
    assert list(table.columns[4:]) == ["factor_1", "factor_2", "specific", "total"]
    portfolios = found.tables["portfolios"]
    for model in MODELS:
        mine = table[(table["model"] == model) & (table["portfolio"] == "long_short")]
        saved = portfolios.loc[portfolios["model"] == model, "long_short"]
        np.testing.assert_allclose(mine["total"], saved, rtol=0, atol=1e-15)
    parts = table[["factor_1", "factor_2", "specific"]].sum(axis=1)
    np.testing.assert_allclose(parts, table["total"], rtol=0, atol=1e-16)


def test_every_model_has_its_premia_and_importances(found):
    assert found.tables["premia"].groupby("model").size().to_dict() == dict.fromkeys(MODELS, 2)
    importance = found.tables["importance"]
    assert importance.groupby("model")["share"].sum().to_numpy() == pytest.approx(1)
    assert set(importance["model"]) == {"ipca", "ca1"}


def test_results_without_published_factors_still_have_every_table(market, settings):
    found = measure_predictions(predictions_of(market), panel_of(market), settings)
    assert found.metrics[0]["tangency_sharpe"] is None
    assert found.tables["premia"]["mean"].isna().all()
    table = found.tables["attribution"]
    assert table["specific"].isna().all()
    assert table["total"].notna().all()


def test_models_with_other_numbers_of_factors_share_one_table(market, settings):
    one_factor = {"observed_factors": 1}
    tables = [
        table.assign(n_factors=table["model"].map(one_factor).fillna(2).astype(int))
        for table in (predictions_of(market), betas_of(market), factors_of(market))
    ]
    saved = SavedResults(predictions=tables[0], betas=tables[1], factors=tables[2])
    table = measure(saved, panel_of(market), settings).tables["attribution"]
    assert list(table.columns[4:]) == ["factor_1", "factor_2", "specific", "total"]
    assert table.loc[table["n_factors"] == 1, "factor_2"].isna().all()
    assert table.loc[table["n_factors"] == 2, "factor_2"].notna().all()


def test_returns_that_come_later_change_no_earlier_part(found, market, settings):
    later = Market()
    later.returns[-6:] += 0.5
    saved = SavedResults(
        predictions=predictions_of(later), betas=betas_of(market), factors=factors_of(market)
    )
    other = measure(saved, panel_of(later), settings)
    for name in ("portfolios", "attribution"):
        earlier = [
            table[table["date"] < market.dates[-6]]
            for table in (found.tables[name], other.tables[name])
        ]
        pd.testing.assert_frame_equal(*earlier, check_exact=True)


def test_fold_metrics_are_those_of_the_fold_alone(found, market):
    table = predictions_of(market).query("model == 'ipca' and fold == 1").dropna()
    row = found.tables["fold_metrics"].query("model == 'ipca' and fold == 1").iloc[0]
    error = ((table.realised - table.fitted) ** 2).sum()
    assert row.total_r2 == pytest.approx(1 - error / (table.realised**2).sum())
    assert row.n_observations == len(table)
    assert str(row.first_date.date()) == "2017-01-31"


def test_differences_are_of_the_table_and_paired(found):
    metrics = metrics_by_model(found.metrics)
    table = (
        found.tables["differences"]
        .query("model_a == 'ca1' and model_b == 'ipca'")
        .set_index("measure")
    )
    row = table.loc["total_r2"]
    assert row.difference == pytest.approx(metrics["ca1"]["total_r2"] - metrics["ipca"]["total_r2"])
    assert row.t == pytest.approx(row.difference / row.se)
    assert row.t > 2
    assert row.diebold_mariano > 2
    assert row.se < metrics["ca1"]["total_r2_se"]
    assert np.isnan(table.loc["ic", "diebold_mariano"])
    assert len(found.tables["differences"]) == 6 * len(MEASURES)


def test_models_that_cover_different_rows_are_compared_on_the_common_ones(market, settings):
    table = predictions_of(market)
    half = table["asset"] < "A20"
    gone = (table["model"] == "ca1") & ~half
    partial = table.assign(fitted=table["fitted"].mask(gone), forecast=table["forecast"].mask(gone))
    of_half = measure_predictions(table[half], panel_of(market), settings)
    of_partial = measure_predictions(partial, panel_of(market), settings)
    query = "model_a == 'ca1' and model_b == 'ipca'"
    pd.testing.assert_frame_equal(
        of_half.tables["differences"].query(query), of_partial.tables["differences"].query(query)
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
    row = (
        found.tables["differences"].query("model_a == 'ca1' and measure == 'predictive_r2'").iloc[0]
    )
    assert np.isnan([row.difference, row.se, row.t]).all()


def test_dates_without_a_return_change_nothing(market, settings):
    table = predictions_of(market)
    found = measure_predictions(table, panel_of(market), settings)
    newest = table[table["date"] == table["date"].max()].assign(
        date=pd.Timestamp("2019-01-31"), realised=np.nan, fitted=np.nan
    )
    longer = measure_predictions(
        pd.concat([table, newest], ignore_index=True), panel_of(market), settings
    )
    assert longer.metrics == found.metrics


def test_an_asset_without_a_return_is_sorted_like_the_others(market, settings):
    rows = predictions_of(market).query("model == 'ca1'")
    saved = measure_predictions(rows, panel_of(market), settings).tables["portfolios"]
    forecast = rows["forecast"].to_numpy().reshape(market.returns.shape)
    lost = 0
    for t, order in enumerate(np.argsort(forecast, axis=1)):
        low, high = market.returns[t, order[:4]], market.returns[t, order[-4:]]
        lost += np.isnan([low, high]).sum()
        assert saved["long_short"][t] == pytest.approx(np.nanmean(high) - np.nanmean(low))
    assert lost


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
        "deciles.parquet",
        "pricing_errors.parquet",
        "premia.parquet",
        "importance.parquet",
        "attribution.parquet",
        "truth.json",
        "metrics.json",
        "cumulative.csv",
        "fold_r2.csv",
        "loss.csv",
    }
    numbers = json.loads((written / "evaluation/metrics.json").read_text())
    assert numbers["ca1_2"]["total_r2"] == best["total_r2"]
    assert "model" not in numbers["ca1_2"]
    assert not any(name.endswith(("_low", "_high")) for name in numbers["ca1_2"])
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
        training=None,
        output=tmp_path / "evaluation",
        settings=settings,
    )
    assert "beta_correlation_mean" not in metrics[0]
    assert pd.read_parquet(tmp_path / "evaluation/importance.parquet").empty
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
