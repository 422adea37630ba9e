"""Training of an ensemble: all members at once, each stopped early by its own validation loss."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.errors import ModelError
from latentbeta.memory import keep_freed_memory
from latentbeta.models.autoencoder.epoch import (
    VALIDATION_BLOCK,
    Passes,
    Shapes,
    State,
    compile_passes,
    fresh_state,
    weights_by_name,
)
from latentbeta.models.autoencoder.networks import Weights, stacked_weights
from latentbeta.models.autoencoder.sample import Chunk, Sample, capacity, chunks
from latentbeta.models.protocol import Array


class Network(Protocol):
    """Shape of a network that can be stacked; equal ones share a compiled program."""

    def __hash__(self) -> int:
        """Hash the shape."""

    def first_weights(self, seed: int) -> Weights:
        """Draw one member's weights."""

    def squares(
        self, weights: Mapping[str, Any], batch: Mapping[str, Any], *, training: bool
    ) -> tuple[Any, Any, dict[str, Any]]:
        """Return squared errors (M, rows), how many returns each row has, batch statistics."""


@dataclass(frozen=True)
class Optimisation:
    """How members are trained; rates, penalties and seeds have one entry a member."""

    rates: tuple[float, ...]
    penalties: tuple[float, ...]
    seeds: tuple[int, ...]
    batch_size: int
    epochs: int
    patience: int
    order_seed: int


@dataclass(frozen=True)
class TrainedEnsemble:
    """Each member's weights at its best epoch, and how it came there.

    Attributes
    ----------
    weights : by name, the member first
    history : member, epoch, training_loss, validation_loss
    best_epoch : (M,)
    validation_loss : (M,) at the best epoch; inf for a member whose loss ceased to be finite
    """

    weights: Weights
    history: pd.DataFrame
    best_epoch: NDArray[np.int64]
    validation_loss: Array


def train(network: Network, sample: Sample, optimisation: Optimisation) -> TrainedEnsemble:
    """Train until every member's validation loss has not fallen for `patience` epochs.

    Members share the order of the batches but nothing else: each ends as it would alone.

    Raises
    ------
    ModelError
        When there are too few rows for one batch, no validation row, or no member's loss stays
        finite.
    """
    if len(sample.training) < 2 or not len(sample.validation):
        raise ModelError(
            f"{len(sample.training)} training and {len(sample.validation)} validation rows:"
            " too few to train on; lengthen walk_forward.train or walk_forward.validation"
        )
    batch_size = min(optimisation.batch_size, len(sample.training))
    keep_freed_memory()
    passes = _compiled(network, batch_size)
    weights = stacked_weights([network.first_weights(seed) for seed in optimisation.seeds])
    n_members, shapes = len(optimisation.seeds), member_shapes(network)
    settings = [np.array(v, np.float32) for v in (optimisation.penalties, optimisation.rates)]
    state, best = fresh_state(weights), _Best(weights, optimisation.patience)
    shuffle = np.random.default_rng(optimisation.order_seed)
    n_batches = len(sample.training) // batch_size
    held_out = _held_out(sample)
    for number in range(1, optimisation.epochs + 1):
        order = shuffle.permutation(sample.training)[: n_batches * batch_size]
        total = np.zeros_like(settings[0])
        for chunk in chunks(sample, order, batch_size):
            steps = np.int32(chunk.n_rows // batch_size)
            state, total = passes.train(state, total, chunk.arrays, steps, *settings)
        validation = _validation(passes, state, n_members, held_out())
        found = weights_by_name(state, shapes, n_members)
        best.note(number, (np.array(total, np.float64) / n_batches, validation), found)
        if best.all_stopped(number):
            break
    return best.result()


def _held_out(sample: Sample) -> Callable[[], Iterable[Chunk]]:
    """Return what gives the validation rows; the one chunk that is enough for most stays."""
    block = min(VALIDATION_BLOCK, capacity(len(sample.validation)))
    first, *others = itertools.islice(chunks(sample, sample.validation, block), 2)
    if others:
        return lambda: chunks(sample, sample.validation, block)
    return lambda: (first,)


def _validation(passes: Passes, state: State, n_members: int, held_out: Iterable[Chunk]) -> Array:
    """Return each member's mean squared error on the validation rows, (M,)."""
    sums, count = np.zeros(n_members, np.float32), np.float32(0)
    for chunk in held_out:
        sums, count = passes.validate(state, sums, count, chunk.arrays, np.int32(chunk.n_rows))
    return np.array(sums, np.float64) / float(count)


# Not one is forgotten: XLA keeps a program until the process ends, and one that is made anew comes
# on top of the old.
@cache
def _compiled(network: Network, batch_size: int) -> Passes:
    return compile_passes(network.squares, member_shapes(network), batch_size)


def member_shapes(network: Network) -> Shapes:
    """Return the shapes of one member's weights, by name."""
    return {name: weight.shape for name, weight in network.first_weights(seed=0).items()}


@dataclass
class _Best:
    """Each member's lowest validation loss so far, and its weights then."""

    weights: Weights
    patience: int
    curves: list[pd.DataFrame] = field(default_factory=list)

    def __post_init__(self) -> None:
        n_members = len(next(iter(self.weights.values())))
        self.epoch = np.zeros(n_members, np.int64)
        self.loss = np.full(n_members, np.inf)
        self.diverged = np.zeros(n_members, np.bool_)

    def note(self, epoch: int, losses: tuple[Array, Array], weights: dict[str, Any]) -> None:
        training, validation = losses
        self.curves.append(
            pd.DataFrame(
                {
                    "member": np.arange(len(validation)),
                    "epoch": epoch,
                    "training_loss": training,
                    "validation_loss": validation,
                }
            )
        )
        finite = np.isfinite(training) & np.isfinite(validation)
        # What a member does after it has stopped is of no account, as if it had ended alone.
        running = (epoch - self.epoch <= self.patience) & ~self.diverged
        self.diverged |= running & ~finite
        better = running & finite & (validation < self.loss)
        self.epoch[better], self.loss[better] = epoch, validation[better]
        if better.any():
            for name, new in weights.items():
                self.weights[name][better] = np.asarray(new)[better]

    def all_stopped(self, epoch: int) -> bool:
        return bool(((epoch - self.epoch >= self.patience) | self.diverged).all())

    def result(self) -> TrainedEnsemble:
        if self.diverged.all():
            raise ModelError(
                "no network's loss stayed finite; lower models.networks.learning_rates"
            )
        history = pd.concat(self.curves, ignore_index=True)
        loss = np.where(self.diverged, np.inf, self.loss)
        return TrainedEnsemble(self.weights, history, self.epoch, loss)
