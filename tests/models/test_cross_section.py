import numpy as np
import pytest
import statsmodels.api as sm

from latentbeta.errors import ConvergenceWarning
from latentbeta.models import cross_section
from latentbeta.models.cross_section import HUBER_BOUND, least_squares, robust_regression

NAN = np.nan


def cross_section_of(seed, n_rows=40, outliers=4):
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n_rows), rng.uniform(-1, 1, (n_rows, 2))])
    y = X @ [0.01, 0.05, -0.03] + rng.normal(0, 0.02, n_rows)
    y[:outliers] += 0.5
    return X, y, rng.uniform(0.1, 3, n_rows)


def test_weights_by_hand():
    X, y = np.ones((3, 1)), np.array([0.1, 0.2, 0.6])
    np.testing.assert_allclose(least_squares(X, y), [0.3])
    np.testing.assert_allclose(least_squares(X, y, np.array([1.0, 3.0, 0.0])), [0.175])


def test_a_robust_mean_by_hand():
    # Near m = 1 the deviations from m are 1 + m, m, |1 - m| and 10 - m, their median m + 1/2. Only
    # the last is beyond the bound b = c (m + 1/2), c = 1.345 / 0.6745: 3 m = b, m = c / (6 - 2 c).
    found = robust_regression(np.ones((4, 1)), np.array([-1.0, 0.0, 1.0, 10.0]))
    c = 1.345 / 0.6744897501960817
    np.testing.assert_allclose(found, [c / (6 - 2 * c)], rtol=1e-10)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_as_statsmodels_says(seed):
    X, y, weights = cross_section_of(seed)
    np.testing.assert_allclose(least_squares(X, y), sm.OLS(y, X).fit().params, rtol=1e-10)
    np.testing.assert_allclose(
        least_squares(X, y, weights), sm.WLS(y, X, weights).fit().params, rtol=1e-10
    )
    fit = sm.RLM(y, X, M=sm.robust.norms.HuberT(HUBER_BOUND)).fit(
        maxiter=500, tol=1e-14, conv="coefs"
    )
    np.testing.assert_allclose(robust_regression(X, y), fit.params, rtol=1e-10)


def test_outliers_move_the_ordinary_solution_and_hardly_the_robust_one():
    X, y, _ = cross_section_of(4, n_rows=200, outliers=10)
    truth = np.array([0.01, 0.05, -0.03])
    ordinary, robust = least_squares(X, y) - truth, robust_regression(X, y) - truth
    assert np.abs(ordinary).max() > 0.02
    assert np.abs(robust).max() < 0.006


def test_too_few_rows_give_nothing():
    X, y, _ = cross_section_of(5, n_rows=3, outliers=0)
    assert np.isfinite(least_squares(X, y)).all()
    assert np.isnan(least_squares(X[:2], y[:2])).all()
    assert np.isnan(least_squares(X, y, np.array([1.0, 1.0, 0.0]))).all()
    assert np.isnan(robust_regression(X[:2], y[:2])).all()
    assert np.isnan(robust_regression(X[:0], y[:0])).all()


def test_collinear_regressors_share_what_one_would_have():
    X, y, _ = cross_section_of(6)
    twice = np.column_stack([X, X[:, 1]])
    expected = least_squares(X, y)
    found = least_squares(twice, y)
    np.testing.assert_allclose(found[[1, 3]], expected[1] / 2, rtol=1e-10)
    np.testing.assert_allclose(twice @ found, X @ expected, rtol=1e-10)


def test_units_do_not_decide_what_is_collinear():
    X, y, _ = cross_section_of(7)
    units = np.array([1.0, 1e-6, 1e5])
    np.testing.assert_allclose(least_squares(X * units, y), least_squares(X, y) / units, rtol=1e-9)


def test_a_perfect_fit_is_left_alone():
    X, _, _ = cross_section_of(8)
    np.testing.assert_allclose(robust_regression(X, X @ [1.0, 2.0, 3.0]), [1, 2, 3], rtol=1e-12)
    np.testing.assert_array_equal(robust_regression(X, np.zeros(len(X))), np.zeros(3))


def test_an_iteration_that_does_not_end_says_so(monkeypatch):
    X, y, _ = cross_section_of(9)
    monkeypatch.setattr(cross_section, "ROBUST_ITERATIONS", 2)
    with pytest.warns(ConvergenceWarning, match="robust regression: still moving"):
        robust_regression(X, y)
