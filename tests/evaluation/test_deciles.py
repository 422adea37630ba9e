import numpy as np
import pytest
from tests.synthetic_results import Market

from latentbeta.evaluation.deciles import deciles_of
from latentbeta.evaluation.ladder import ModelKey
from latentbeta.evaluation.portfolios import sort_portfolios
from latentbeta.evaluation.resampling import resampled_dates

KEY = ModelKey("ca1", 2)


def described(market, cost=0.002):
    forecast = market.betas @ market.premium
    held = sort_portfolios(market.returns, forecast, market.market_equity, quantile=0.1)
    weights = resampled_dates(len(forecast), draws=300, block=1.0, seed=3).weights
    return held, deciles_of(KEY, held, weights, cost=cost, periods_per_year=12)


def test_one_row_a_portfolio_and_weighting():
    _, table = described(Market())
    names = [f"portfolio_{q}" for q in range(1, 11)] + ["long_short"]
    assert list(table["portfolio"]) == names * 2
    assert list(table["weighting"]) == ["equal"] * 11 + ["value"] * 11
    assert set(table["model"]) == {"ca1"}


@pytest.mark.parametrize("weighting", ["equal", "value"])
@pytest.mark.parametrize("place", [0, 9, 10], ids=["lowest", "highest", "long-short"])
def test_numbers_are_those_of_the_returns(weighting, place):
    held, table = described(Market())
    holdings = getattr(held, weighting)
    returns = holdings.returns[:, place]
    net = returns - 0.002 * holdings.traded[:, place]
    row = table[table["weighting"] == weighting].iloc[place]
    assert row["mean"] == pytest.approx(12 * returns.mean())
    assert row["volatility"] == pytest.approx(np.sqrt(12) * returns.std(ddof=1))
    assert row["sharpe"] == pytest.approx(row["mean"] / row["volatility"])
    assert row["net_sharpe"] == pytest.approx(np.sqrt(12) * net.mean() / net.std(ddof=1))
    assert row["net_sharpe"] < row["sharpe"]
    assert row["turnover"] == pytest.approx(np.nanmean(holdings.turnover[:, place]))
    assert 0 < row["drawdown"] < 1


def test_the_error_is_about_the_textbook_one():
    _, table = described(Market())
    # Lo (2002), independent returns: √((1 + SR²/2) / T) per period.
    per_period = table["sharpe"] / np.sqrt(12)
    expected = np.sqrt((1 + per_period**2 / 2) / 36 * 12)
    assert (table["sharpe_se"] / expected).between(0.6, 1.6).all()


def test_without_costs_nothing_is_lost():
    _, table = described(Market(), cost=0.0)
    np.testing.assert_array_equal(table["net_sharpe"], table["sharpe"])


def test_without_market_values_the_value_weighted_rows_are_empty():
    market = Market()
    market.market_equity[:] = np.nan
    _, table = described(market)
    numbers = table[table["weighting"] == "value"].iloc[:, 4:]
    assert numbers.isna().all(axis=None)
