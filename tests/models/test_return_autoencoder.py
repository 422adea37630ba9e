"""The autoencoder on returns; Baldi and Hornik (1989) say what the linear one must come to."""

import numpy as np
import pytest
from scipy.linalg import subspace_angles
from tests.simulated_panels import full_panel, simulate, with_returns

from latentbeta.config import NetworkSettings
from latentbeta.models.lecture_autoencoder import fixed_universe, universe_returns
from latentbeta.models.pca import PrincipalComponents
from latentbeta.models.return_autoencoder import ReturnAutoencoder, ReturnNetwork, regressions
from latentbeta.models.rotation import rotate_betas

NAN = np.nan
SETTINGS = NetworkSettings(
    learning_rates=(0.02,), l1_penalties=(0.0,), batch_size=60, epochs=3, patience=3
)
N_TRAINING, N_FIT = 20, 26


@pytest.fixture(scope="module")
def panel():
    """Thirty dates; of sixteen assets the first eight have no gap."""
    return simulate(
        n_dates=30, n_assets=16, n_characteristics=3, seed=95, absent=0.3, missing=0.1
    ).panel


@pytest.fixture(scope="module")
def fitted(panel):
    model = ReturnAutoencoder(2, 3, SETTINGS, seed=96)
    return model, model.fit(panel.between(0, N_TRAINING), panel.between(N_TRAINING, N_FIT)).state


def plain_factors(state, member, returns):
    """The encoder in plain numpy, for one date's returns of the universe."""
    scaled = returns / state["input_scale"]
    hidden = np.maximum(scaled @ state["network.encoder_1"][member].astype(np.float64), 0)
    return hidden @ state["network.encoder_2"][member] * state["return_scale"]


@pytest.mark.parametrize("n_factors", [2, 3])
def test_the_linear_one_comes_to_the_subspace_of_the_principal_components(n_factors):
    rng = np.random.default_rng(97)
    loadings = rng.normal(size=(12, 3)) * [1.5, 1.2, 1.0]
    R = rng.normal(0, 0.05, (40, 3)) @ loadings.T + rng.normal(0, 0.03, (40, 12))
    # Validation repeats training, so that early stopping waits for the lowest training loss.
    panel = full_panel(np.zeros((80, 12, 1)), np.vstack([R, R]))
    whole = SETTINGS.model_copy(update={"batch_size": 480, "epochs": 600, "patience": 600})
    model = ReturnAutoencoder(n_factors, 2, whole, seed=98, hidden=())
    state = model.fit(panel.between(0, 40), panel.between(40, 80)).state
    components = np.linalg.svd(R)[2][:n_factors].T
    betas, factors = model.betas(state, panel.between(0, 40)), model.factors(state, panel)
    for member in range(2):
        assert subspace_angles(betas[member, :12], components).max() < 0.01
        fitted = factors[member, :40] @ betas[member, :12].T
        best = R @ components @ components.T
        assert ((R - fitted) ** 2).sum() < 1.01 * ((R - best) ** 2).sum()


def test_squared_errors_by_hand():
    """Two assets, one factor r1 - r2 decoded as (1, 2); one return is missing."""
    weights = {
        "encoder_1": np.array([[[1.0], [-1.0]]], np.float32),
        "decoder": np.array([[[1.0, 2.0]]], np.float32),
    }
    batch = {
        "X": np.array([[2.0, 0.0], [3.0, 1.0]], np.float32),
        "R": np.array([[5.0, 0.0], [3.0, 1.0]], np.float32),
        "known": np.array([[1.0, 0.0], [1.0, 1.0]], np.float32),
    }
    network = ReturnNetwork(n_assets=2, hidden=(), n_factors=1)
    sums, counts, _ = network.squares(weights, batch, training=True)
    np.testing.assert_allclose(sums, [[(5 - 2) ** 2, (3 - 2) ** 2 + (1 - 4) ** 2]])
    np.testing.assert_allclose(counts, [1.0, 2.0])


def test_betas_of_the_universe_are_the_decoder(panel, fitted):
    model, state = fitted
    betas = model.betas(state, panel)
    assert betas.shape == (3, panel.n_rows, 2)
    universe = fixed_universe(panel.between(0, N_TRAINING))
    row = int(np.flatnonzero(panel.asset_index == 2)[0])
    place = universe.tolist().index(panel.assets[2])
    np.testing.assert_array_equal(betas[:, row], state["network.decoder"][:, :, place])


def test_betas_of_others_are_a_regression_on_the_factors_of_training(panel, fitted):
    model, state = fitted
    training = panel.between(0, N_TRAINING)
    outside = [a for a in state["assets"] if a not in state["universe"]]
    assert outside
    asset = panel.assets.tolist().index(outside[0])
    R = training.dense(training.R)[:, asset]
    seen = np.isfinite(R)
    factors = model.factors(state, training)
    row = int(np.flatnonzero(panel.asset_index == asset)[0])
    for member in range(3):
        expected = np.linalg.lstsq(factors[member][seen], R[seen], rcond=None)[0]
        np.testing.assert_allclose(model.betas(state, panel)[member, row], expected, rtol=1e-8)


