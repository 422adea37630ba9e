import math

import numpy as np
import pytest

from latentbeta.characteristics import risk
from latentbeta.characteristics.weekly import weekly_returns, weekly_rows

T = np.array([799])


def returns_at_week_ends(weekly):
    """Daily returns (800, N) that happen on the last day of each week before day 799."""
    daily = np.zeros((800, weekly.shape[1]))
    daily[4::5] = weekly
    return daily


def test_maximum_is_of_daily_returns(steady_market):
    returns = np.full((800, 1), 0.01)  # 21 of them compound to 23 %
    returns[780], returns[778] = 0.04, 0.5
    assert risk.maxret(steady_market(800, total_return=returns), T)[0, 0] == 0.04


def test_volatility_of_daily_returns(steady_market):
    returns = np.zeros((800, 1))
    returns[799] = 0.21  # mean 0.01
    expected = math.sqrt((0.20**2 + 20 * 0.01**2) / 20)
    value = risk.retvol(steady_market(800, total_return=returns), T)[0, 0]
    assert value == pytest.approx(expected)


def test_betas_of_assets_that_move_by_half_and_by_one_and_a_half(steady_market):
    followed = np.random.default_rng(0).normal(0.0, 0.02, (160, 1))
    market = steady_market(800, 2, total_return=returns_at_week_ends(followed * [0.5, 1.5]))
    np.testing.assert_allclose(risk.beta(market, T), [[0.5, 1.5]])
    np.testing.assert_allclose(risk.betasq(market, T), [[0.25, 2.25]])
    np.testing.assert_allclose(risk.idiovol(market, T), [[0.0, 0.0]], atol=1e-15)
    np.testing.assert_allclose(risk.pricedelay(market, T), [[0.0, 0.0]], atol=1e-12)


def test_idiosyncratic_volatility_is_that_of_the_residual(steady_market):
    """Noise that sums to zero over two assets leaves the market clean of it."""
    signs = np.tile([1.0, 1.0, -1.0, -1.0], 39)
    noise = np.tile([1.0, -1.0, -1.0, 1.0], 39) * 0.03  # orthogonal to the market
    weekly = np.zeros((160, 2))
    weekly[4:] = np.column_stack([signs * 0.02 + noise, signs * 0.02 - noise])
    market = steady_market(800, 2, total_return=returns_at_week_ends(weekly))
    np.testing.assert_allclose(risk.beta(market, T), [[1.0, 1.0]])
    np.testing.assert_allclose(risk.idiovol(market, T), 0.03 * math.sqrt(156 / 155))


def test_an_asset_that_follows_a_week_late_has_the_larger_delay(steady_market):
    leader = np.random.default_rng(1).normal(0.0, 0.02, 160)
    late = np.append(0.0, leader[:-1])
    weekly = np.column_stack([leader, leader, leader, late])
    market = steady_market(800, 4, total_return=returns_at_week_ends(weekly))
    delay = risk.pricedelay(market, T)[0]
    assert ((delay >= 0) & (delay <= 1)).all()
    assert delay[3] > 0.5
    assert delay[:3].max() < 0.5


def test_a_market_that_does_not_move_has_no_beta(steady_market):
    market = steady_market(800, 2)
    for function in (risk.beta, risk.idiovol, risk.pricedelay):
        assert np.isnan(function(market, T)).all()


def test_beta_needs_a_year_of_weeks(steady_market):
    returns = np.random.default_rng(2).normal(0.0, 0.02, (300, 3))
    market = steady_market(300, 3, total_return=returns)
    value = risk.beta(market, np.array([258, 259]))  # 51 and 52 weeks
    assert np.isnan(value[0]).all()
    assert np.isfinite(value[1]).all()


def test_a_week_compounds_its_five_days(steady_market):
    returns = np.zeros((20, 1))
    returns[6], returns[10] = 0.10, 0.20
    weekly = weekly_returns(steady_market(20, total_return=returns))
    assert weekly.known[:, 0].tolist() == [False] * 4 + [True] * 16
    days = [5, 6, 9, 10, 11, 14, 15]
    np.testing.assert_allclose(weekly.values[days, 0], [0, 0.1, 0.1, 0.32, 0.2, 0.2, 0])


def test_weeks_are_counted_back_from_the_formation():
    np.testing.assert_array_equal(weekly_rows(23, first=4), [8, 13, 18, 23])
    assert len(weekly_rows(2_000, first=4)) == 156
