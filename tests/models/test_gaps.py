import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from latentbeta.errors import ConvergenceWarning
from latentbeta.models.gaps import likeliest_factors, moments_of_dates, second_moment_factors

NAN = np.nan


def returns_with_gaps(n_dates=40, n_assets=30, n_factors=2, noise=0.03, seed=50, late=0.5):
    """Returns of known factors; half of the assets list at some date of the first half."""
    rng = np.random.default_rng(seed)
    F = rng.normal(0, [0.08, 0.05, 0.03][:n_factors], (n_dates, n_factors))
    complete = F @ rng.normal(1, 1, (n_factors, n_assets)) + noise * rng.normal(
        size=(n_dates, n_assets)
    )
    R = complete.copy()
    for n in range(int(late * n_assets)):
        R[: rng.integers(n_dates // 2), n] = NAN
    return complete, R


def same_space(one, other):
    """The sine of the largest angle between two column spaces."""
    Q, P = np.linalg.qr(one)[0], np.linalg.qr(other)[0]
    return np.linalg.norm(P - Q @ (Q.T @ P), 2)


def log_likelihood(F, variance, R):
    """Of r = F b + u, asset by asset, from the normal density of the returns it has."""
    total = 0.0
    for r in R.T:
        seen = np.isfinite(r)
        covariance = F[seen] @ F[seen].T + variance * np.eye(seen.sum())
        total += multivariate_normal(np.zeros(seen.sum()), covariance).logpdf(r[seen])
    return total


def test_moments_of_dates_by_hand():
    R = np.array([[1.0, 2.0, NAN], [3.0, NAN, 5.0]])
    np.testing.assert_allclose(moments_of_dates(R), [[2.5, 3.0], [3.0, 17.0]])


@pytest.mark.parametrize("n_factors", [1, 3])
def test_without_gaps_both_ways_are_principal_components(n_factors):
    complete, _ = returns_with_gaps(n_factors=3)
    expected = np.linalg.svd(complete)[0][:, :n_factors]
    assert same_space(second_moment_factors(complete, n_factors), expected) < 1e-12
    found = likeliest_factors(complete, n_factors, tolerance=1e-12)
    assert same_space(found, expected) < 1e-10
    assert same_space(likeliest_factors(complete, n_factors), expected) < 1e-5


def test_no_factors_are_likelier():
    """The densities themselves, climbed by an optimiser that knows nothing of the steps."""
    _, R = returns_with_gaps(n_dates=6, n_assets=10, n_factors=1)

    def loss(parameters):
        return -log_likelihood(parameters[:-1, None], np.exp(parameters[-1]), R)

    found = likeliest_factors(R, 1, tolerance=1e-10)
    best = minimize(loss, np.append(found[:, 0] * 0.9 + 0.01, -6.0), options={"gtol": 1e-6})
    expected = best.x[:-1] * np.sign(best.x[0] * found[0, 0])
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-5)


def test_gaps_filled_with_the_truth_are_the_limit_of_little_noise():
    complete, R = returns_with_gaps(noise=1e-4)
    expected = np.linalg.svd(complete)[0][:, :2]
    assert same_space(likeliest_factors(R, 2), expected) < 1e-3


def test_late_listings_blur_the_factors_less_than_zeros_would():
    complete, R = returns_with_gaps(n_assets=60)
    truth = np.linalg.svd(complete)[0][:, :2]
    zeros = np.linalg.svd(np.nan_to_num(R))[0][:, :2]
    assert same_space(likeliest_factors(R, 2), truth) < 0.5 * same_space(zeros, truth)


def test_stopping_early_is_said_with_how_far_it_moves():
    _, R = returns_with_gaps()
    with pytest.warns(ConvergenceWarning, match=r"still move by \d\.\de-\d+ .* after 3 steps"):
        likeliest_factors(R, 2, tolerance=1e-12, max_iterations=3)
