"""An ensemble of conditional autoencoders, beside Keras's `fit` of one member after another."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from typing import Any

import numpy as np

from benchmarks.market import SEED, factor_panel
from benchmarks.products import Product, Shape, seconds_by_engine
from benchmarks.timing import Comparison, Measured, alternating, scaled
from latentbeta.models.autoencoder.ensemble import Optimisation, train
from latentbeta.models.autoencoder.epoch import VALIDATION_BLOCK
from latentbeta.models.autoencoder.networks import MOMENTUM, Architecture
from latentbeta.models.autoencoder.sample import Sample
from latentbeta.models.managed_portfolios import managed_portfolios

N_ASSETS, N_TRAINING_DATES, N_VALIDATION_DATES = 380, 180, 24
N_TRAINING = N_ASSETS * N_TRAINING_DATES  # 68,400 rows
N_CHARACTERISTICS, HIDDEN, N_FACTORS, N_MEMBERS = 30, 32, 3, 10
N_VALIDATION = N_ASSETS * N_VALIDATION_DATES
RATIOS = {10_000: (6.0, 15.0), 500: (15.0, 50.0)}  # batch size: floor and goal beside Keras fit
SHARES = 25.0, 50.0  # floor and goal, %
EPOCHS, LEARNING_RATE, PENALTY = 5, 0.001, 1e-4


def compare_ensembles() -> list[Comparison]:
    """Compare an epoch of a member, at each batch size, with two ways to call `fit`."""
    sample = _sample()
    return [row for batch_size in RATIOS for row in _compared(sample, batch_size)]


def measure_matrix_share() -> list[Measured]:
    """Measure how much of an epoch its matrix products would take alone, at each batch size."""
    sample = _sample()
    return [_share(sample, batch_size) for batch_size in RATIOS]


def _compared(sample: Sample, batch_size: int) -> list[Comparison]:
    # The peer has a process of its own, as its users run it: what ours tells the allocator of a
    # process that trains would make `fit` faster too.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as peer:
        plain, lecture, packed = (
            partial(_fit_elsewhere, peer, batch_size, steps, epochs)
            for steps, epochs in ((1, EPOCHS), (1, 1), (N_TRAINING // batch_size, EPOCHS))
        )
        ours, one_by_one, by_epochs, all_at_once = alternating(
            lambda: _ours(sample, batch_size), plain, lecture, packed
        )
    work = f"CA1 ensemble of {N_MEMBERS}, {N_TRAINING:,} rows × {N_CHARACTERISTICS}"
    return [
        Comparison(
            work=f"{work}, batch {batch_size:,}",
            peer=peer,
            unit="ms a member and epoch",
            ours=scaled(ours, 1e3 / EPOCHS / N_MEMBERS),
            theirs=scaled(theirs, 1e3 / EPOCHS),
            note="validation loss after every epoch included, compilation left out of both; Keras"
            " has a process of its own, in turns with ours",
            floor=floor,
            goal=goal,
        )
        for peer, theirs, floor, goal in (
            ("Keras fit, one member after another", one_by_one, *RATIOS[batch_size]),
            ("the same, called epoch by epoch as in the lecture", by_epochs, None, None),
            ("the same, steps_per_execution = an epoch", all_at_once, None, None),
        )
    ]


def _share(sample: Sample, batch_size: int) -> Measured:
    products = _products(batch_size, sample.data["X"].shape[1])
    (ours,) = alternating(lambda: _ours(sample, batch_size))
    epoch = statistics.median(ours) / EPOCHS
    alone = seconds_by_engine(products)
    flops = sum(product.flops * product.count for product in products)
    note = (
        f"{flops / 1e9:.2f} GFLOP an epoch in {epoch * 1e3:.0f} ms; its products alone by "
        + ", ".join(f"{name} {seconds * 1e3:.0f} ms" for name, seconds in alone.items())
    )
    return Measured(
        work=f"training of the ensemble above, batch {batch_size:,}",
        unit="% of the matrix rate of the same shapes",
        value=100 * alone["the faster of both"] / epoch,
        floor=SHARES[0],
        goal=SHARES[1],
        note=note,
    )


def _products(batch_size: int, n_portfolios: int) -> list[Product]:
    shape = Shape(N_MEMBERS, N_CHARACTERISTICS, HIDDEN, N_FACTORS, n_portfolios)
    batches, blocks = N_TRAINING // batch_size, N_VALIDATION / VALIDATION_BLOCK
    training = [*shape.forward(batch_size, batches), *shape.backward(batch_size, batches)]
    return [*training, *shape.forward(VALIDATION_BLOCK, blocks)]


def _sample() -> Sample:
    panel = factor_panel(N_TRAINING_DATES + N_VALIDATION_DATES, N_ASSETS, N_CHARACTERISTICS)
    X = managed_portfolios(panel)
    data = {
        "Z": panel.Z,
        "R": (panel.R / panel.R.std()).astype(np.float32),
        "date": panel.date_index.astype(np.int32),
        "X": (X / X.std(axis=0)).astype(np.float32),
    }
    return Sample(data, np.arange(N_TRAINING), np.arange(N_TRAINING, panel.n_rows))


def _ours(sample: Sample, batch_size: int) -> None:
    n_portfolios = sample.data["X"].shape[1]
    architecture = Architecture(N_CHARACTERISTICS, (HIDDEN,), N_FACTORS, n_portfolios)
    optimisation = Optimisation(
        rates=(LEARNING_RATE,) * N_MEMBERS,
        penalties=(PENALTY,) * N_MEMBERS,
        batch_size=batch_size,
        epochs=EPOCHS,
        patience=EPOCHS,
        seeds=tuple(range(N_MEMBERS)),
        order_seed=SEED,
    )
    train(architecture, sample, optimisation)


def _fit_elsewhere(peer: Executor, batch_size: int, steps: int, epochs: int) -> None:
    peer.submit(_fit_member, batch_size, steps, epochs).result()


def _fit_member(batch_size: int, steps: int, epochs: int) -> None:
    """Train for all the epochs, so many a call, with so many steps an execution."""
    fit = _keras_fit(batch_size, steps)
    for _ in range(EPOCHS // epochs):
        fit(epochs)


@cache
def _keras_fit(batch_size: int, steps_per_execution: int) -> Callable[[int], object]:
    """Return a call that trains one member for some epochs; the model is compiled once."""
    import keras

    sample = _sample()
    Z, R, X = (sample.data[name] for name in ("Z", "R", "X"))
    model = _keras_member(X.shape[1])
    model.compile(
        keras.optimizers.Adam(LEARNING_RATE), loss="mse", steps_per_execution=steps_per_execution
    )
    whole = N_TRAINING - N_TRAINING % batch_size  # as many batches as ours
    inputs = [Z, X[sample.data["date"]]]
    training = [values[:whole] for values in inputs]
    held_out = [values[N_TRAINING:] for values in inputs]
    n_held_out = len(R) - N_TRAINING
    return lambda epochs: model.fit(
        training,
        R[:whole],
        batch_size=batch_size,
        epochs=epochs,
        validation_data=(held_out, R[N_TRAINING:]),
        validation_batch_size=n_held_out,
        verbose=0,
    )


def _keras_member(n_portfolios: int) -> Any:
    """Return a member as the functional API writes it; tests/models hold it equal to ours."""
    import keras
    from keras import layers

    penalty = keras.regularizers.L1(PENALTY)
    Z, x = keras.Input((N_CHARACTERISTICS,)), keras.Input((n_portfolios,))
    hidden = layers.Dense(HIDDEN, activation="relu", kernel_regularizer=penalty)(Z)
    hidden = layers.BatchNormalization(momentum=MOMENTUM)(hidden)
    betas = layers.Dense(N_FACTORS, kernel_regularizer=penalty)(hidden)
    factors = layers.Dense(N_FACTORS, use_bias=False, kernel_regularizer=penalty)(x)
    return keras.Model([Z, x], layers.Dot(axes=1)([betas, factors]))
