"""The same code under another backend of Keras, where one is installed."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from latentbeta.models.autoencoder.ensemble import Optimisation, train
from latentbeta.models.autoencoder.networks import Architecture
from latentbeta.models.autoencoder.sample import Sample
from latentbeta.models.return_autoencoder import ReturnNetwork

PROJECT = Path(__file__).parents[3]
OPTIMISATION = Optimisation(
    rates=(0.01, 0.03),
    penalties=(0.0, 0.01),
    seeds=(1, 2),
    batch_size=16,
    epochs=4,
    patience=4,
    order_seed=3,
)


def trained_by_name():
    """Train a conditional autoencoder and one on returns; return every weight and loss."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(10, 4)).astype(np.float32)
    date = np.repeat(np.arange(10), 8).astype(np.int32)
    Z = rng.uniform(-1, 1, (80, 3)).astype(np.float32)
    R = (Z[:, 0] * X[date, 0] + 0.1 * rng.normal(size=80)).astype(np.float32)
    rows = Sample({"Z": Z, "R": R, "date": date, "X": X}, np.arange(60), np.arange(60, 80))
    known = (rng.random((10, 4)) < 0.9).astype(np.float32)
    dates = Sample({"X": X * known, "R": X * known, "known": known}, np.arange(7), np.arange(7, 10))
    found = {}
    for kind, network, sample in (
        ("conditional", Architecture(3, (5, 4), 2, 4), rows),
        ("returns", ReturnNetwork(4, (6,), 2), dates),
    ):
        trained = train(network, sample, OPTIMISATION)
        found |= {f"{kind}.{name}": weight for name, weight in trained.weights.items()}
        losses = trained.history[["training_loss", "validation_loss"]]
        found[f"{kind}.losses"] = losses.to_numpy()
    return found


CHILD = """
import sys

sys.path.insert(0, sys.argv[1])
import keras
import numpy as np
from tests.models.autoencoder.test_backends import trained_by_name

assert keras.backend.backend() == "jax"
np.savez(sys.argv[2], **trained_by_name())
"""


def test_jax_trains_to_the_same_weights(tmp_path):
    pytest.importorskip("jax")
    path = tmp_path / "trained.npz"
    subprocess.run(
        [sys.executable, "-c", CHILD, str(PROJECT), str(path)],
        env=os.environ | {"KERAS_BACKEND": "jax"},
        check=True,
    )
    expected = trained_by_name()
    with np.load(path) as found:
        assert set(found.files) == set(expected)
        for name, values in expected.items():
            np.testing.assert_allclose(found[name], values, atol=1e-5, err_msg=name)
