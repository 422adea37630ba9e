import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.sandwich_covariance import cov_hac

from latentbeta.evaluation.newey_west import mean_test

NAN = np.nan


def persistent(n, rho, seed=0):
    shocks = np.random.default_rng(seed).normal(size=n)
    series = np.zeros(n)
    for t in range(1, n):
        series[t] = rho * series[t - 1] + shocks[t]
    return series


def test_white_noise_has_the_textbook_t_statistic():
    series = 0.1 + np.random.default_rng(0).normal(size=4000)
    found = mean_test(series)
    assert found.mean == pytest.approx(series.mean())
    assert found.t == pytest.approx(series.mean() / (series.std() / np.sqrt(4000)), rel=0.1)
    assert mean_test(-series).t == pytest.approx(-found.t)


def test_a_persistent_series_has_a_wider_error():
    # The error of the mean of this process is 1 / (1 - rho) times that of its shocks.
    found = mean_test(persistent(4000, 0.7))
    assert found.se == pytest.approx(1 / 0.3 / np.sqrt(4000), rel=0.15)


def test_bartlett_weights_by_a_slow_loop():
    series = persistent(120, 0.5) + 0.2
    deviation, n = series - series.mean(), len(series)
    bandwidth = bandwidth_of(deviation)
    variance = deviation @ deviation / n
    for lag in range(1, int(bandwidth) + 1):
        covariance = deviation[lag:] @ deviation[:-lag] / n
        variance += 2 * (1 - lag / (bandwidth + 1)) * covariance
    assert mean_test(series).se == pytest.approx(np.sqrt(variance / n), rel=1e-10)


def bandwidth_of(deviation):
    """Newey and West (1994): 1.1447 (α(1) T)^(1/3), lags to 4 (T/100)^(2/9) in α."""
    n = len(deviation)
    lags = int(np.ceil(4 * (n / 100) ** (2 / 9)))
    covariances = [deviation[j:] @ deviation[: n - j] / n for j in range(lags + 1)]
    level = covariances[0] + 2 * sum(covariances[1:])
    slope = 2 * sum(j * c for j, c in enumerate(covariances))
    return 1.1447 * ((slope / level) ** 2 * n) ** (1 / 3)


def test_as_statsmodels_says_at_the_same_whole_bandwidth(monkeypatch):
    series = persistent(200, 0.4) + 0.1
    lags = 5
    monkeypatch.setattr(
        "latentbeta.evaluation.newey_west.Bartlett",
        lambda x, kernel=mean_test.__globals__["Bartlett"]: kernel(x, bandwidth=lags),
    )
    fit = OLS(series, np.ones(200)).fit()
    expected = np.sqrt(cov_hac(fit, nlags=lags, use_correction=False)[0, 0])
    assert mean_test(series).se == pytest.approx(expected, rel=1e-10)


def test_gaps_are_left_out():
    series = persistent(60, 0.3)
    with_gaps = np.insert(series, [0, 10, 60], NAN)
    assert mean_test(with_gaps) == mean_test(series)


@pytest.mark.parametrize("series", [np.full(30, 0.1), np.arange(9.0)], ids=["alike", "few"])
def test_a_mean_without_an_error(series):
    found = mean_test(series)
    assert found.mean == pytest.approx(series.mean())
    assert np.isnan([found.se, found.t]).all()


def test_nothing_has_no_mean():
    assert np.isnan(mean_test(np.array([NAN, NAN]))).all()
