import numpy as np
import pytest

from latentbeta.evaluation.measures import moments


def test_moments_of_a_resample_are_those_of_the_rows_drawn():
    draw = np.random.default_rng(1)
    series = np.where(draw.random(30) < 0.2, np.nan, draw.normal(0.5, 1, 30))
    weights = draw.integers(0, 3, (5, 30)).astype(float)
    found = moments(series, weights)
    for mean, variance, counts in zip(found.mean, found.variance, weights, strict=True):
        drawn = np.repeat(series, counts.astype(int))
        assert mean == pytest.approx(np.nanmean(drawn))
        assert variance == pytest.approx(np.nanvar(drawn, ddof=1))


def test_one_date_has_a_mean_but_no_variance():
    found = moments(np.array([0.3, np.nan]), np.ones((1, 2)))
    assert found.mean[0] == pytest.approx(0.3)
    assert np.isnan(found.variance[0])


def test_no_dates_have_neither():
    found = moments(np.full(3, np.nan), np.ones((1, 3)))
    assert np.isnan(found.mean[0])
    assert np.isnan(found.variance[0])
