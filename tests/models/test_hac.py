import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.stats.sandwich_covariance import S_hac_simple

from latentbeta.models.hac import automatic_lags, long_run_sums, newey_west_means

NAN = np.nan


def test_lags_by_hand():
    # 4 · (T / 100)^(2/9): 2^(2/9) = 1.167, (0.6)^(2/9) = 0.893, (54.02)^(2/9) = 2.426.
    np.testing.assert_array_equal(
        automatic_lags(np.array([0, 12, 60, 100, 200, 5402])), [0, 2, 3, 4, 4, 9]
    )


def test_a_sum_by_hand():
    # (1, -1, 2, -2): squares 10, neighbours -1 - 2 - 4 = -7 with weight 1/2, twice.
    scores = np.array([1.0, -1.0, 2.0, -2.0])[None, :, None]
    np.testing.assert_allclose(long_run_sums(scores, np.array([1])), [[[3.0]]])
    np.testing.assert_allclose(long_run_sums(scores, np.array([0])), [[[10.0]]])


def test_the_two_sides_of_a_gap_are_no_neighbours():
    # -1 and 2 are two periods apart now: neighbours are -1 - 4.
    scores = np.array([1.0, -1.0, 0.0, 2.0, -2.0])[None, :, None]
    np.testing.assert_allclose(long_run_sums(scores, np.array([1])), [[[5.0]]])


def test_each_series_has_its_own_lag():
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(3, 25, 2))
    lags = np.array([0, 4, 2])
    expected = [S_hac_simple(s, nlags=lag) for s, lag in zip(scores, lags, strict=True)]
    np.testing.assert_allclose(long_run_sums(scores, lags), expected, rtol=1e-12)


def test_as_slow_loops_say():
    rng = np.random.default_rng(2)
    s, lag = rng.normal(size=(12, 2)), 3
    expected = np.zeros((2, 2))
    for t in range(12):
        for u in range(12):
            if abs(t - u) <= lag:
                expected += (1 - abs(t - u) / (lag + 1)) * np.outer(s[t], s[u])
    np.testing.assert_allclose(long_run_sums(s[None], np.array([lag]))[0], expected, rtol=1e-12)


def test_a_mean_by_hand():
    found = newey_west_means(np.array([[6.0], [4.0], [7.0], [3.0]]), lag=1)
    np.testing.assert_allclose(found.means, [5.0])
    np.testing.assert_allclose(found.standard_errors, [np.sqrt(3.0) / 4])
    np.testing.assert_allclose(found.t_statistics, [20 / np.sqrt(3.0)])


@pytest.mark.parametrize("n_dates", [30, 250])
def test_means_as_statsmodels_says(n_dates):
    rng = np.random.default_rng(3)
    values = np.cumsum(rng.normal(size=(n_dates, 2)), axis=0) + 1.0
    found = newey_west_means(values)
    lag = int(automatic_lags(n_dates))
    for k in range(2):
        fit = sm.OLS(values[:, k], np.ones(n_dates)).fit(
            cov_type="HAC", cov_kwds={"maxlags": lag, "use_correction": False}
        )
        np.testing.assert_allclose(found.means[k], fit.params[0], rtol=1e-10)
        np.testing.assert_allclose(found.standard_errors[k], fit.bse[0], rtol=1e-10)
        np.testing.assert_allclose(found.t_statistics[k], fit.tvalues[0], rtol=1e-10)


def test_columns_are_known_on_dates_of_their_own_and_maybe_on_none():
    values = np.array([[1.0, NAN, NAN], [NAN, 2.0, NAN], [3.0, 4.0, NAN], [5.0, NAN, NAN]])
    found = newey_west_means(values, lag=0)
    np.testing.assert_allclose(found.means, [3.0, 3.0, NAN])
    np.testing.assert_allclose(found.standard_errors, [np.sqrt(8.0) / 3, np.sqrt(2.0) / 2, NAN])


def test_a_lag_longer_than_the_series_is_cut():
    found = newey_west_means(np.array([[1.0], [2.0]]), lag=9)
    np.testing.assert_allclose(found.standard_errors, [np.sqrt(0.5 - 2 * 0.25 * 0.5) / 2])
