import numpy as np
import pytest
from tests.simulated_panels import full_panel, simulate

from latentbeta.errors import ModelError
from latentbeta.models.ipca_solver import estimate_gamma
from latentbeta.models.ipca_tests import (
    BootstrapTest,
    Moments,
    bootstrap_tests,
    characteristic_test,
    intercept_test,
)
from latentbeta.models.managed_portfolios import with_constant


def two_factor_panel(seed, *, alpha=0.0):
    """Betas are the first two characteristics; the third earns alpha, the fourth does nothing."""
    rng = np.random.default_rng(seed)
    Z = rng.uniform(-1, 1, (60, 40, 4)).astype(np.float32)
    factors = rng.normal(0.01, [0.08, 0.06], (60, 2))
    R = (Z[..., :2] * factors[:, None, :]).sum(axis=2) + alpha * Z[..., 2]
    return full_panel(Z, R + 0.1 * rng.standard_t(5, R.shape))


def of_intercept(seed, n_draws, **options):
    moments = Moments.of(two_factor_panel(seed, **options))
    return intercept_test(moments, 2, n_draws=n_draws, seed=seed)


def of_characteristic(seed, place, n_draws):
    moments = Moments.of(two_factor_panel(seed))
    return characteristic_test(moments, 2, place, f"c{place + 1}", n_draws=n_draws, seed=seed)


def test_the_p_value_is_the_share_of_draws_above_the_statistic():
    assert BootstrapTest("x", 2.0, np.array([1.0, 2.0, 3.0, 4.0])).p_value == 0.5


@pytest.fixture(scope="module")
def gapped():
    """Thirty dates whose numbers of assets differ."""
    return simulate(
        n_dates=30, n_assets=20, n_characteristics=4, seed=40, absent=0.3, missing=0.1
    ).panel


def resampled_by_loop(panel, gamma, null, given, seed):
    """(Z'Z, Z'r) of one draw, date by date from the rows."""
    ZZ, ZR, residuals, counts = [], [], [], []
    fitted = []
    for t, rows in enumerate(panel.blocks()):
        seen = panel.observed[rows]
        X, r = with_constant(panel.Z[rows][seen]), panel.R[rows][seen]
        left = r - X @ gamma[:, : given.shape[1]] @ given[t]
        f = np.linalg.lstsq(X @ gamma[:, given.shape[1] :], left, rcond=None)[0]
        h = np.concatenate([given[t], f])
        residuals.append(X.T @ (r - X @ gamma @ h) / len(r))
        fitted.append(X.T @ X @ null @ h)
        counts.append(len(r))
        ZZ.append(X.T @ X)
    rng = np.random.default_rng(seed)
    dates = rng.integers(panel.n_dates, size=panel.n_dates)
    shocks = rng.standard_t(5, panel.n_dates) * np.sqrt(3 / 5)
    for t in range(panel.n_dates):
        ZR.append(fitted[t] + counts[t] * shocks[t] * residuals[dates[t]])
    return np.array(ZZ), np.array(ZR)


def test_a_draw_of_the_intercept_as_a_slow_loop_says(gapped):
    given = np.ones((gapped.n_dates, 1))
    moments = Moments.of(gapped)
    gamma = estimate_gamma(moments.ZZ, moments.ZR, 2, given)
    null = gamma * [0.0, 1.0, 1.0]
    ZZ, ZR = resampled_by_loop(gapped, gamma, null, given, seed=3)
    expected = (estimate_gamma(ZZ, ZR, 2, given, tolerance=1e-10)[:, 0] ** 2).sum()
    found = intercept_test(moments, 2, n_draws=1, seed=3)
    assert found.statistic == pytest.approx((gamma[:, 0] ** 2).sum(), rel=1e-12)
    np.testing.assert_allclose(found.draws, expected, rtol=2e-3)


def test_a_draw_of_a_characteristic_as_a_slow_loop_says(gapped):
    given = np.empty((gapped.n_dates, 0))
    moments = Moments.of(gapped)
    gamma = estimate_gamma(moments.ZZ, moments.ZR, 2)
    null = gamma * np.array([1.0, 0.0, 1.0, 1.0, 1.0])[:, None]
    ZZ, ZR = resampled_by_loop(gapped, gamma, null, given, seed=4)
    expected = (estimate_gamma(ZZ, ZR, 2, tolerance=1e-10)[1] ** 2).sum()
    found = characteristic_test(moments, 2, 1, "c2", n_draws=1, seed=4)
    assert found.statistic == pytest.approx((gamma[1] ** 2).sum(), rel=1e-12)
    np.testing.assert_allclose(found.draws, expected, rtol=2e-3)


def test_the_seed_decides_every_draw():
    first, again, other = (of_intercept(seed, 5).draws for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()


def test_without_an_intercept_p_values_lie_anywhere():
    p_values = [of_intercept(seed, 49).p_value for seed in range(8)]
    assert min(p_values) > 0.005
    assert 0.25 < np.mean(p_values) < 0.75


def test_an_intercept_in_the_returns_is_seen():
    assert max(of_intercept(seed, 49, alpha=0.04).p_value for seed in range(3)) < 0.05


def test_a_characteristic_matters_where_it_makes_betas_alone():
    assert max(of_characteristic(seed, 0, 49).p_value for seed in range(3)) < 0.05
    p_values = [of_characteristic(seed, 3, 49).p_value for seed in range(8)]
    assert min(p_values) > 0.005
    assert 0.25 < np.mean(p_values) < 0.75


@pytest.mark.slow
@pytest.mark.parametrize("draw", [of_intercept, lambda s, n: of_characteristic(s, 3, n)])
def test_size_over_a_hundred_panels(draw):
    """A true null is rejected at 10 % about that often: within three standard errors of it."""
    p_values = np.array([draw(seed, 99).p_value for seed in range(100)])
    assert 0.01 <= np.mean(p_values < 0.10) <= 0.20
    assert 0.40 < np.mean(p_values) < 0.60


def test_every_characteristic_and_the_constant_is_tested_on_dates_with_returns(gapped):
    calls = []
    found = bootstrap_tests(gapped, 2, n_draws=2, seed=5, on_draw=lambda: calls.append(1))
    names = ["intercept", "c1", "c2", "c3", "c4", "constant"]
    assert [test.tested for test in found] == names
    assert len(calls) == 2 * len(names)
    alone = characteristic_test(Moments.of(gapped), 2, 2, "c3", n_draws=2, seed=5)
    np.testing.assert_array_equal(found[3].draws, alone.draws)


def test_too_many_factors_are_said(gapped):
    with pytest.raises(ModelError, match="5 directions"):
        bootstrap_tests(gapped, 6, n_draws=1, seed=0)
