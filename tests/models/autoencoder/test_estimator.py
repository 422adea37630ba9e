from dataclasses import replace

import numpy as np
import pytest
from tests.simulated_panels import simulate, with_returns

from latentbeta.config import NetworkSettings
from latentbeta.models.autoencoder.estimator import (
    Inputs,
    ensemble_betas,
    ensemble_factors,
    fit_ensemble,
)
from latentbeta.models.managed_portfolios import managed_portfolios

HIDDEN, N_TRAINING = (4,), 20
SETTINGS = NetworkSettings(
    learning_rates=(0.02,), l1_penalties=(0.0, 0.05), batch_size=64, epochs=6, patience=3
)
LOSSES = ["training_loss", "validation_loss"]


@pytest.fixture(scope="module")
def panel():
    return simulate(
        n_dates=30, n_assets=24, n_characteristics=4, seed=60, absent=0.1, missing=0.1
    ).panel


def fit(panel, **changes):
    return fit_ensemble(
        panel,
        Inputs(panel.Z, managed_portfolios(panel)),
        N_TRAINING,
        hidden=HIDDEN,
        n_factors=2,
        n_seeds=2,
        settings=SETTINGS.model_copy(update=changes),
        seed=61,
    )


@pytest.fixture(scope="module")
def fitted(panel):
    return fit(panel)


def bytes_of(fit):
    return {name: value.tobytes() for name, value in fit.state.items()}


def member_losses(fit, panel, rows):
    """Each member's mean squared error on some rows, in units of the training returns."""
    betas = ensemble_betas(fit.state, panel.Z, panel.blocks())
    factors = ensemble_factors(fit.state, managed_portfolios(panel))
    errors = panel.R - (betas * factors[:, panel.date_index]).sum(axis=2)
    return (errors[:, rows] ** 2).mean(axis=1) / float(fit.state["return_scale"]) ** 2


def test_what_is_applied_is_what_validation_scored(panel, fitted):
    """The validation loss of the best epoch, computed anew from the state that is kept."""
    rows = panel.observed & (panel.date_index >= N_TRAINING)
    found = member_losses(fitted, panel, rows)
    np.testing.assert_allclose(found, fitted.selection["validation_loss"], rtol=1e-4)


def test_scales_are_root_mean_squares_of_the_training_sample(panel, fitted):
    training = panel.between(0, N_TRAINING)
    scale = np.sqrt(np.mean(training.R[training.observed] ** 2))
    assert float(fitted.state["return_scale"]) == pytest.approx(scale, rel=1e-12)
    x = managed_portfolios(training)
    expected = np.sqrt((x**2).mean(axis=0))
    np.testing.assert_allclose(fitted.state["portfolio_scale"], expected, rtol=1e-12)


def test_a_characteristic_first_known_after_training_does_not_move_the_factors(panel):
    """Rounding leaves its portfolio some 1e-17 of return in training: that is no scale."""
    Z = panel.Z.copy()
    Z[panel.date_index < N_TRAINING, 2] = 0.0  # unknown, so at the median
    found = fit(replace(panel, Z=Z))
    assert np.isinf(found.state["portfolio_scale"]).tolist() == [False, False, True, False, False]
    assert found.selection["validation_loss"].max() < 10


def test_the_table_of_choices_agrees_with_the_curves(fitted):
    curves = fitted.history.pivot(index="epoch", columns="member", values="validation_loss")
    assert list(curves) == [0, 1]
    for row in fitted.selection.itertuples():
        assert curves.loc[row.best_epoch, row.member] == row.validation_loss


@pytest.mark.parametrize("penalties", [(0.0, 5.0), (5.0, 0.0)])
def test_the_penalty_with_the_lower_validation_loss_is_kept(panel, penalties):
    found = fit(panel, l1_penalties=penalties)
    np.testing.assert_array_equal(found.selection["learning_rate"], [0.02, 0.02])
    np.testing.assert_array_equal(found.selection["l1_penalty"], [0.0, 0.0])
    np.testing.assert_array_equal(found.selection["member"], [0, 1])
    alone = fit(panel, l1_penalties=(0.0, 0.0))
    np.testing.assert_allclose(
        found.state["network.factors"], alone.state["network.factors"], atol=1e-5
    )
    np.testing.assert_allclose(found.history[LOSSES][:2], alone.history[LOSSES][:2], rtol=1e-5)


def test_rows_without_a_return_have_no_influence(panel, fitted):
    Z = panel.Z.copy()
    Z[~panel.observed] = 1e6
    assert (~panel.observed).sum() > 10
    assert bytes_of(fit(replace(panel, Z=Z))) == bytes_of(fitted)


def test_validation_returns_move_no_weight_of_a_given_epoch(panel):
    held_out = panel.date_index >= N_TRAINING
    R = np.where(held_out, 0.3 - 2 * panel.R, panel.R)
    before, after = fit(panel, epochs=1), fit(with_returns(panel, R), epochs=1)
    assert bytes_of(before) == bytes_of(after)
    assert not before.selection.equals(after.selection)


def test_training_returns_do_move_them(panel, fitted):
    R = np.where(panel.date_index == 3, panel.R + 0.01, panel.R)
    assert bytes_of(fit(with_returns(panel, R))) != bytes_of(fitted)


def test_the_same_seed_gives_the_same_bytes_twice(panel, fitted):
    again = fit(panel)
    assert bytes_of(again) == bytes_of(fitted)
    assert again.history.equals(fitted.history)
    assert again.selection.equals(fitted.selection)


def test_a_date_without_returns_is_left_out_of_training(panel):
    R = np.where(np.isin(panel.date_index, (5, 25)), np.nan, panel.R)
    found = fit(with_returns(panel, R), epochs=1)
    assert np.isfinite(found.history[LOSSES].to_numpy()).all()


def test_a_portfolio_that_earned_nothing_in_training_stays_silent(panel):
    """A scale of zero must not turn its first later return into an infinite factor."""
    x = managed_portfolios(panel)
    x[:N_TRAINING, 1] = 0.0
    found = fit_ensemble(
        panel,
        Inputs(panel.Z, x),
        N_TRAINING,
        hidden=HIDDEN,
        n_factors=2,
        n_seeds=2,
        settings=SETTINGS.model_copy(update={"epochs": 1}),
        seed=61,
    )
    other = x.copy()
    other[:, 1] *= 7
    np.testing.assert_array_equal(
        ensemble_factors(found.state, x), ensemble_factors(found.state, other)
    )


def test_factors_by_hand():
    state = {
        "network.factors": np.array(
            [[[1.0, 0.0], [2.0, -1.0]], [[0.5, 0.5], [0.0, 1.0]]], np.float32
        ),
        "portfolio_scale": np.array([0.1, 0.2]),
        "return_scale": np.array(0.05),
    }
    X = np.array([[0.1, 0.4], [np.nan, np.nan]])  # scaled: 1 and 2
    factors = ensemble_factors(state, X)
    np.testing.assert_allclose(factors[:, 0], [[0.25, -0.1], [0.025, 0.125]])
    assert np.isnan(factors[:, 1]).all()
