import numpy as np
import pytest
from tests.simulated_panels import full_panel, simulate, with_returns

from latentbeta.config import NetworkSettings
from latentbeta.errors import ModelError
from latentbeta.models.lecture_autoencoder import (
    LectureAutoencoder,
    fixed_universe,
    universe_returns,
)
from latentbeta.models.return_autoencoder import ReturnAutoencoder

NAN = np.nan
SETTINGS = NetworkSettings(
    learning_rates=(0.01,), l1_penalties=(1e-3,), batch_size=64, epochs=3, patience=3
)
N_TRAINING, N_FIT = 20, 26


def lecture(target):
    return LectureAutoencoder(2, 2, 8, target, SETTINGS, seed=90)


def panel_of_returns(R):
    return full_panel(np.zeros((*R.shape, 1)), R)


@pytest.fixture(scope="module")
def panel():
    """Thirty dates; of sixteen assets the first eight have no gap."""
    return simulate(
        n_dates=30, n_assets=16, n_characteristics=3, seed=91, absent=0.2, missing=0.1
    ).panel


@pytest.fixture(scope="module", params=["same", "ahead"])
def fitted(request, panel):
    model = lecture(request.param)
    return model, model.fit(panel.between(0, N_TRAINING), panel.between(N_TRAINING, N_FIT)).state


def changed_at(panel, date, by=0.5):
    return with_returns(panel, np.where(panel.date_index == date, panel.R + by, panel.R))


def test_the_universe_by_hand():
    R = np.zeros((20, 4))
    R[3, 1] = NAN  # one of twenty is missing: still in
    R[[3, 4], 2] = NAN  # two: out
    R[:, 3] = NAN
    np.testing.assert_array_equal(fixed_universe(panel_of_returns(R)), ["A000", "A001"])


def test_no_universe_says_what_to_shorten():
    R = np.zeros((20, 2))
    R[:2] = NAN
    with pytest.raises(ModelError, match=r"walk_forward\.train"):
        fixed_universe(panel_of_returns(R))


@pytest.mark.parametrize("model", [lecture("same"), ReturnAutoencoder(2, 2, SETTINGS, seed=94)])
def test_no_universe_is_an_obstacle(model):
    R = np.zeros((20, 2))
    R[[3, 4], 0] = R[[6, 7], 1] = NAN
    assert "95% of the sample's 20 dates" in model.obstacle(panel_of_returns(R))
    R[3, 0] = 0.0
    assert model.obstacle(panel_of_returns(R)) is None


def test_inputs_by_hand():
    # Half of the universe is known on the second date: what is known counts twice.
    R = np.array([[0.1, 9.0, 0.2], [0.3, 9.0, NAN], [NAN, 9.0, NAN]])
    universe = np.array(["A000", "A002"])
    same = universe_returns(panel_of_returns(R), universe, lag=0)
    np.testing.assert_allclose(same, [[0.1, 0.2], [0.6, 0.0], [NAN, NAN]])
    ahead = universe_returns(panel_of_returns(R), universe, lag=1)
    np.testing.assert_allclose(ahead, [[NAN, NAN], [0.1, 0.2], [0.6, 0.0]])


def test_the_universe_is_fixed_by_the_training_sample_alone(panel, fitted):
    model, state = fitted
    expected = fixed_universe(panel.between(0, N_TRAINING))
    np.testing.assert_array_equal(state["universe"], expected)
    assert set(panel.assets[:8]) <= set(expected) < set(panel.assets)
    gone = (panel.asset_index == 0) & (panel.date_index >= N_TRAINING)
    without = with_returns(panel, np.where(gone, NAN, panel.R))
    refit = model.fit(without.between(0, N_TRAINING), without.between(N_TRAINING, N_FIT))
    np.testing.assert_array_equal(refit.state["universe"], expected)


def test_every_row_has_betas_whoever_joined_since(panel, fitted):
    model, state = fitted
    betas = model.betas(state, panel)
    assert betas.shape == (2, panel.n_rows, 2)
    assert np.isfinite(betas).all()
    unknown = with_returns(panel, np.full(panel.n_rows, NAN))
    np.testing.assert_array_equal(model.betas(state, unknown), betas)


def test_factors_are_one_product_of_the_universes_scaled_returns(panel, fitted):
    model, state = fitted
    inputs = universe_returns(panel, state["universe"], lag=int(model.leads))
    scaled = inputs / state["portfolio_scale"]
    factors = model.factors(state, panel)
    for m in range(2):
        expected = scaled @ state["network.factors"][m].astype(np.float64) * state["return_scale"]
        np.testing.assert_allclose(factors[m], expected, rtol=1e-9)


def test_same_day_factors_answer_to_the_date_and_day_ahead_ones_to_the_date_before(panel, fitted):
    model, state = fitted
    before = model.factors(state, panel)
    after = model.factors(state, changed_at(panel, 27))
    moved = [t for t in range(30) if not np.array_equal(before[:, t], after[:, t], equal_nan=True)]
    assert moved == ([28] if model.leads else [27])


def test_day_ahead_factors_reach_the_newest_date_and_lack_the_first(panel, fitted):
    model, state = fitted
    newest = with_returns(panel, np.where(panel.date_index == 29, NAN, panel.R))
    unknown = np.isnan(model.factors(state, newest)).all(axis=(0, 2))
    np.testing.assert_array_equal(np.flatnonzero(unknown), [0] if model.leads else [29])


def test_returns_after_the_fit_change_nothing_of_it(panel, fitted):
    model, state = fitted
    later = changed_at(panel, N_FIT)
    refit = model.fit(later.between(0, N_TRAINING), later.between(N_TRAINING, N_FIT)).state
    assert {n: v.tobytes() for n, v in refit.items()} == {n: v.tobytes() for n, v in state.items()}


def test_it_explains_a_market_whose_betas_stay():
    """Its factors have constant weights on returns: they suit betas that do not wander."""
    rng = np.random.default_rng(92)
    Z = np.tile(rng.uniform(-1, 1, (1, 40, 3)), (120, 1, 1))
    R = (Z @ np.diag([1.2, 1.0, 0.8]) * rng.normal(0, 0.1, (120, 1, 3))).sum(axis=2)
    panel = full_panel(Z, R + rng.normal(0, 0.05, R.shape))
    longer = SETTINGS.model_copy(update={"epochs": 30, "patience": 6, "batch_size": 200})
    model = LectureAutoencoder(3, 2, 8, "same", longer, seed=93)
    state = model.fit(panel.between(0, 60), panel.between(60, 90)).state
    test = panel.between(90, 120)
    factors = model.factors(state, test)
    fitted = (model.betas(state, test) * factors[:, test.date_index]).sum(axis=2).mean(axis=0)
    assert 1 - ((test.R - fitted) ** 2).sum() / (test.R**2).sum() > 0.7
