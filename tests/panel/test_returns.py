"""Hand-worked excess returns over January to March 2021: 19, 19 and 23 sessions."""

import numpy as np
import pytest

from latentbeta.panel.periods import return_periods
from latentbeta.panel.returns import period_returns

N_DAYS = 61
FEBRUARY, MARCH = slice(19, 38), slice(38, 61)


def returns_of(market):
    return period_returns(market, return_periods(market, "monthly", calendar="XNYS"))[:, 0]


@pytest.fixture
def quoted(market_on):
    """Make a market of one asset from its daily returns; NaN closes where `gaps` says."""

    def make(returns, gaps=(), risk_free=0.0):
        daily, close = np.zeros((N_DAYS, 1)), np.full((N_DAYS, 1), 10.0)
        for day, value in returns.items():
            daily[day] = value
        for days in gaps:
            daily[days] = close[days] = np.nan
        return market_on(
            "2021-01-04",
            "2021-03-31",
            total_return=daily,
            close=close,
            risk_free=np.full(N_DAYS, risk_free),
        )

    return make


def test_days_after_the_formation_up_to_the_end_are_compounded(quoted):
    market = quoted({18: 0.5, 19: 0.10, 37: 0.20, 38: 0.40})
    np.testing.assert_allclose(returns_of(market), [0.32, 0.40, np.nan])


def test_the_risk_free_rate_is_compounded_and_taken_off(quoted):
    market = quoted({19: 0.10, 37: 0.20}, risk_free=0.001)
    expected = [1.32 - 1.001**19, 1.0 - 1.001**23, np.nan]
    np.testing.assert_allclose(returns_of(market), expected)


def test_a_gap_within_the_period_is_spanned_by_the_next_quote(quoted):
    market = quoted({25: 0.10}, gaps=[slice(20, 25)])
    np.testing.assert_allclose(returns_of(market), [0.10, 0.0, np.nan], atol=1e-15)


def test_a_delisted_asset_keeps_what_it_earned_and_then_the_risk_free_rate(quoted):
    """Day 22 is its last, the delisting return in it; 15 days of February remain."""
    market = quoted({20: 0.10, 22: -0.50}, gaps=[slice(23, N_DAYS)], risk_free=0.001)
    expected = [1.10 * 0.50 * 1.001**15 - 1.001**19, np.nan, np.nan]
    np.testing.assert_allclose(returns_of(market), expected)


def test_a_gap_over_the_end_puts_the_spanning_return_into_the_later_period(quoted):
    market = quoted({30: 0.10, 40: 0.20}, gaps=[slice(31, 40)])
    np.testing.assert_allclose(returns_of(market), [0.10, 0.20, np.nan])


def test_whether_quotes_resume_after_the_period_does_not_matter(quoted):
    resumed = quoted({30: 0.10}, gaps=[slice(31, 40)], risk_free=0.001)
    delisted = quoted({30: 0.10}, gaps=[slice(31, N_DAYS)], risk_free=0.001)
    assert returns_of(resumed)[:1].tobytes() == returns_of(delisted)[:1].tobytes()


def test_a_quote_with_an_unknown_return_makes_the_period_missing(quoted):
    market = quoted({19: 0.10, 30: np.nan})
    np.testing.assert_array_equal(returns_of(market), [np.nan, 0.0, np.nan])


def test_a_period_without_a_quote_is_missing(quoted):
    market = quoted({}, gaps=[FEBRUARY])
    np.testing.assert_array_equal(returns_of(market), [np.nan, 0.0, np.nan])


def test_a_total_loss_is_minus_one_less_the_risk_free_rate(quoted):
    market = quoted({45: -1.0}, gaps=[slice(46, N_DAYS)], risk_free=0.001)
    np.testing.assert_allclose(returns_of(market)[1], -(1.001**23))
