import numpy as np
from tests.simulated_panels import full_panel, simulate, with_returns

from latentbeta.models.managed_portfolios import managed_portfolios, second_moments, with_constant

NAN = np.nan


def test_by_hand():
    # Characteristics -1, 0, 1 are centred: half the spread of the ends, and the mean.
    panel = full_panel(np.array([[[-1.0], [0.0], [1.0]]]), np.array([[0.01, 0.02, 0.06]]))
    np.testing.assert_allclose(managed_portfolios(panel), [[0.025, 0.03]])


def test_moments_by_hand():
    Z = np.array([[[-1.0], [1.0], [0.5]]])
    ZZ, ZR, counts = second_moments(full_panel(Z, np.array([[0.1, 0.3, NAN]])))
    np.testing.assert_array_equal(ZZ, [[[2.0, 0.0], [0.0, 2.0]]])
    np.testing.assert_allclose(ZR, [[0.2, 0.4]])
    np.testing.assert_array_equal(counts, [2])


def test_as_a_slow_loop_over_dates_says():
    panel = simulate(
        n_dates=8, n_assets=30, n_characteristics=4, seed=1, absent=0.2, missing=0.2
    ).panel
    expected = []
    for t in range(panel.n_dates):
        mine = panel.date_index == t
        rows = [i for i in np.flatnonzero(mine) if np.isfinite(panel.R[i])]
        X = np.array([[*map(float, panel.Z[i]), 1.0] for i in rows])
        expected.append(np.linalg.lstsq(X, panel.R[rows], rcond=None)[0])
    assert not panel.observed.all()
    np.testing.assert_allclose(managed_portfolios(panel), expected, rtol=1e-10, atol=1e-13)


def test_equal_characteristics_share_the_minimum_norm_solution():
    panel = simulate(n_dates=3, n_assets=20, n_characteristics=2, seed=2).panel
    alone = managed_portfolios(panel)
    twice = np.column_stack([panel.Z[:, 0], panel.Z[:, 0], panel.Z[:, 1]])
    x = managed_portfolios(full_panel(twice.reshape(3, 20, 3), panel.R.reshape(3, 20)))
    np.testing.assert_allclose(x[:, 0], x[:, 1], atol=1e-14)
    np.testing.assert_allclose(x[:, 0] + x[:, 1], alone[:, 0], rtol=1e-9)
    np.testing.assert_allclose(x[:, 2:], alone[:, 1:], rtol=1e-9)


def test_fewer_assets_than_characteristics_fit_exactly_with_the_smallest_weights():
    panel = simulate(n_dates=1, n_assets=3, n_characteristics=6, seed=3).panel
    Z = with_constant(panel.Z)
    x = managed_portfolios(panel)[0]
    np.testing.assert_allclose(Z @ x, panel.R, rtol=1e-7)
    np.testing.assert_allclose(x, np.linalg.pinv(Z) @ panel.R, rtol=1e-6)


def test_a_date_without_returns_has_no_portfolios_and_leaves_the_others_alone():
    panel = simulate(n_dates=4, n_assets=10, n_characteristics=2, seed=4).panel
    R = np.where(panel.date_index == 2, NAN, panel.R)
    x, full = managed_portfolios(with_returns(panel, R)), managed_portfolios(panel)
    assert np.isnan(x[2]).all()
    np.testing.assert_array_equal(x[[0, 1, 3]], full[[0, 1, 3]])


def test_the_constant_comes_last_in_double_precision():
    Z = with_constant(np.array([[0.5, -0.5]], dtype=np.float32))
    assert Z.dtype == np.float64
    np.testing.assert_array_equal(Z, [[0.5, -0.5, 1.0]])
