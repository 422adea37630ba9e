import numpy as np
import pytest
from tests.synthetic_results import Market

from latentbeta.evaluation.attribution import (
    as_table,
    attribute,
    long_short_weights,
    market_weights,
    summary_of,
)
from latentbeta.evaluation.newey_west import mean_test
from latentbeta.evaluation.portfolios import sort_portfolios

NAN = np.nan


def test_by_hand():
    weights = np.array([[0.5, -0.5, 1.0]])
    realised = np.array([[0.1, 0.2, NAN]])
    betas = np.array([[[1.0, 2.0], [0.5, NAN], [1.0, 1.0]]])
    factors = np.array([[0.04, 0.02]])
    found = attribute(weights, realised, betas, factors)
    # The third has no return; the second no beta on the second factor.
    np.testing.assert_allclose(found.factors, [[(0.5 - 0.25) * 0.04, 0.5 * 2.0 * 0.02]])
    np.testing.assert_allclose(found.total, [0.05 - 0.1])
    np.testing.assert_allclose(found.specific, [-0.05 - 0.01 - 0.02])


def test_parts_add_up_and_are_a_slow_loops():
    market = Market()
    weights = np.random.default_rng(1).normal(size=market.returns.shape)
    found = attribute(weights, market.returns, market.betas, market.factors)
    np.testing.assert_allclose(
        found.factors.sum(axis=1) + found.specific, found.total, rtol=0, atol=1e-15
    )
    for t in range(len(market.dates)):
        total, parts = 0.0, np.zeros(2)
        for i in range(len(market.assets)):
            if np.isfinite(market.returns[t, i]):
                total += weights[t, i] * market.returns[t, i]
                parts += weights[t, i] * market.betas[t, i] * market.factors[t]
        assert found.total[t] == pytest.approx(total)
        assert found.factors[t] == pytest.approx(parts)


def test_turning_the_factors_leaves_the_specific_part():
    market = Market()
    turn = np.array([[0.6, 0.8], [-0.8, 0.6]])
    weights = market_weights(market.returns)
    one = attribute(weights, market.returns, market.betas, market.factors)
    other = attribute(weights, market.returns, market.betas @ turn, market.factors @ turn)
    np.testing.assert_allclose(one.specific, other.specific, atol=1e-15)
    assert not np.allclose(one.factors, other.factors)


def test_nothing_held_is_nothing_and_unknown_factors_leave_the_total():
    realised, betas = np.array([[0.1], [0.1]]), np.ones((2, 1, 1))
    found = attribute(np.array([[0.0], [1.0]]), realised, betas, np.array([[0.1], [NAN]]))
    np.testing.assert_array_equal(found.total, [NAN, 0.1])
    np.testing.assert_array_equal(found.specific, [NAN, NAN])


def test_the_weights_are_those_of_the_portfolios():
    market = Market()
    forecast = market.betas @ market.premium
    forecast[3] = 1.0  # no sort
    held = sort_portfolios(market.returns, forecast, market.market_equity, quantile=0.1)
    weights = long_short_weights(market.returns, held.places, held.n_portfolios)
    found = attribute(weights, market.returns, market.betas, market.factors)
    np.testing.assert_allclose(found.total, held.long_short, rtol=0, atol=1e-15)
    np.testing.assert_allclose(
        attribute(
            market_weights(market.returns), market.returns, market.betas, market.factors
        ).total,
        np.nanmean(market.returns, axis=1),
    )


def test_the_table_names_its_parts():
    market = Market()
    weights = market_weights(market.returns)
    found = attribute(weights, market.returns, market.betas, market.factors)
    table = as_table(found, market.dates.to_numpy())
    assert list(table.columns) == ["date", "factor_1", "factor_2", "specific", "total"]


def test_the_summary_is_a_year_of_each_part():
    market = Market()
    weights = market_weights(market.returns)
    found = attribute(weights, market.returns, market.betas, market.factors)
    table = as_table(found, market.dates.to_numpy())
    summary = summary_of(table, 12).set_index("part")
    assert list(summary.index) == ["factor_1", "factor_2", "specific", "total"]
    parts = summary.loc[["factor_1", "factor_2", "specific"], "mean"].sum()
    assert parts == pytest.approx(summary.loc["total", "mean"])
    assert summary.loc["total", "mean"] == pytest.approx(12 * found.total.mean())
    expected = np.sqrt(12) * found.factors[:, 0].std(ddof=1)
    assert summary.loc["factor_1", "volatility"] == pytest.approx(expected)
    assert summary.loc["factor_1", "t"] == pytest.approx(mean_test(found.factors[:, 0]).t)
