import numpy as np
import pytest

from latentbeta.evaluation.inference import diebold_mariano, interval, standard_error
from latentbeta.evaluation.measures import moments
from latentbeta.evaluation.resampling import resampled_dates


def weights_of(n_dates, draws, block):
    return resampled_dates(n_dates, draws=draws, block=block, seed=5).weights


def test_independent_dates_give_the_textbook_error_of_a_mean():
    series = np.random.default_rng(0).normal(0, 2, 400)
    draws = moments(series, weights_of(400, 2000, 1.0)).mean
    assert standard_error(draws) == pytest.approx(series.std() / 20, rel=0.05)


def test_blocks_widen_the_error_of_a_persistent_series():
    shocks = np.random.default_rng(0).normal(size=2000)
    series = np.zeros(2000)
    for t in range(1, 2000):
        series[t] = 0.8 * series[t - 1] + shocks[t]
    by_block = [standard_error(moments(series, weights_of(2000, 500, b)).mean) for b in (1.0, 40.0)]
    # The error of the mean of this process is five times that of white noise with its shocks.
    assert by_block[1] == pytest.approx(5 / np.sqrt(2000), rel=0.2)
    assert by_block[0] < 0.6 * by_block[1]


def test_the_error_of_a_difference_is_paired():
    draw = np.random.default_rng(3)
    common = draw.normal(0, 1, 200)
    a, b = common + 0.01 * draw.normal(size=200), common
    weights = weights_of(200, 500, 3.0)
    difference = moments(a, weights).mean - moments(b, weights).mean
    assert standard_error(difference) < 0.05 * standard_error(moments(a, weights).mean)


def test_mostly_missing_draws_have_neither_error_nor_interval():
    draws = np.array([np.nan, np.nan, np.nan, 1.0])
    assert np.isnan(standard_error(draws))
    assert np.isnan(interval(draws)).all()


def test_the_interval_holds_the_middle_95_in_a_hundred_draws():
    draws = np.append(np.arange(1001.0), np.nan)
    assert interval(draws) == pytest.approx((25, 975))


def test_the_interval_of_a_mean_is_the_textbook_one():
    series = np.random.default_rng(0).normal(0.3, 2, 400)
    draws = moments(series, weights_of(400, 4000, 1.0)).mean
    expected = series.mean() + np.array([-1.96, 1.96]) * series.std() / 20
    assert interval(draws) == pytest.approx(expected, abs=0.02)


def test_diebold_mariano_of_white_noise_is_a_t_statistic():
    draw = np.random.default_rng(0)
    count = np.full(500, 10.0)
    gain = 0.1 + draw.normal(size=500)
    found = diebold_mariano(np.ones(500) * 10, 10 * (1 + gain), count)
    assert found == pytest.approx(gain.mean() / (gain.std() / np.sqrt(500)), rel=0.15)
    assert diebold_mariano(10 * (1 + gain), np.ones(500) * 10, count) == pytest.approx(-found)


def test_diebold_mariano_needs_dates_and_a_difference():
    same = np.ones(30)
    assert np.isnan(diebold_mariano(same, same, same))
    assert np.isnan(diebold_mariano(same, same * np.arange(30), np.eye(30)[0]))