def test_a_silent_factor_gets_no_beta():
    F = np.column_stack([np.arange(1.0, 5.0), np.zeros(4)])
    R = np.column_stack([2 * F[:, 0], [2.0, NAN, 6.0, 8.0]])
    np.testing.assert_allclose(regressions(R, F), [[2.0, 0.0], [2.0, 0.0]], atol=1e-12)


def test_an_asset_without_a_history_gets_the_mean(panel, fitted):
    model, _ = fitted
    late = with_returns(
        panel,
        np.where((panel.asset_index == 15) & (panel.date_index < N_TRAINING), NAN, panel.R),
    )
    state = model.fit(late.between(0, N_TRAINING), late.between(N_TRAINING, N_FIT)).state
    assert panel.assets[15] not in state["assets"]
    row = int(np.flatnonzero(panel.asset_index == 15)[-1])
    expected = state["betas"].mean(axis=0)
    np.testing.assert_allclose(model.betas(state, late)[:, row], expected, rtol=1e-12)


def test_factors_as_a_plain_encoder_says(panel, fitted):
    model, state = fitted
    inputs = universe_returns(panel, state["universe"], lag=0)
    factors = model.factors(state, panel)
    assert factors.shape == (3, 30, 2)
    for member in range(3):
        for t in (0, 25, 29):
            expected = plain_factors(state, member, inputs[t])
            np.testing.assert_allclose(factors[member, t], expected, rtol=1e-6)


def test_twice_the_returns_are_twice_the_factors_and_none_are_unknown(panel, fitted):
    model, state = fitted
    R = np.where(panel.date_index == 9, NAN, panel.R)
    factors = model.factors(state, with_returns(panel, R))
    doubled = model.factors(state, with_returns(panel, 2 * R))
    np.testing.assert_allclose(doubled, 2 * factors, rtol=1e-12)
    np.testing.assert_array_equal(np.isnan(factors).all(axis=(0, 2)), np.arange(30) == 9)


def test_a_dates_estimates_do_not_depend_on_the_dates_around_it(panel, fitted):
    model, state = fitted
    betas, factors = model.betas(state, panel), model.factors(state, panel)
    for start, stop in ((0, 1), (0, 17), (5, 6), (3, 24)):
        window = panel.between(start, stop)
        rows = slice(int(panel.offsets[start]), int(panel.offsets[stop]))
        np.testing.assert_array_equal(model.betas(state, window), betas[:, rows])
        np.testing.assert_array_equal(model.factors(state, window), factors[:, start:stop])


def test_published_betas_and_forecasts(tmp_path, panel, fitted):
    model, state = fitted
    rng = np.random.default_rng(99)
    rotations, premia = rng.normal(size=(3, 2, 2)) + 2 * np.eye(2), rng.normal(size=(3, 2))
    model.export(state, rotations, premia, tmp_path)
    with np.load(tmp_path / "loadings.npz", allow_pickle=False) as file:
        saved = dict(file)
    members = np.moveaxis(state["betas"], 1, 0)
    expected = rotate_betas(members, rotations).mean(axis=0)
    np.testing.assert_allclose(saved["betas"], expected)
    own = [(members[:, i] * premia).sum() / 3 for i in range(len(saved["assets"]))]
    np.testing.assert_allclose(saved["forecasts"], own)


def test_it_explains_a_market_whose_betas_stay_nearly_as_principal_components_do():
    """No encoder explains more in training (Eckart and Young 1936); out of sample noise costs."""
    rng = np.random.default_rng(100)
    loadings = rng.normal([1.0, 0.0], size=(30, 2))
    R = rng.normal(0, 0.05, (120, 2)) @ loadings.T + rng.normal(0, 0.05, (120, 30))
    panel = full_panel(np.zeros((120, 30, 1)), R)
    longer = SETTINGS.model_copy(update={"batch_size": 120, "epochs": 60, "patience": 10})
    reached = []
    for model in (ReturnAutoencoder(2, 3, longer, seed=101), PrincipalComponents(2)):
        state = model.fit(panel.between(0, 60), panel.between(60, 90)).state
        test = panel.between(90, 120)
        factors = model.factors(state, test)
        fitted = (model.betas(state, test) * factors[:, test.date_index]).sum(axis=2).mean(axis=0)
        reached.append(1 - ((test.R - fitted) ** 2).sum() / (test.R**2).sum())
    assert reached[0] > reached[1] - 0.05


def test_only_linear_factors_are_portfolios(fitted, panel):
    """Mirrored returns mirror what a portfolio earns, and not a rectified sum."""
    model, state = fitted
    assert not model.tradable
    assert ReturnAutoencoder(2, 3, SETTINGS, seed=96, hidden=()).tradable
    mirrored = model.factors(state, with_returns(panel, -panel.R))
    assert not np.allclose(mirrored, -model.factors(state, panel))
