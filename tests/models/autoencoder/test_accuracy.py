"""What the stack explains out of sample, beside members that Keras's `fit` trained one by one."""

import numpy as np
import pytest

from latentbeta.models.autoencoder.ensemble import Optimisation, train
from latentbeta.models.autoencoder.networks import Architecture, stacked_betas
from latentbeta.models.autoencoder.sample import Sample

N_ASSETS, N_TRAINING, N_VALIDATION, N_TEST = 60, 60, 20, 40  # dates
SEEDS, BATCH, RATE, EPOCHS, PATIENCE = tuple(range(40)), 200, 0.005, 25, 4


@pytest.fixture(scope="module")
def data():
    """Three portfolios' returns, of which two are factors; betas that are not linear."""
    rng = np.random.default_rng(70)
    dates = N_TRAINING + N_VALIDATION + N_TEST
    Z = rng.uniform(-1, 1, (dates * N_ASSETS, 6)).astype(np.float32)
    X = rng.normal(size=(dates, 3)).astype(np.float32)
    date = np.repeat(np.arange(dates), N_ASSETS)
    R = np.abs(Z[:, 0]) * X[date, 0] + Z[:, 1] * Z[:, 2] * X[date, 1] + Z[:, 3] * X[date, 1]
    return {"Z": Z, "R": (R + rng.normal(size=len(R))).astype(np.float32), "date": date, "X": X}


def rows(start, stop):
    return np.arange(start * N_ASSETS, stop * N_ASSETS)


TRAINING = rows(0, N_TRAINING)
VALIDATION = rows(N_TRAINING, N_TRAINING + N_VALIDATION)
TEST = rows(N_TRAINING + N_VALIDATION, N_TRAINING + N_VALIDATION + N_TEST)


def r_squared(data, fitted):
    realised = data["R"][TEST]
    return 1 - np.sum((realised - fitted) ** 2) / np.sum(realised**2)


def stacked(data):
    each = (RATE,) * len(SEEDS), (0.0,) * len(SEEDS), SEEDS
    optimisation = Optimisation(*each, BATCH, EPOCHS, PATIENCE, order_seed=71)
    network = Architecture(6, (8,), 2, 3)
    weights = train(network, Sample(data, TRAINING, VALIDATION), optimisation).weights
    betas = np.asarray(stacked_betas(weights, data["Z"][TEST], training=False)[0])
    factors = np.einsum("nl,mlk->mkn", data["X"][data["date"][TEST]], weights["factors"])
    return [r_squared(data, fitted) for fitted in (betas * factors).sum(axis=1)]


def one_by_one(data):
    import keras
    from keras import layers

    inputs = [data["Z"], data["X"][data["date"]]]
    reached = []
    for seed in SEEDS:
        keras.utils.set_random_seed(seed)
        Z, x = keras.Input((6,)), keras.Input((3,))
        hidden = layers.BatchNormalization(momentum=0.9)(layers.Dense(8, activation="relu")(Z))
        factors = layers.Dense(2, use_bias=False)(x)
        model = keras.Model([Z, x], layers.Dot(axes=1)([layers.Dense(2)(hidden), factors]))
        model.compile(keras.optimizers.Adam(RATE), loss="mse")
        model.fit(
            [values[TRAINING] for values in inputs],
            data["R"][TRAINING],
            batch_size=BATCH,
            epochs=EPOCHS,
            validation_data=([v[VALIDATION] for v in inputs], data["R"][VALIDATION]),
            callbacks=[keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True)],
            verbose=0,
        )
        fitted = model.predict([values[TEST] for values in inputs], verbose=0)[:, 0]
        reached.append(r_squared(data, fitted))
    return reached


@pytest.mark.slow
def test_the_stack_explains_as_much_as_members_trained_alone(data):
    """Forty seeds each: means within three standard errors, and both far above nothing."""
    ours, theirs = np.array(stacked(data)), np.array(one_by_one(data))
    error = np.sqrt(ours.var(ddof=1) / len(ours) + theirs.var(ddof=1) / len(theirs))
    assert abs(ours.mean() - theirs.mean()) < 3 * error, (ours, theirs)
    assert error < 0.01
    assert min(ours.mean(), theirs.mean()) > 0.15
