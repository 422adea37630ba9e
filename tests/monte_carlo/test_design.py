"""The design's own facts, and its draws against a slow plain loop."""

from dataclasses import replace

import numpy as np
import pytest

from latentbeta.monte_carlo.design import (
    Design,
    characteristics,
    linear_betas,
    non_linear_betas,
    simulate,
)

SMALL = Design(n_assets=7, n_dates=4, n_characteristics=3, n_inputs=4)


def plain_ranks(values: np.ndarray) -> np.ndarray:
    return np.array([1 + sum(other < value for other in values) for value in values])


def test_characteristics_are_the_ranks_of_autoregressions_in_plain_loops():
    c = characteristics(np.random.default_rng(1), SMALL)
    random = np.random.default_rng(1)
    rho = random.uniform(0.9, 1.0, 3)
    assert ((rho >= 0.9) & (rho <= 1.0)).all()
    level = np.zeros((7, 3))
    for t in range(12):
        shocks = random.normal(size=(7, 3))
        for j in range(3):
            level[:, j] = rho[j] * level[:, j] + shocks[:, j]
            np.testing.assert_allclose(c[t, :, j], 2 * plain_ranks(level[:, j]) / 8 - 1)


def test_betas_are_those_of_the_two_cases():
    c = np.array([0.5, -0.4, -0.1, 0.9])
    np.testing.assert_allclose(linear_betas(c), [0.6, -0.4, -0.08])
    np.testing.assert_allclose(non_linear_betas(c), [0.25, -0.4, -0.6])


@pytest.mark.parametrize(("case", "betas"), [("a", linear_betas), ("b", non_linear_betas)])
def test_a_return_is_betas_times_factors_and_noise(case, betas):
    simulated = simulate(case, 3, SMALL)
    panel = simulated.panel
    for row in (0, 8, 83):
        beta = betas(panel.Z[row].astype(np.float64))
        factors = simulated.factors[row // 7]
        assert panel.R[row] == pytest.approx(beta @ factors + simulated.noise[row], abs=1e-6)
    assert (panel.date_index == np.arange(84) // 7).all()
    assert (panel.asset_index == np.arange(84) % 7).all()


def test_the_panel_holds_the_inputs_and_is_as_long_as_three_samples():
    panel = simulate("a", 1, Design()).panel
    assert (panel.n_dates, panel.n_assets, panel.Z.shape[1]) == (180, 200, 50)
    assert panel.F.shape == (180, 50)
    assert panel.factor_names[0] == "x1"
    assert panel.factor_names[-1] == "x50"
    assert panel.observed.all()
    np.testing.assert_allclose(np.abs(panel.Z).max(), 199 / 201, rtol=1e-6)
    assert (np.diff(panel.dates) > np.timedelta64(0)).all()


def test_the_moments_are_those_of_the_paper():
    many = [simulate("a", number, replace(Design(), n_characteristics=3)) for number in range(20)]
    noise = np.concatenate([s.noise for s in many])  # 720,000
    assert noise.var() == pytest.approx(0.1**2 * 5 / 3, rel=0.03)
    x = np.concatenate([s.panel.F.ravel() for s in many])  # 180,000
    assert x.mean() == pytest.approx(0.03, abs=4 * 0.1 / np.sqrt(len(x)))
    assert x.std() == pytest.approx(0.1, rel=0.01)
    eta = np.concatenate([(s.factors - s.panel.F[:, :3]).ravel() for s in many])
    assert eta.mean() == pytest.approx(0, abs=4 * 0.01 / np.sqrt(len(eta)))
    assert eta.std() == pytest.approx(0.01, rel=0.03)


def test_a_number_is_a_simulation_that_both_cases_share():
    linear, again, other = (simulate("a", number, SMALL) for number in (5, 5, 6))
    bent = simulate("b", 5, SMALL)
    np.testing.assert_array_equal(linear.panel.R, again.panel.R)
    assert np.abs(linear.panel.R - other.panel.R).min() > 0
    np.testing.assert_array_equal(linear.noise, bent.noise)
    np.testing.assert_array_equal(linear.panel.Z, bent.panel.Z)
