import numpy as np
import pytest

from latentbeta.evaluation.performance import maximum_drawdown, sharpe_ratio

NAN = np.nan


def test_sharpe_ratio_is_annualised():
    ratio = sharpe_ratio(np.array([0.01, 0.01]), np.array([0.02**2, 0.0]), 12)
    assert ratio[0] == pytest.approx(0.5 * np.sqrt(12))
    assert np.isnan(ratio[1])


def test_drawdown_by_hand():
    # Wealth 1.1, 0.88, 0.968, 1.21, 0.605: from 1.1 to 0.88 a fifth, from 1.21 a half.
    assert maximum_drawdown(np.array([0.1, -0.2, 0.1, 0.25, -0.5])) == pytest.approx(0.5)
    assert maximum_drawdown(np.array([0.1, -0.2, 0.1])) == pytest.approx(0.2)


def test_the_beginning_is_a_peak():
    assert maximum_drawdown(np.array([-0.1, -0.1, 0.5])) == pytest.approx(0.19)


def test_rising_wealth_has_none_and_gaps_change_nothing():
    assert maximum_drawdown(np.array([0.1, NAN, 0.0, 0.2])) == 0
    assert maximum_drawdown(np.array([NAN, -0.3, NAN])) == pytest.approx(0.3)
    assert np.isnan(maximum_drawdown(np.array([NAN, NAN])))


def test_all_that_is_lost_stays_lost():
    assert maximum_drawdown(np.array([0.1, -1.5, 3.0, 2.0])) == 1


def test_many_series_at_once_as_a_slow_loop_says():
    returns = np.random.default_rng(0).normal(0.01, 0.1, (7, 50))
    for series, found in zip(returns, maximum_drawdown(returns), strict=True):
        wealth = peak = 1.0
        worst = 0.0
        for r in series:
            wealth *= 1 + r
            peak = max(peak, wealth)
            worst = max(worst, 1 - wealth / peak)
        assert found == pytest.approx(worst)
