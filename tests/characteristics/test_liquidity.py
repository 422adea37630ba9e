import math

import numpy as np
import pytest

from latentbeta.characteristics import liquidity, size

T = np.array([99])


def test_turnover_and_size_do_not_change_with_a_split(steady_market):
    """Two for one on day 80: volume and shares double, the price halves."""
    volume, shares, close = np.full((3, 100, 1), [[[1_000.0]], [[50_000.0]], [[20.0]]])
    volume[80:], shares[80:], close[80:] = 2_000.0, 100_000.0, 10.0
    market = steady_market(100, volume=volume, shares=shares, close=close)
    assert liquidity.turn(market, T)[0, 0] == pytest.approx(0.02)
    assert liquidity.std_turn(market, T)[0, 0] == pytest.approx(0.0, abs=1e-15)
    assert liquidity.std_dolvol(market, T)[0, 0] == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(size.mvel1(market, np.array([79, 80])), math.log(1e6))


def test_turnover_spans_three_months_and_its_volatility_one(steady_market):
    volume = np.full((100, 1), 1_000.0)
    volume[99 - 62], volume[99 - 63] = 64_000.0, 9e9
    market = steady_market(100, volume=volume)
    assert liquidity.turn(market, T)[0, 0] == pytest.approx((62 * 0.01 + 0.64) / 63)
    assert liquidity.std_turn(market, T)[0, 0] == pytest.approx(0.0, abs=1e-15)


def test_volatility_of_turnover(steady_market):
    volume = np.full((100, 1), 1_000.0)
    volume[99] = 22_000.0  # one of 21 days lies 0.21 above the other twenty
    market = steady_market(100, volume=volume)
    expected = math.sqrt((0.20**2 + 20 * 0.01**2) / 20)
    assert liquidity.std_turn(market, T)[0, 0] == pytest.approx(expected)


def test_dollar_volume_is_that_of_the_month_before_the_last(steady_market):
    volume = np.full((100, 1), 9e9)
    volume[99 - 41 : 99 - 20] = 500.0
    assert liquidity.dolvol(steady_market(100, volume=volume), T)[0, 0] == math.log(5_000.0)


def test_days_without_trade_are_left_out_of_illiquidity(steady_market):
    returns, volume = np.full((100, 1), 0.02), np.full((100, 1), 1_000.0)
    returns[::2] *= -1
    volume[95] = 0.0
    market = steady_market(100, total_return=returns, volume=volume)
    assert liquidity.ill(market, T)[0, 0] == pytest.approx(0.02 / 10_000)


def test_zero_trading_days_with_liu_s_tie_break(steady_market):
    volume = np.full((100, 3), 1_000.0)
    volume[90:93, 0] = 0.0
    volume[:, 1] = 0.0
    volume[90:93, 2] = np.nan
    market = steady_market(100, 3, volume=volume)
    value = liquidity.zerotrade(market, T)[0]
    assert value[0] == pytest.approx(3 + 1 / (480_000 * 0.18))
    assert value[1] == 22.0  # never traded: every day, and the largest tie-break
    assert value[2] == pytest.approx(1 / (480_000 * 0.18) * 21 / 18)


def test_spread_is_the_range_over_the_midpoint(steady_market):
    market = steady_market(100, high=np.full((100, 1), 11.0), low=np.full((100, 1), 9.0))
    assert liquidity.baspread(market, T)[0, 0] == pytest.approx(0.2)


def test_size_is_that_of_the_date_and_at_most_five_sessions_old(steady_market):
    close = np.full((100, 2), 10.0)
    close[96:, 0] = close[95:, 1] = np.nan
    value = size.market_equity(steady_market(100, 2, close=close), T)
    np.testing.assert_array_equal(value, [[1e6, np.nan]])
