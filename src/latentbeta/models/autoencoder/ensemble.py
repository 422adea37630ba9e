"""Training of an ensemble: all members at once, each stopped early by its own validation loss."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.errors import ModelError
from latentbeta.models.autoencoder.networks import (
    Architecture,
    Weights,
    beta_network,
    by_member,
    factor_network,
    flatten_normalisation,
    initial_weights,
)
from latentbeta.models.protocol import Array


@dataclass(frozen=True)
class Sample:
    """What the networks are trained on; returns and portfolios are scaled to order one.

    Attributes
    ----------
    Z : (n, P); R : (n,), no gaps; date : (n,) index into X; X : (T, L), no gaps
    is_training : (n,) bool; the other rows are the validation sample
    """

    Z: NDArray[np.float32]
    R: NDArray[np.float32]
    date: NDArray[np.int64]
    X: NDArray[np.float32]
    is_training: NDArray[np.bool_]


@dataclass(frozen=True)
class Optimisation:
    """How members are trained; `penalties` and `seeds` have one entry a member."""

    learning_rate: float
    batch_size: int
    epochs: int
    patience: int
    penalties: tuple[float, ...]
    seeds: tuple[int, ...]
    order_seed: int


@dataclass(frozen=True)
class TrainedEnsemble:
    """Each member's weights at its best epoch, and how it came there."""

    beta_weights: Weights
    factor_weights: Weights
    history: pd.DataFrame
    best_epoch: NDArray[np.int64]
    validation_loss: Array


def train(
    architecture: Architecture, sample: Sample, optimisation: Optimisation
) -> TrainedEnsemble:
    """Train until every member's validation loss has not fallen for `patience` epochs.

    Members share the order of the batches but nothing else: each ends as it would alone.

    Raises
    ------
    ModelError
        When there are too few rows for one batch, no validation row, or a loss is not finite.
    """
    training_rows = np.flatnonzero(sample.is_training)
    if len(training_rows) < 2 or sample.is_training.all():
        raise ModelError(
            f"{len(training_rows)} training and {(~sample.is_training).sum()} validation rows:"
            " too few to train on; lengthen walk_forward.train or walk_forward.validation"
        )
    batch_size = min(optimisation.batch_size, len(training_rows))
    machine = _machine(architecture, batch_size, optimisation.learning_rate)
    machine.reset(list(optimisation.seeds))
    data = _padded(sample)
    best = _Best(architecture.n_members, optimisation.patience)
    shuffle = np.random.default_rng(optimisation.order_seed)
    for epoch in range(1, optimisation.epochs + 1):
        order = shuffle.permutation(training_rows)
        losses = machine.run(data, order, len(order) // batch_size, optimisation.penalties)
        best.note(epoch, losses, machine)
        if best.all_stopped(epoch):
            break
    return best.result()


class _Machine:
    """One architecture's networks, optimizer and compiled epoch, reused for every fold."""

    def __init__(self, architecture: Architecture, batch_size: int, learning_rate: float) -> None:
        import keras

        from latentbeta.models.autoencoder.tensorflow_loop import compile_epoch

        self.architecture = architecture
        self.betas, self.factors = beta_network(architecture), factor_network(architecture)
        self.optimizer = keras.optimizers.Adam(learning_rate)
        self.optimizer.build(self.betas.trainable_variables + self.factors.trainable_variables)
        self.fresh = [np.array(v) for v in self.optimizer.variables]
        self.epoch = compile_epoch(self.betas, self.factors, self.optimizer, batch_size)

    def reset(self, seeds: list[int]) -> None:
        beta, factor = initial_weights(self.architecture, seeds)
        self.betas.set_weights(beta)
        self.factors.set_weights(factor)
        for variable, value in zip(self.optimizer.variables, self.fresh, strict=True):
            variable.assign(value)

    def run(
        self, data: dict[str, Any], order: NDArray[np.int64], n_batches: int, penalties: Any
    ) -> tuple[Array, Array]:
        padded = np.zeros(len(data["R"]), np.int32)
        padded[: len(order)] = order
        training, validation = self.epoch(
            data, padded, np.asarray(n_batches, np.int32), np.asarray(penalties, np.float32)
        )
        losses = np.array(training, np.float64), np.array(validation, np.float64)
        if not np.isfinite(losses).all():
            raise ModelError(
                "a network's loss is no longer finite; lower models.autoencoder.learning_rate"
            )
        return losses

    def weights(self) -> tuple[Weights, Weights]:
        beta = by_member(self.betas.get_weights(), self.architecture.n_members)
        # Copies: the arrays Keras hands out may share memory with what is trained on.
        return [np.array(w) for w in beta], [np.array(w) for w in self.factors.get_weights()]


@lru_cache(maxsize=4)
def _machine(architecture: Architecture, batch_size: int, learning_rate: float) -> _Machine:
    return _Machine(architecture, batch_size, learning_rate)


class _Best:
    """Each member's lowest validation loss so far, and its weights then."""

    def __init__(self, n_members: int, patience: int) -> None:
        self.patience = patience
        self.epoch = np.zeros(n_members, np.int64)
        self.loss = np.full(n_members, np.inf)
        self.weights: tuple[Weights, Weights] | None = None
        self.curves: list[pd.DataFrame] = []

    def note(self, epoch: int, losses: tuple[Array, Array], machine: _Machine) -> None:
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
        better = (validation < self.loss) & (epoch - self.epoch <= self.patience)
        self.epoch[better], self.loss[better] = epoch, validation[better]
        if better.any():
            self._keep(better, machine.weights())

    def _keep(self, better: NDArray[np.bool_], weights: tuple[Weights, Weights]) -> None:
        if self.weights is None:
            self.weights = weights
            return
        for kept, new in zip(
            (*self.weights[0], *self.weights[1]), (*weights[0], *weights[1]), strict=True
        ):
            kept[better] = new[better]

    def all_stopped(self, epoch: int) -> bool:
        return bool((epoch - self.epoch >= self.patience).all())

    def result(self) -> TrainedEnsemble:
        assert self.weights is not None
        beta, factor = self.weights
        history = pd.concat(self.curves, ignore_index=True)
        return TrainedEnsemble(flatten_normalisation(beta), factor, history, self.epoch, self.loss)


def _padded(sample: Sample) -> dict[str, Any]:
    """Pad to powers of two, so that folds of nearly one size share one compiled program."""
    import keras

    n, validation = len(sample.R), np.flatnonzero(~sample.is_training)
    rows, dates = _capacity(n), _capacity(len(sample.X))
    held_out = _capacity(len(validation))
    arrays = {
        "Z": _pad(sample.Z, rows),
        "R": _pad(sample.R, rows),
        "date": _pad(sample.date.astype(np.int32), rows),
        "X": _pad(sample.X, dates),
        "validation_rows": _pad(validation.astype(np.int32), held_out),
        "validation_weights": _pad(np.ones(len(validation), np.float32), held_out),
    }
    return {name: keras.ops.convert_to_tensor(array) for name, array in arrays.items()}


def _capacity(length: int) -> int:
    return 1 << max(length - 1, 1).bit_length()


def _pad(values: NDArray[Any], length: int) -> NDArray[Any]:
    padded = np.zeros((length, *values.shape[1:]), values.dtype)
    padded[: len(values)] = values
    return padded
