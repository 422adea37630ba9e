import numpy as np
import pytest
from tests.synthetic_results import Market

from latentbeta.evaluation.portfolios import portfolio_of, sort_portfolios

NAN = np.nan


def test_portfolios_by_hand():
    np.testing.assert_array_equal(portfolio_of(np.array([5.0, NAN, 1, 4, 2]), 2), [1, -1, 0, 1, 0])


def test_ties_go_by_place():
    np.testing.assert_array_equal(portfolio_of(np.array([1.0, 1, 1, 2]), 2), [0, 0, 1, 1])


@pytest.mark.parametrize("forecast", [[1.0, NAN, NAN], [2.0, 2.0, 2.0]], ids=["too few", "alike"])
def test_no_sort(forecast):
    np.testing.assert_array_equal(portfolio_of(np.array(forecast), 2), -1)


def test_long_short_by_hand():
    forecast = np.array([[1.0, 2, 3, 4], [4.0, 3, 2, 1]])
    realised = np.array([[0.1, NAN, 0.2, 0.6], [0.0, 0.2, 0.4, 0.0]])
    value = np.array([[1.0, 1, 3, 1], [1.0, 3, NAN, 1]])
    found = sort_portfolios(realised, forecast, value, quantile=0.5)
    # First date: (0.2 + 0.6) / 2 less 0.1, the asset without a return left out.
    np.testing.assert_allclose(found.quantiles, [[0.1, 0.4], [0.2, 0.1]])
    np.testing.assert_allclose(found.long_short, [0.3, -0.1])
    np.testing.assert_allclose(found.long_short_vw, [(0.6 + 0.6) / 4 - 0.1, 0.6 / 4 - 0.0])
    # Every holding changes sides: all of both ends is replaced.
    np.testing.assert_allclose(found.turnover, [NAN, 1.0])


def test_turnover_counts_the_drift_of_the_weights():
    forecast = np.array([[1.0, 2, 3, 4]] * 2)
    realised = np.array([[0.0, 0.0, 1.0, 0.0]] * 2)
    found = sort_portfolios(realised, forecast, np.ones((2, 4)), quantile=0.5)
    # The top end drifted to (2/3, 1/3), the bottom end stayed: mean of 1/6 and 0.
    assert found.turnover[1] == pytest.approx(1 / 12)


def test_without_market_values_there_is_no_value_weighting():
    market = Market()
    forecast = market.betas @ market.premium
    found = sort_portfolios(
        market.returns, forecast, np.full_like(market.returns, NAN), quantile=0.1
    )
    assert np.isnan(found.long_short_vw).all()
    assert np.isfinite(found.long_short).all()


def test_deciles_as_a_slow_loop_says():
    market = Market()
    forecast = market.betas @ market.premium
    found = sort_portfolios(market.returns, forecast, market.market_equity, quantile=0.1)
    for t in range(len(forecast)):
        order = np.argsort(forecast[t])
        for q in range(10):
            members = order[q * 4 : q * 4 + 4]
            assert found.quantiles[t, q] == pytest.approx(np.nanmean(market.returns[t, members]))


def test_choice_does_not_look_at_the_return_to_come():
    market = Market()
    forecast = market.betas @ market.premium
    full = np.nan_to_num(market.returns, nan=0.01)
    gap = full.copy()
    best = np.argsort(forecast[0])[-1]
    gap[0, best] = NAN
    one = sort_portfolios(full, forecast, market.market_equity, quantile=0.1)
    other = sort_portfolios(gap, forecast, market.market_equity, quantile=0.1)
    np.testing.assert_array_equal(one.quantiles[0, :-1], other.quantiles[0, :-1])


def test_costs_by_hand():
    forecast = np.array([[1.0, 2, 3, 4]] * 2)
    realised = np.array([[0.0, 0.0, 1.0, 0.0]] * 2)
    found = sort_portfolios(realised, forecast, np.ones((2, 4)), quantile=0.5).equal
    # First both ends are built; then the top end, drifted to (2/3, 1/3), sells and buys 1/6 each.
    np.testing.assert_allclose(found.traded, [[1, 1, 2], [0, 1 / 3, 1 / 3]], atol=1e-15)
    np.testing.assert_allclose(
        found.net_of(0.01), [[-0.01, 0.49, 0.48], [0, 0.5 - 0.01 / 3, 0.5 - 0.01 / 3]], atol=1e-15
    )


def test_a_portfolio_that_comes_back_is_built_anew():
    forecast = np.array([[1.0, 2], [1.0, 1], [1.0, 2]])
    found = sort_portfolios(np.zeros((3, 2)), forecast, np.ones((3, 2)), quantile=0.5).equal
    np.testing.assert_array_equal(found.turnover, NAN)
    np.testing.assert_array_equal(found.traded, [[1, 1, 2], [NAN] * 3, [1, 1, 2]])


@pytest.mark.parametrize("weighting", ["equal", "value"])
def test_turnover_as_a_slow_loop_says(weighting):
    market = Market()
    forecast = market.betas @ market.premium
    forecast = np.where(np.random.default_rng(2).random(forecast.shape) < 0.1, NAN, forecast)
    value = market.market_equity if weighting == "value" else np.ones(forecast.shape)
    found = sort_portfolios(market.returns, forecast, market.market_equity, quantile=0.2)
    drifted = [{} for _ in range(5)]
    for t in range(len(forecast)):
        for q, before in enumerate(drifted):
            members = np.flatnonzero(found.places[t] == q)
            weight = {i: value[t, i] / value[t, members].sum() for i in members}
            traded = sum(
                abs(weight.get(i, 0.0) - before.get(i, 0.0)) for i in weight.keys() | before.keys()
            )
            held = getattr(found, weighting)
            assert held.traded[t, q] == pytest.approx(traded)
            if t:
                assert held.turnover[t, q] == pytest.approx(traded / 2)
            grown = {i: w * (1 + np.nan_to_num(market.returns[t, i])) for i, w in weight.items()}
            drifted[q] = {i: w / sum(grown.values()) for i, w in grown.items()}


def test_value_weighted_deciles_as_a_slow_loop_says():
    market = Market()
    forecast = market.betas @ market.premium
    found = sort_portfolios(market.returns, forecast, market.market_equity, quantile=0.1)
    for t in range(len(forecast)):
        for q in range(10):
            members = (found.places[t] == q) & np.isfinite(market.returns[t])
            weight = market.market_equity[t, members]
            expected = np.average(market.returns[t, members], weights=weight)
            assert found.value.returns[t, q] == pytest.approx(expected)
