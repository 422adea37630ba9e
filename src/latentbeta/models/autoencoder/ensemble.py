"""Training of an ensemble: members together, each stopped early by its own validation loss."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np

from latentbeta.errors import ModelError
from latentbeta.memory import keep_freed_memory
from latentbeta.models.autoencoder.early_stopping import TrainedEnsemble, joined
from latentbeta.models.autoencoder.epoch import (
    VALIDATION_BLOCK,
    Passes,
    Shapes,
    compile_passes,
    spread,
)
from latentbeta.models.autoencoder.networks import Weights, stacked_weights
from latentbeta.models.autoencoder.sample import Chunk, Sample, capacity, chunks
from latentbeta.models.autoencoder.stack import Stack, stack_size


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
    shuffle = np.random.default_rng(optimisation.order_seed)
    n_batches = len(sample.training) // batch_size
    held_out = _held_out(sample)
    stacks = running = _stacks(network, optimisation, batch_size)
    for number in range(1, optimisation.epochs + 1):
        order = shuffle.permutation(sample.training)[: n_batches * batch_size]
        for chunk in chunks(sample, order, batch_size):
            for stack in running:
                stack.train(passes, chunk, chunk.n_rows // batch_size)
        for chunk in held_out():
            for stack in running:
                stack.validate(passes, chunk)
        for stack in running:
            stack.note(number)
        running = [stack for stack in running if not stack.best.all_stopped(number)]
        if not running:
            break
    return joined([stack.best for stack in stacks])


def _stacks(network: Network, optimisation: Optimisation, batch_size: int) -> list[Stack]:
    """Split members into stacks of one size, so that one compiled program serves them."""
    of, shapes = optimisation, member_shapes(network)
    size = stack_size(len(of.seeds), shapes, batch_size)
    parts = [slice(start, start + size) for start in range(0, len(of.seeds), size)]
    return [
        Stack(
            stacked_weights([network.first_weights(seed) for seed in of.seeds[part]]),
            shapes,
            spread(of.penalties[part], of.rates[part], shapes),
            of.patience,
            part.start,
        )
        for part in parts
    ]


def _held_out(sample: Sample) -> Callable[[], Iterable[Chunk]]:
    """Return what gives the validation rows; the one chunk that is enough for most stays."""
    block = min(VALIDATION_BLOCK, capacity(len(sample.validation)))
    first, *others = itertools.islice(chunks(sample, sample.validation, block), 2)
    if others:
        return lambda: chunks(sample, sample.validation, block)
    return lambda: (first,)


# Not one is forgotten: XLA keeps a program until the process ends, and one that is made anew comes
# on top of the old.
@cache
def _compiled(network: Network, batch_size: int) -> Passes:
    return compile_passes(network.squares, member_shapes(network), batch_size)


def member_shapes(network: Network) -> Shapes:
    """Return the shapes of one member's weights, by name."""
    return {name: weight.shape for name, weight in network.first_weights(seed=0).items()}
