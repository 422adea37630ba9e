"""Validation chooses among weights that training alone has made."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.simulated_panels import simulate, with_returns

from latentbeta.config import NetworkSettings, read_settings
from latentbeta.models.ladder import LADDER, ladder

N_TRAINING = 16
NETWORKS = NetworkSettings(
    learning_rates=(0.02,), l1_penalties=(0.001,), batch_size=64, epochs=4, patience=4
)
SMALL = read_settings(Path(__file__).parents[2] / "params.yaml").models.model_copy(
    update={"names": LADDER, "n_factors": (2,), "n_seeds": 2, "networks": NETWORKS}
)
TRAINED = {m.name: m for m in ladder(SMALL, seed=140) if "NetworkSettings" in repr(m)}
DEEPER = ("ca2", "ca3")  # what ca1 is, a layer or two more: their compilation takes long


@pytest.fixture(scope="module")
def panel():
    return simulate(
        n_dates=28, n_assets=14, n_characteristics=3, seed=141, absent=0.1, missing=0.05
    ).panel


@pytest.fixture(scope="module", params=[name for name in TRAINED if name not in DEEPER])
def model(request):
    return TRAINED[request.param]


def fit(model, panel, **changes):
    model = replace(model, settings=NETWORKS.model_copy(update=changes))
    return model.fit(panel.between(0, N_TRAINING), panel.between(N_TRAINING, panel.n_dates))


@pytest.fixture(scope="module")
def other_validation(panel):
    """The same panel, but for its validation returns: their signs are turned, and sizes."""
    held_out = panel.date_index >= N_TRAINING
    return with_returns(panel, np.where(held_out, 0.02 - 3 * panel.R, panel.R))


def test_every_trained_rung_is_here():
    assert set(TRAINED) == {"autoencoder", "cae_lecture", "ca0", "ca1", "ca2", "ca3"}


def test_the_weights_of_an_epoch_are_the_same_bytes(model, panel, other_validation):
    one, other = fit(model, panel, epochs=1), fit(model, other_validation, epochs=1)
    assert {n: v.tobytes() for n, v in one.state.items()} == {
        n: v.tobytes() for n, v in other.state.items()
    }
    assert not one.selection["validation_loss"].equals(other.selection["validation_loss"])


def test_the_way_of_the_weights_is_the_same_and_only_its_end_is_chosen(
    model, panel, other_validation
):
    one, other = fit(model, panel), fit(model, other_validation)
    assert one.history["epoch"].max() == 4
    assert one.history["training_loss"].equals(other.history["training_loss"])
    assert not one.history["validation_loss"].equals(other.history["validation_loss"])


def test_whichever_pair_is_chosen_its_losses_are_those_it_has_alone(model, panel, other_validation):
    grid = {"learning_rates": (0.02, 0.0001), "l1_penalties": (0.001, 0.3)}
    for returns in (panel, other_validation):
        found = fit(model, returns, **grid)
        pair = found.selection.iloc[0]
        alone = fit(
            model,
            returns,
            learning_rates=(float(pair["learning_rate"]),),
            l1_penalties=(float(pair["l1_penalty"]),),
        )
        losses = ["training_loss", "validation_loss"]
        np.testing.assert_allclose(found.history[losses], alone.history[losses], rtol=1e-4)
