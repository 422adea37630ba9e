"""Members split into stacks: each ends as it would in one stack of all."""

from dataclasses import replace

import numpy as np
import pytest
from tests.models.autoencoder.test_ensemble import (
    BATCH,
    NETWORK,
    assert_same_bytes,
    optimisation,
    sample,
    with_returns,
)

from latentbeta.errors import ModelError
from latentbeta.models.autoencoder import ensemble
from latentbeta.models.autoencoder import sample as sampling
from latentbeta.models.autoencoder.ensemble import train
from latentbeta.models.autoencoder.epoch import spread
from latentbeta.models.autoencoder.stack import Stack, stack_size

__all__ = ["sample"]

OPTIONS = {"seeds": (1, 2, 1, 2), "rates": (0.01, 0.01, 0.04, 0.04), "epochs": 12, "patience": 1}
PENALTIES = (0.0, 0.003, 0.02, 0.0)


@pytest.fixture
def pairs(monkeypatch):
    monkeypatch.setattr(ensemble, "stack_size", lambda *_: 2)


def test_members_of_two_stacks_end_as_in_one(sample, pairs, monkeypatch):
    apart = train(NETWORK, sample, optimisation(PENALTIES, **OPTIONS))
    monkeypatch.undo()
    together = train(NETWORK, sample, optimisation(PENALTIES, **OPTIONS))
    for name, weight in together.weights.items():
        np.testing.assert_allclose(apart.weights[name], weight, atol=1e-5)
    np.testing.assert_array_equal(apart.best_epoch, together.best_epoch)
    np.testing.assert_allclose(apart.validation_loss, together.validation_loss, rtol=1e-5)
    both = apart.history.merge(together.history, on=["member", "epoch"], validate="1:1")
    assert len(both) == len(apart.history) < len(together.history)  # one stack stopped sooner
    for loss in ("training_loss", "validation_loss"):
        np.testing.assert_allclose(both[f"{loss}_x"], both[f"{loss}_y"], rtol=1e-5)
    order = apart.history[["epoch", "member"]]
    assert order.equals(order.sort_values(["epoch", "member"], ignore_index=True))


def test_a_stack_stops_by_its_own_members(sample, pairs):
    found = train(NETWORK, sample, optimisation(PENALTIES, **OPTIONS)).history
    last = found.groupby("member")["epoch"].max()
    assert last[0] == last[1] != last[2] == last[3]


def test_rows_are_gathered_once_for_all_stacks_and_chunk_by_chunk(sample, pairs, monkeypatch):
    """Never all of an epoch at once: it may be larger than memory."""
    events = []
    gathered, step = sampling._gathered, Stack.train
    monkeypatch.setattr(sampling, "CHUNK_BYTES", 1)
    monkeypatch.setattr(sampling, "LEAST_BATCHES", 2)
    monkeypatch.setattr(
        sampling, "_gathered", lambda *given: events.append("rows") or gathered(*given)
    )
    monkeypatch.setattr(Stack, "train", lambda *given: events.append("steps") or step(*given))
    train(NETWORK, sample, optimisation(PENALTIES, **OPTIONS | {"epochs": 1}))
    turn = ["rows", "steps", "steps"]
    assert events[events.index("steps") - 1 :][: 3 * len(turn)] == 3 * turn  # 160 rows by 64


def test_what_comes_after_the_validation_rows_changes_no_byte(sample, pairs):
    """Stacks stop by validation alone: later returns, ranks and portfolios are never looked at."""
    validation = sample.validation[:16]
    after = sample.data["date"] > sample.data["date"][validation[-1]]
    assert after.any()
    changed = {name: sample.data[name].copy() for name in ("Z", "R", "X")}
    for name in ("Z", "R"):
        changed[name][after] = 1e6
    changed["X"][sample.data["date"][validation[-1]] + 1 :] = -1e6
    found = [
        train(
            NETWORK,
            replace(sample, data=sample.data | data, validation=validation),
            optimisation(PENALTIES, **OPTIONS),
        )
        for data in ({}, changed)
    ]
    assert_same_bytes(found[0].weights, found[1].weights)
    assert found[0].history.equals(found[1].history)


def test_all_stacks_are_served_by_one_program(sample, pairs):
    network = replace(NETWORK, hidden=(5,))  # which no other test has compiled
    train(network, sample, optimisation(PENALTIES, **OPTIONS))
    passes = ensemble._compiled(network, BATCH)
    assert passes.train.experimental_get_tracing_count() == 1
    assert passes.validate.experimental_get_tracing_count() == 1


def test_penalties_are_those_of_kernels_and_rates_those_of_all_that_adam_moves():
    shapes = {"kernel_1": (2, 1), "bias_1": (1,), "mean_1": (1,), "output": (1, 2)}
    penalties, rates = spread((0.1, 0.2), (1.0, 2.0), shapes)
    np.testing.assert_array_equal(rates, np.float32([1, 1, 2, 2, 1, 2, 1, 1, 2, 2]))
    kernel, output = [0.1, 0.1, 0.2, 0.2], [0.1, 0.1, 0.2, 0.2]
    np.testing.assert_array_equal(penalties, np.float32([*kernel, 0, 0, *output]))


def test_a_stack_that_diverges_leaves_the_others(sample, pairs):
    rates = {"rates": (1e30, 1e30, 0.01, 0.01)}
    found = train(NETWORK, sample, optimisation(PENALTIES, **OPTIONS | rates))
    assert np.isinf(found.validation_loss).tolist() == [True, True, False, False]
    R = with_returns(sample, sample.data["R"] * np.float32(1e30))
    with pytest.raises(ModelError, match="no network's loss stayed finite"):
        train(NETWORK, R, optimisation(PENALTIES, **OPTIONS))


@pytest.mark.parametrize(
    ("n_members", "units", "batch_size", "size"),
    [
        (10, 32, 1_000, 10),
        (20, 32, 1_000, 10),  # a layer of 1.28 MB
        (60, 32, 1_000, 10),
        (20, 32, 500, 20),  # as large a layer
        (60, 32, 10_000, 10),  # not one member, though one member's layer is as large
        (60, 8, 1_000, 30),  # 40 would be best, and is no divisor
        (25, 32, 1_000, 25),  # five would be too few
        (23, 32, 1_000, 23),  # a prime number of them
        (4, 32, 1_000, 4),
        (20, 3, 1_000, 20),  # CA0: no layer but its betas
    ],
)
def test_a_stack_has_about_as_many_members_as_a_cache_holds(n_members, units, batch_size, size):
    shapes = {"kernel_1": (30, units), "bias_1": (units,), "output": (units, 3), "factors": (31, 3)}
    assert stack_size(n_members, shapes, batch_size) == size
