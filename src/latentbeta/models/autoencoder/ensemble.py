"""Training of an ensemble: all members at once, each stopped early by its own validation loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.errors import ModelError
from latentbeta.models.autoencoder.epoch import Epoch, compile_epoch, fresh_state
from latentbeta.models.autoencoder.networks import Weights, stacked_weights
from latentbeta.models.protocol import Array


class Network(Protocol):
    """Shape of a network that can be stacked; equal ones share a compiled program."""

    def __hash__(self) -> int:
        """Hash the shape."""

    def first_weights(self, seed: int) -> Weights:
        """Draw one member's weights."""

    def squares(
        self, weights: Mapping[str, Any], data: Mapping[str, Any], rows: Any, *, training: bool
    ) -> tuple[Any, Any, dict[str, Any]]:
        """Return squared errors (M, rows), how many returns each row has, batch statistics."""


@dataclass(frozen=True)
class Sample:
    """What networks are trained on; returns and portfolios are scaled to order one.

    Attributes
    ----------
    data : arrays by the names that the network's `squares` reads
    training, validation : rows of the data
    """

    data: dict[str, NDArray[Any]]
    training: NDArray[np.int64]
    validation: NDArray[np.int64]


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
    epoch = _compiled(network, batch_size)
    weights = stacked_weights([network.first_weights(seed) for seed in optimisation.seeds])
    settings = [np.array(v, np.float32) for v in (optimisation.penalties, optimisation.rates)]
    data, state = _padded(sample), fresh_state(weights)
    best = _Best(weights, optimisation.patience)
    shuffle = np.random.default_rng(optimisation.order_seed)
    n_batches = np.int32(len(sample.training) // batch_size)
    for number in range(1, optimisation.epochs + 1):
        order = _pad(shuffle.permutation(sample.training).astype(np.int32))
        state, training, validation = epoch(state, data, order, n_batches, *settings)
        losses = np.array(training, np.float64), np.array(validation, np.float64)
        best.note(number, losses, state["weights"] | state["statistics"])
        if best.all_stopped(number):
            break
    return best.result()


# Not one is forgotten: XLA keeps a program until the process ends, and one that is made anew comes
# on top of the old.
@cache
def _compiled(network: Network, batch_size: int) -> Epoch:
    return compile_epoch(network.squares, batch_size)


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


def _padded(sample: Sample) -> dict[str, Any]:
    """Pad to powers of two, so that folds of nearly one size share one compiled program."""
    import keras

    arrays = sample.data | {"validation_rows": sample.validation.astype(np.int32)}
    padded = {name: _pad(array) for name, array in arrays.items()}
    padded["n_validation"] = np.array(len(sample.validation), np.int32)
    return {name: keras.ops.convert_to_tensor(array) for name, array in padded.items()}


def _pad(values: NDArray[Any]) -> NDArray[Any]:
    padded = np.zeros((_capacity(len(values)), *values.shape[1:]), values.dtype)
    padded[: len(values)] = values
    return padded


def _capacity(length: int) -> int:
    return 1 << max(length - 1, 1).bit_length()
