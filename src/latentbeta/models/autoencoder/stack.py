"""Some members of an ensemble, trained as one program's arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentbeta.models.autoencoder.early_stopping import Best
from latentbeta.models.autoencoder.epoch import Passes, Shapes, fresh_state, weights_by_name
from latentbeta.models.autoencoder.networks import Weights
from latentbeta.models.autoencoder.sample import Chunk

# Of what the widest layer of all members of a stack gives for a batch: it is written and read a
# dozen times a step, and should stay in a cache that processes side by side do not fight for.
LAYER_BYTES = 10 * 2**17
LEAST_MEMBERS = 10  # of a stack: with fewer, starts of small kernels cost more than the cache saves


class Stack:
    """Members that take their steps together.

    Parameters
    ----------
    weights : first ones, by name, the member first
    shapes : of one member's weights
    settings : penalties and rates, see `epoch.spread`
    patience : epochs
    first_member : its number in the ensemble
    """

    _total: Any  # what the passes add up, as the backend's arrays once they have begun
    _sums: Any
    _count: Any

    def __init__(
        self,
        weights: Weights,
        shapes: Shapes,
        settings: tuple[NDArray[np.float32], NDArray[np.float32]],
        patience: int,
        first_member: int,
    ) -> None:
        self.best = Best(weights, patience, first_member)
        self._shapes, self._settings = shapes, settings
        self._state = fresh_state(weights)
        self._begin()

    def train(self, passes: Passes, chunk: Chunk, n_batches: int) -> None:
        """Take a step for each batch of a chunk."""
        steps = np.int32(n_batches)
        self._state, self._total = passes.train(
            self._state, self._total, chunk.arrays, steps, *self._settings
        )
        self._n_batches += n_batches

    def validate(self, passes: Passes, chunk: Chunk) -> None:
        """Add up squared errors of validation rows."""
        n_rows = np.int32(chunk.n_rows)
        self._sums, self._count = passes.validate(
            self._state, self._sums, self._count, chunk.arrays, n_rows
        )

    def note(self, epoch: int) -> None:
        """Note what members have come to since the epoch before."""
        training = np.array(self._total, np.float64) / self._n_batches
        validation = np.array(self._sums, np.float64) / float(self._count)
        found = weights_by_name(self._state, self._shapes, len(training))
        self.best.note(epoch, (training, validation), found)
        self._begin()

    def _begin(self) -> None:
        n_members = len(self.best.loss)
        self._n_batches = 0
        self._total = np.zeros(n_members, np.float32)
        self._sums = np.zeros(n_members, np.float32)
        self._count = np.float32(0)


def stack_size(n_members: int, shapes: Shapes, batch_size: int) -> int:
    """Return how many members are trained as one stack, so that all stacks have as many.

    Of the divisors of their number from `LEAST_MEMBERS` on it is the nearest, by its ratio, to what
    `LAYER_BYTES` holds.
    """
    units = max(shape[-1] for shape in shapes.values() if len(shape) == 2)
    wanted = max(LEAST_MEMBERS, LAYER_BYTES // (4 * units * batch_size))
    least = min(LEAST_MEMBERS, n_members)
    divisors = [d for d in range(least, n_members + 1) if n_members % d == 0]
    return min(divisors, key=lambda d: max(d, wanted) / min(d, wanted))
