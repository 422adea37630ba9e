"""What the lecture's and the paper's autoencoders share: scaling, training, application."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentbeta.config import NetworkSettings
from latentbeta.models.autoencoder.networks import Architecture, Weights, stacked_betas
from latentbeta.models.autoencoder.sample import Sample
from latentbeta.models.autoencoder.search import search
from latentbeta.models.protocol import Array, Fit, State
from latentbeta.panel.panel import Panel

PREFIX = "network."  # of the networks' weights in a fit's state
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
    """Train members for every rate, penalty and seed; keep the pair that validation prefers.

    Everything that could carry information (the scale of returns, of portfolios, the pair,
    the epoch) comes from the first `n_training_dates` dates or, for the last two, from the
    validation dates after them.
    """
    scales = training_scale(panel, n_training_dates), input_scale(inputs.X[:n_training_dates])
    architecture = Architecture(inputs.Z.shape[1], hidden, n_factors, inputs.X.shape[1])
    sample = _sample(panel, inputs, n_training_dates, scales)
    found = search(architecture, sample, settings, n_seeds, seed)
    state = with_networks({"return_scale": np.array(scales[0])}, found.weights)
    return Fit(state | {"portfolio_scale": scales[1]}, found.history, found.selection)


def ensemble_betas(state: State, Z: NDArray[np.float32], blocks: Iterable[slice]) -> Array:
    """Apply the beta networks: (M, n, K), in units of return per unit of factor.

    Date by date: a matrix product's last bits depend on its number of rows, and no number of
    the past may depend on how many dates follow it.
    """
    import keras

    weights = {n: keras.ops.convert_to_tensor(w) for n, w in network_weights(state).items()}
    parts = [
        keras.ops.convert_to_numpy(stacked_betas(weights, Z[rows], training=False)[0])
        for rows in blocks
    ]
    return np.concatenate(parts, axis=2).transpose(0, 2, 1).astype(np.float64)


def ensemble_factors(state: State, X: Array) -> Array:
    """Apply the factor networks: (M, T, K), decimal returns; NaN on dates without returns."""
    weights = network_weights(state)["factors"].astype(np.float64)
    scaled = X / np.asarray(state["portfolio_scale"], dtype=np.float64)
    return np.einsum("tl,mlk->mtk", scaled, weights) * float(state["return_scale"])


def with_networks(state: State, weights: Weights) -> State:
    """Add networks' weights to a fit's state."""
    return state | {PREFIX + name: weight for name, weight in weights.items()}


def network_weights(state: State) -> Weights:
    """Return the stacked weights of a fit's state, the member first, by name."""
    return {
        name.removeprefix(PREFIX): np.asarray(weight, dtype=np.float32)
        for name, weight in state.items()
        if name.startswith(PREFIX)
    }


def training_scale(panel: Panel, n_training_dates: int) -> float:
    """Return the root mean square of the training dates' returns."""
    return float(np.sqrt(np.nanmean(panel.between(0, n_training_dates).R ** 2)))


def input_scale(X: Array) -> Array:
    """Return the root mean square of each input (T, L) over the training dates.

    A portfolio that earned nothing in training (its characteristic was not known yet) gets an
    infinite one and stays silent: what rounding left there is no scale, later returns over it
    would be astronomic.
    """
    scale = np.sqrt(np.nanmean(X**2, axis=0))
    return np.where(scale <= SILENT * np.nanmax(scale), np.inf, scale)


def _sample(
    panel: Panel, inputs: Inputs, n_training_dates: int, scales: tuple[float, Array]
) -> Sample:
    dated = np.asarray(np.isfinite(inputs.X).all(axis=1))
    usable = panel.observed & dated[panel.date_index]
    data: dict[str, NDArray[Any]] = {
        "Z": inputs.Z,
        "R": (panel.R / scales[0]).astype(np.float32),
        "date": panel.date_index,
        "X": np.nan_to_num(inputs.X / scales[1]).astype(np.float32),
    }
    is_training = panel.date_index < n_training_dates
    return Sample(data, np.flatnonzero(usable & is_training), np.flatnonzero(usable & ~is_training))
