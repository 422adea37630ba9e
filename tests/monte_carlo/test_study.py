from dataclasses import replace

import numpy as np
import pytest

from latentbeta.models.conditional_autoencoder import ConditionalAutoencoder
from latentbeta.monte_carlo import study as module
from latentbeta.monte_carlo.design import Design, simulate
from latentbeta.monte_carlo.study import Cell, Study, make_model, r_squared, score

DESIGN = Design(n_assets=30, n_dates=14, n_characteristics=5, n_inputs=6)
QUICK = Study(
    design=DESIGN,
    networks=Study().networks.model_copy(update={"epochs": 2, "batch_size": 64}),
    n_seeds=2,
)


def test_r_squared_by_hand():
    R, explained = np.array([1.0, -2.0, 2.0]), np.array([0.5, -2.0, 1.0])
    assert r_squared(R, explained) == pytest.approx(1 - 1.25 / 9)
    assert r_squared(R, np.zeros(3)) == 0


def test_ipca_is_least_squares_on_the_characteristics_in_plain_loops():
    """With as many factors as characteristics f is the cross-sectional regression on them."""
    study = Study(design=replace(DESIGN, n_characteristics=3))
    panel = simulate("a", 7, study.design).panel
    coefficients = [
        np.linalg.lstsq(panel.Z[rows].astype(float), panel.R[rows], rcond=None)[0]
        for rows in panel.blocks()
    ]
    errors, forecast_errors, squares = 0.0, 0.0, 0.0
    for t in range(28, 42):
        rows = slice(30 * t, 30 * (t + 1))
        Z, r = panel.Z[rows].astype(float), panel.R[rows]
        errors += ((r - Z @ coefficients[t]) ** 2).sum()
        forecast_errors += ((r - Z @ np.mean(coefficients[:t], axis=0)) ** 2).sum()
        squares += (r**2).sum()
    scores = score(Cell("a", "ipca", 3, 7), study)
    assert scores.total_r2 == pytest.approx(1 - errors / squares, abs=1e-9)
    assert scores.predictive_r2 == pytest.approx(1 - forecast_errors / squares, abs=1e-9)


def test_pca_is_estimated_on_training_and_validation_in_plain_numpy():
    panel = simulate("b", 8, DESIGN).panel
    R = panel.R.reshape(42, 30)
    loadings = np.linalg.svd(R[:28], full_matrices=False)[2][:2].T
    factors = R @ loadings
    premia = np.array([factors[:t].mean(axis=0) for t in range(28, 42)])
    test = R[28:]
    scores = score(Cell("b", "pca", 2, 8), QUICK)
    assert scores.total_r2 == pytest.approx(r_squared(test, factors[28:] @ loadings.T))
    assert scores.predictive_r2 == pytest.approx(r_squared(test, premia @ loadings.T))


def test_no_forecast_reads_a_test_return(monkeypatch):
    """With the test's returns multiplied, the first test date's forecasts stay the same bytes."""
    panel = simulate("a", 9, DESIGN).panel
    moved = replace(panel, R=np.where(panel.date_index < 28, panel.R, 3 * panel.R))
    cell = Cell("a", "ca1", 2, 9)
    first = slice(0, 30)
    fitted, forecast = module._explain(make_model(cell, QUICK), panel, 14)
    fitted_moved, forecast_moved = module._explain(make_model(cell, QUICK), moved, 14)
    np.testing.assert_array_equal(forecast[first], forecast_moved[first])
    assert np.abs(fitted - fitted_moved).max() > 0
    assert np.abs(forecast[30:] - forecast_moved[30:]).max() > 0


def test_networks_read_the_simulated_inputs_in_the_non_linear_case_alone():
    linear, bent = (make_model(Cell(case, "ca0", 2, 1), QUICK) for case in "ab")
    assert isinstance(linear, ConditionalAutoencoder)
    assert isinstance(bent, ConditionalAutoencoder)
    assert (linear.factor_inputs, bent.factor_inputs) == ("managed", "observed")
    assert not linear.constant


def test_members_of_two_repetitions_start_differently():
    seeds = [make_model(Cell("a", "ca1", 2, number), Study()).seed for number in (1, 2)]
    assert abs(seeds[0] - seeds[1]) >= Study().n_seeds
