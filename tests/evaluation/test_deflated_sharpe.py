import numpy as np
import pytest
from scipy import stats

from latentbeta.evaluation.deflated_sharpe import (
    deflated_sharpe_ratio,
    expected_best_sharpe,
    probability_above,
)


def with_moments(n, mean, spread):
    """n trials with exactly this mean and standard deviation."""
    trials = np.random.default_rng(0).normal(size=n)
    return mean + spread * (trials - trials.mean()) / trials.std(ddof=1)


@pytest.mark.parametrize(("n_trials", "probability"), [(100, 0.9004), (46, 0.9505)])
def test_the_example_of_the_paper(n_trials, probability):
    # Bailey and López de Prado (2014): Sharpe 2.5 a year from 1,250 days, skewness -3 and
    # kurtosis 10; the trials' ratios have a variance of one half a year.
    trials = with_moments(n_trials, 0.0, np.sqrt(0.5 / 250))
    threshold = expected_best_sharpe(trials)
    if n_trials == 100:
        assert threshold == pytest.approx(0.1132, abs=5e-5)
    found = probability_above(2.5 / np.sqrt(250), threshold, n_dates=1250, skewness=-3, kurtosis=10)
    assert found == pytest.approx(probability, abs=5e-4)


def test_the_expected_best_is_that_of_a_simulation():
    draws = np.random.default_rng(1).normal(0, 0.2, (20_000, 50))
    expected = draws.max(axis=1).mean()
    assert expected_best_sharpe(with_moments(50, 0.0, 0.2)) == pytest.approx(expected, rel=0.02)


def test_a_single_trial_is_held_against_zero():
    returns = np.random.default_rng(2).normal(0.05, 1, 400)
    sharpe = returns.mean() / returns.std(ddof=1)
    # Nearly normal returns: about the one-sided p-value of a t-test.
    found = deflated_sharpe_ratio(returns, np.array([sharpe, np.nan]))
    assert found == pytest.approx(stats.norm.cdf(sharpe * 20), abs=0.01)


def test_more_trials_make_less_of_the_same_returns():
    returns = np.append(np.random.default_rng(3).normal(0.1, 1, 400), np.nan)
    few, many = (deflated_sharpe_ratio(returns, with_moments(n, 0, 0.05)) for n in (3, 60))
    assert many < few


def test_what_does_not_exist():
    assert np.isnan(deflated_sharpe_ratio(np.full(20, 0.1), np.array([0.1, 0.2])))
    assert np.isnan(deflated_sharpe_ratio(np.array([0.1]), np.array([0.1, 0.2])))
    assert np.isnan(probability_above(2, 0, n_dates=100, skewness=3, kurtosis=2))
