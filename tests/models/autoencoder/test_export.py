import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.simulated_panels import simulate

from latentbeta.config import NetworkSettings
from latentbeta.models.autoencoder.export import beta_network, export_networks
from latentbeta.models.autoencoder.networks import (
    Architecture,
    stacked_betas,
    stacked_weights,
)
from latentbeta.models.conditional_autoencoder import ConditionalAutoencoder
from latentbeta.models.rotation import rotate_betas

PROJECT = Path(__file__).parents[3]
ROTATIONS = np.random.default_rng(70).normal(size=(3, 2, 2)) + 2 * np.eye(2)
PREMIA = np.array([[0.5, -1.0], [2.0, 0.25], [-0.75, 1.5]])
SETTINGS = NetworkSettings(
    learning_rates=(0.01,), l1_penalties=(0.001,), batch_size=64, epochs=2, patience=2
)


@pytest.fixture
def Z():  # noqa: N802
    return np.random.default_rng(71).uniform(-1, 1, (9, 4)).astype(np.float32)


def weights_of(hidden, n_inputs):
    """Weights of three members, none of them where training starts."""
    architecture = Architecture(n_inputs, hidden, 2, 1)
    drawn = stacked_weights([architecture.first_weights(seed) for seed in (1, 2, 3)])
    return {name: w + np.float32(0.3) for name, w in drawn.items()}


def members_of(weights, Z):
    """Each member's betas, (M, n, K)."""
    betas, _ = stacked_betas(weights, Z, training=False)
    return np.asarray(betas, np.float64).transpose(0, 2, 1)


def loaded(path, Z):
    import keras

    return np.asarray(keras.models.load_model(path)(Z, training=False))


@pytest.mark.parametrize("hidden", [(5,), (5, 3)])
def test_the_saved_network_gives_the_published_betas(tmp_path, Z, hidden):
    weights = weights_of(hidden, 4)
    export_networks(weights, ROTATIONS, PREMIA, tmp_path)
    stacked = np.asarray(beta_network(weights)(Z, training=False)).transpose(1, 0, 2)
    np.testing.assert_allclose(stacked, members_of(weights, Z), atol=1e-5)
    published = rotate_betas(members_of(weights, Z), ROTATIONS).mean(axis=0)
    np.testing.assert_allclose(loaded(tmp_path / "beta_network.keras", Z), published, atol=1e-6)


def test_the_forecast_is_the_mean_of_the_members_own(tmp_path, Z):
    weights = weights_of((5,), 4)
    export_networks(weights, ROTATIONS, PREMIA, tmp_path)
    members = members_of(weights, Z).transpose(1, 0, 2)
    own = [sum(members[i, m] @ PREMIA[m] for m in range(3)) / 3 for i in range(len(Z))]
    forecasts = loaded(tmp_path / "forecast_network.keras", Z)[:, 0]
    np.testing.assert_allclose(forecasts, own, atol=1e-6)
    turned = np.linalg.inv(ROTATIONS).transpose(0, 2, 1)
    of_means = (
        np.einsum("nmk,mkj->nj", members, turned)
        / 3
        @ np.mean([p @ g for p, g in zip(PREMIA, ROTATIONS, strict=True)], axis=0)
    )
    assert not np.allclose(forecasts, of_means, atol=1e-2)


def test_without_hidden_layers_the_constant_becomes_a_bias(tmp_path, Z):
    weights = weights_of((), 5)
    export_networks(weights, ROTATIONS, PREMIA, tmp_path)
    with_constant = np.column_stack([Z, np.ones(9)])
    published = rotate_betas(with_constant @ weights["output"].astype(np.float64), ROTATIONS).mean(
        axis=0
    )
    np.testing.assert_allclose(loaded(tmp_path / "beta_network.keras", Z), published, atol=1e-6)


@pytest.mark.parametrize(("hidden", "n_inputs"), [((5,), 4), ((), 5)])
def test_the_same_weights_give_the_same_bytes(tmp_path, hidden, n_inputs):
    paths = [tmp_path / name / "beta_network.keras" for name in ("one", "two")]
    for path in paths:
        export_networks(weights_of(hidden, n_inputs), ROTATIONS, PREMIA, path.parent)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    weights = {n: w + np.float32(1e-3) for n, w in weights_of(hidden, n_inputs).items()}
    export_networks(weights, ROTATIONS, PREMIA, paths[1].parent)
    assert paths[0].read_bytes() != paths[1].read_bytes()


def fit_and_export(folder):
    """Fit a small CA1, save its state and its network; return the betas it publishes."""
    panel = simulate(n_dates=24, n_assets=20, n_characteristics=4, seed=72).panel
    model = ConditionalAutoencoder("ca1", 2, 2, SETTINGS, seed=73)
    fit = model.fit(panel.between(0, 16), panel.between(16, 24))
    model.export(fit.state, ROTATIONS[:2], PREMIA[:2], folder)
    np.savez(folder / "state.npz", **fit.state)
    fit.history.to_csv(folder / "history.csv")
    return panel.Z, rotate_betas(model.betas(fit.state, panel), ROTATIONS[:2]).mean(axis=0)


CHILD = """
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
from tests.models.autoencoder.test_export import fit_and_export

fit_and_export(Path(sys.argv[2]))
"""


def test_another_process_leaves_the_same_bytes_and_readable_betas(tmp_path):
    there, here = tmp_path / "there", tmp_path / "here"
    with subprocess.Popen([sys.executable, "-c", CHILD, str(PROJECT), str(there)]) as child:
        Z, published = fit_and_export(here)
        assert child.wait() == 0
    for name in ("state.npz", "history.csv", "beta_network.keras", "forecast_network.keras"):
        assert (here / name).read_bytes() == (there / name).read_bytes(), name
    np.testing.assert_allclose(loaded(there / "beta_network.keras", Z), published, atol=1e-6)


def test_published_betas_need_no_more_than_built_in_layers(tmp_path, Z):
    """Loaded with Keras's safe mode and no custom object, for any number of rows."""
    import keras

    export_networks(weights_of((5,), 4), ROTATIONS, PREMIA, tmp_path)
    network = keras.models.load_model(tmp_path / "beta_network.keras", safe_mode=True)
    kinds = {type(layer).__module__.split(".")[0] for layer in network.layers}
    assert kinds == {"keras"}
    assert network(np.vstack([Z, Z])).shape == (18, 2)
