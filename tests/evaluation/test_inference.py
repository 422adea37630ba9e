import numpy as np
import pytest

from latentbeta.evaluation.inference import diebold_mariano, resampled_dates, standard_error
from latentbeta.evaluation.measures import moments


def test_every_draw_has_as_many_dates_as_the_sample():
    weights = resampled_dates(17, draws=50, block=4.0, seed=1)
    np.testing.assert_array_equal(weights.sum(axis=1), 17)
    assert weights.std() > 0


def test_the_seed_alone_decides():
    one, same, other = (resampled_dates(20, draws=10, block=3.0, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_independent_dates_give_the_textbook_error_of_a_mean():
    series = np.random.default_rng(0).normal(0, 2, 400)
    draws = moments(series, resampled_dates(400, draws=2000, block=1.0, seed=5)).mean
    assert standard_error(draws) == pytest.approx(series.std() / 20, rel=0.05)


def test_blocks_widen_the_error_of_a_persistent_series():
    shocks = np.random.default_rng(0).normal(size=2000)
    series = np.zeros(2000)
    for t in range(1, 2000):
        series[t] = 0.8 * series[t - 1] + shocks[t]
    by_block = [
        standard_error(moments(series, resampled_dates(2000, draws=500, block=b, seed=5)).mean)
        for b in (1.0, 40.0)
    ]
    # The error of the mean of this process is five times that of white noise with its shocks.
    assert by_block[1] == pytest.approx(5 / np.sqrt(2000), rel=0.2)
    assert by_block[0] < 0.6 * by_block[1]


def test_the_error_of_a_difference_is_paired():
    draw = np.random.default_rng(3)
    common = draw.normal(0, 1, 200)
    a, b = common + 0.01 * draw.normal(size=200), common
    weights = resampled_dates(200, draws=500, block=3.0, seed=5)
    difference = moments(a, weights).mean - moments(b, weights).mean
    assert standard_error(difference) < 0.05 * standard_error(moments(a, weights).mean)


def test_mostly_missing_draws_have_no_error():
    assert np.isnan(standard_error(np.array([np.nan, np.nan, np.nan, 1.0])))


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
