"""What the lecture's and the paper's autoencoders share: scaling, selection, application."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.config import NetworkSettings
from latentbeta.models.autoencoder.ensemble import Optimisation, Sample, TrainedEnsemble, train
from latentbeta.models.autoencoder.networks import (
    Architecture,
    Weights,
    beta_network,
    take_members,
)
from latentbeta.models.protocol import Array, Fit, State
from latentbeta.panel.panel import Panel

ORDER_STREAM = 1_000_003  # keeps the order of batches apart from every member's first weights
SILENT = 1e-8  # of the largest portfolio scale


@dataclass(frozen=True)
class Inputs:
    """A panel as the networks see it, before scaling.

    Attributes
    ----------
    Z : (n, P), of every row
    X : (T, L), of every date; NaN where no return is known
    """

    Z: NDArray[np.float32]
    X: Array


def fit_ensemble(
    panel: Panel,
    inputs: Inputs,
    n_training_dates: int,
    *,
    hidden: tuple[int, ...],
    n_factors: int,
    n_seeds: int,
    settings: NetworkSettings,
    seed: int,
) -> Fit:
    """Train members for every penalty and seed; keep the penalty whose validation loss is lowest.

    Everything that could carry information (the scale of returns, of portfolios, the penalty,
    the epoch) comes from the first `n_training_dates` dates or, for the last two, from the
    validation dates after them.
    """
    scales = _scales(panel, inputs, n_training_dates)
    sample = _sample(panel, inputs, n_training_dates, scales)
    penalties = tuple(p for p in settings.l1_penalties for _ in range(n_seeds))
    architecture = Architecture(
        inputs.Z.shape[1], hidden, n_factors, inputs.X.shape[1], len(penalties)
    )
    optimisation = Optimisation(
        learning_rate=settings.learning_rates[0],
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        patience=settings.patience,
        penalties=penalties,
        seeds=tuple(seed + member for member in range(n_seeds)) * len(settings.l1_penalties),
        order_seed=seed + ORDER_STREAM,
    )
    trained = train(architecture, sample, optimisation)
    members = _members_of_best_penalty(trained.validation_loss, n_seeds)
    return Fit(
        state=_state(trained, members, len(penalties), scales),
        history=_chosen_first(trained.history, members),
        selection=pd.DataFrame(
            {
                "member": np.arange(n_seeds),
                "best_epoch": trained.best_epoch[members],
                "validation_loss": trained.validation_loss[members],
                "l1_penalty": np.array(penalties)[members],
            }
        ),
    )


def ensemble_betas(
    state: State, hidden: tuple[int, ...], Z: NDArray[np.float32], blocks: Iterable[slice]
) -> Array:
    """Apply the beta networks: (M, n, K), in units of return per unit of factor.

    Date by date: a matrix product's last bits depend on its number of rows, and no number of
    the past may depend on how many dates follow it.
    """
    weights = beta_weights(state)
    n_members, n_inputs, _ = weights[0].shape
    n_factors = int(weights[-1].shape[-1])
    network = _network(Architecture(n_inputs, hidden, n_factors, 1, n_members))
    network.set_weights(weights)
    parts = [np.asarray(network(Z[rows], training=False), dtype=np.float64) for rows in blocks]
    return np.concatenate(parts).transpose(1, 0, 2)


def ensemble_factors(state: State, X: Array) -> Array:
    """Apply the factor networks: (M, T, K), decimal returns; NaN on dates without returns."""
    weights = np.asarray(state["factor_0"], dtype=np.float64)
    scaled = X / np.asarray(state["portfolio_scale"], dtype=np.float64)
    return np.einsum("tl,mlk->mtk", scaled, weights) * float(state["return_scale"])


def beta_weights(state: State) -> Weights:
    """Return the stacked beta network's weights."""
    count = sum(name.startswith("beta_") for name in state)
    return [np.asarray(state[f"beta_{i}"], dtype=np.float32) for i in range(count)]


@lru_cache(maxsize=8)
def _network(architecture: Architecture) -> Any:
    return beta_network(architecture)


def _scales(panel: Panel, inputs: Inputs, n_training_dates: int) -> tuple[float, Array]:
    training = panel.between(0, n_training_dates)
    return_scale = float(np.sqrt(np.nanmean(training.R**2)))
    X = inputs.X[:n_training_dates]
    portfolio_scale = np.sqrt(np.nanmean(X**2, axis=0))
    # A portfolio that earned nothing in training (its characteristic was not known yet) stays
    # silent: what rounding left there is no scale, later returns over it would be astronomic.
    silent = portfolio_scale <= SILENT * np.nanmax(portfolio_scale)
    return return_scale, np.where(silent, np.inf, portfolio_scale)


def _sample(
    panel: Panel, inputs: Inputs, n_training_dates: int, scales: tuple[float, Array]
) -> Sample:
    dated = np.asarray(np.isfinite(inputs.X).all(axis=1))
    usable = panel.observed & dated[panel.date_index]
    date = panel.date_index[usable]
    return Sample(
        Z=inputs.Z[usable],
        R=(panel.R[usable] / scales[0]).astype(np.float32),
        date=date,
        X=np.nan_to_num(inputs.X / scales[1]).astype(np.float32),
        is_training=date < n_training_dates,
    )


def _members_of_best_penalty(validation_loss: Array, n_seeds: int) -> list[int]:
    best = int(np.argmin(validation_loss.reshape(-1, n_seeds).mean(axis=1)))
    return list(range(best * n_seeds, (best + 1) * n_seeds))


def _chosen_first(history: pd.DataFrame, members: list[int]) -> pd.DataFrame:
    chosen = history[history["member"].isin(members)].copy()
    chosen["member"] -= members[0]
    return chosen.reset_index(drop=True)


def _state(
    trained: TrainedEnsemble, members: list[int], n_members: int, scales: tuple[float, Array]
) -> State:
    beta = take_members(trained.beta_weights, members, n_members)
    factor = [w[members] for w in trained.factor_weights]
    state: State = {f"beta_{i}": w for i, w in enumerate(beta)}
    state |= {f"factor_{i}": w for i, w in enumerate(factor)}
    return state | {"return_scale": np.array(scales[0]), "portfolio_scale": scales[1]}
