"""The search over learning rates and penalties: every pair is trained, validation takes one."""

from __future__ import annotations

import itertools
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.config import NetworkSettings
from latentbeta.errors import DivergenceWarning
from latentbeta.models.autoencoder.early_stopping import TrainedEnsemble
from latentbeta.models.autoencoder.ensemble import Network, Optimisation, train
from latentbeta.models.autoencoder.networks import Weights, take_members
from latentbeta.models.autoencoder.sample import Sample
from latentbeta.models.protocol import Array

ORDER_STREAM = 1_000_003  # keeps the order of batches apart from every member's first weights


@dataclass(frozen=True)
class Searched:
    """The chosen pair's members: weights, and the tables of `protocol.Fit`."""

    weights: Weights
    history: pd.DataFrame
    selection: pd.DataFrame


def search(
    network: Network, sample: Sample, settings: NetworkSettings, n_seeds: int, seed: int
) -> Searched:
    """Train `n_seeds` members of every pair of a learning rate and a penalty, together.

    Kept is the pair whose members have the lowest mean validation loss. A pair of which a
    member's loss ceased to be finite comes after every pair with fewer such members; if none is
    without, those members are left out of the ensemble.

    Raises
    ------
    ModelError
        See `ensemble.train`.
    """
    pairs = list(itertools.product(settings.learning_rates, settings.l1_penalties))
    optimisation = Optimisation(
        rates=tuple(rate for rate, _ in pairs for _ in range(n_seeds)),
        penalties=tuple(penalty for _, penalty in pairs for _ in range(n_seeds)),
        seeds=tuple(seed + member for member in range(n_seeds)) * len(pairs),
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        patience=settings.patience,
        order_seed=seed + ORDER_STREAM,
    )
    trained = train(network, sample, optimisation)
    _warn_of_the_diverged(trained, optimisation)
    members = members_of_best_pair(trained.validation_loss, n_seeds)
    return Searched(
        weights=take_members(trained.weights, members.tolist()),
        history=_renumbered(trained.history, members),
        selection=pd.DataFrame(
            {
                "member": np.arange(len(members)),
                "best_epoch": trained.best_epoch[members],
                "validation_loss": trained.validation_loss[members],
                "l1_penalty": np.array(optimisation.penalties)[members],
                "learning_rate": np.array(optimisation.rates)[members],
            }
        ),
    )


def members_of_best_pair(validation_loss: Array, n_seeds: int) -> NDArray[np.int64]:
    """Return the members to keep of losses (pairs · seeds,), inf where one diverged."""
    losses = validation_loss.reshape(-1, n_seeds)
    finite = np.isfinite(losses)
    counts = finite.sum(axis=1)
    with np.errstate(invalid="ignore"):
        means = np.where(finite, losses, 0.0).sum(axis=1) / counts
    best = int(np.lexsort((means, -counts))[0])
    return best * n_seeds + np.flatnonzero(finite[best])


def _warn_of_the_diverged(trained: TrainedEnsemble, optimisation: Optimisation) -> None:
    diverged = np.flatnonzero(~np.isfinite(trained.validation_loss))
    if len(diverged):
        rates = sorted({optimisation.rates[member] for member in diverged})
        warnings.warn(
            f"{len(diverged)} of {len(trained.validation_loss)} networks were given up, their"
            f" losses no longer finite, at learning rates {', '.join(map(str, rates))}; leave"
            " these out of models.networks.learning_rates",
            DivergenceWarning,
            stacklevel=2,
        )


def _renumbered(history: pd.DataFrame, members: NDArray[np.int64]) -> pd.DataFrame:
    """Keep the members' curves, numbered as in the ensemble."""
    kept = history[history["member"].isin(members)].copy()
    kept["member"] = np.searchsorted(members, kept["member"])
    return kept.reset_index(drop=True)
