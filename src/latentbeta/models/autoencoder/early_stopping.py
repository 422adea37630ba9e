"""Early stopping: each member's weights at the epoch of its lowest validation loss."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.errors import ModelError
from latentbeta.models.autoencoder.networks import Weights
from latentbeta.models.protocol import Array


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


@dataclass
class Best:
    """Each member's lowest validation loss so far, and its weights then."""

    weights: Weights
    patience: int
    first_member: int = 0  # its number in the ensemble
    curves: list[pd.DataFrame] = field(default_factory=list)

    def __post_init__(self) -> None:
        n_members = len(next(iter(self.weights.values())))
        self.epoch = np.zeros(n_members, np.int64)
        self.loss = np.full(n_members, np.inf)
        self.diverged = np.zeros(n_members, np.bool_)

    def note(self, epoch: int, losses: tuple[Array, Array], weights: dict[str, Any]) -> None:
        """Note an epoch's mean squared errors in training and validation, each (M,)."""
        training, validation = losses
        self.curves.append(
            pd.DataFrame(
                {
                    "member": self.first_member + np.arange(len(validation)),
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
        """Tell whether no member's loss can fall any more, or counts."""
        return bool(((epoch - self.epoch >= self.patience) | self.diverged).all())


def joined(stacks: list[Best]) -> TrainedEnsemble:
    """Return what was found, stack after stack.

    Raises
    ------
    ModelError
        When no member's loss stayed finite.
    """
    diverged = np.concatenate([stack.diverged for stack in stacks])
    if diverged.all():
        raise ModelError("no network's loss stayed finite; lower models.networks.learning_rates")
    curves = pd.concat([curve for stack in stacks for curve in stack.curves])
    loss = np.concatenate([stack.loss for stack in stacks])
    return TrainedEnsemble(
        {n: np.concatenate([stack.weights[n] for stack in stacks]) for n in stacks[0].weights},
        curves.sort_values(["epoch", "member"], ignore_index=True),
        np.concatenate([stack.epoch for stack in stacks]),
        np.where(diverged, np.inf, loss),
    )
