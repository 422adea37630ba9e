"""The lecture's conditional autoencoder: factors straight from the returns of a fixed universe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from latentbeta.config import NetworkSettings
from latentbeta.errors import ModelError
from latentbeta.models.autoencoder.estimator import (
    Inputs,
    ensemble_betas,
    ensemble_factors,
    fit_ensemble,
    network_weights,
)
from latentbeta.models.autoencoder.export import export_networks
from latentbeta.models.protocol import Array, Fit, State, names_for_state
from latentbeta.panel.panel import Panel
from latentbeta.panel.stack import stack

# An asset belongs to the fixed universe when at most this share of its training returns is
# missing; those few, and any missing later, are masked out of the factor network's input.
LARGEST_MISSING_SHARE = 0.05


def complete_assets(panel: Panel) -> NDArray[np.str_]:
    """Return the names of the assets whose returns are (nearly) all known, maybe none."""
    known = np.isfinite(panel.dense(panel.R))
    return panel.assets[known.mean(axis=0) >= 1 - LARGEST_MISSING_SHARE]


def no_fixed_universe(panel: Panel) -> str | None:
    """Say so when no asset's returns are (nearly) all known, else None."""
    if len(complete_assets(panel)):
        return None
    return (
        f"no asset has returns on {1 - LARGEST_MISSING_SHARE:.0%} of the sample's"
        f" {panel.n_dates} dates, so there is no fixed universe"
    )


def fixed_universe(training: Panel) -> NDArray[np.str_]:
    """Return the names of the assets whose returns are (nearly) all known in training.

    Raises
    ------
    ModelError
        When there is none.
    """
    universe = complete_assets(training)
    if not len(universe):
        raise ModelError(
            "no asset has returns throughout the training sample, so there is no fixed universe;"
            " shorten walk_forward.train or take cae_lecture and autoencoder out of models.names"
        )
    return names_for_state(universe)


def universe_returns(panel: Panel, universe: NDArray[np.str_], *, lag: int) -> Array:
    """Return (T, L) returns of the universe `lag` dates earlier; NaN rows where none is known.

    A single missing return contributes nothing (zero input); the others are scaled up by the
    share that is known, so that a factor does not shrink with the number of gaps.
    """
    R = panel.dense(panel.R)[:, np.searchsorted(panel.assets, universe)]
    share = np.isfinite(R).mean(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        inputs = np.where(share > 0, np.nan_to_num(R) / share, np.nan)
    return np.vstack([np.full((lag, len(universe)), np.nan), inputs])[: panel.n_dates]


@dataclass(frozen=True)
class LectureAutoencoder:
    """Beta = Dense(BatchNorm → ReLU(Dense(Z))), f = Dense(returns of a fixed universe), Dot.

    Parameters
    ----------
    target : "same" explains a date's returns with factors of the same date; "ahead" feeds the
        factor network the date before, so that its product is a forecast.

    Assets that join later have betas too (they share the networks) but no say in the factors.
    """

    n_factors: int
    n_seeds: int
    hidden_units: int
    target: Literal["same", "ahead"]
    settings: NetworkSettings
    seed: int
    name: str = "cae_lecture"
    n_identified: int = 0
    uses_characteristics: bool = True

    @property
    def tradable(self) -> bool:
        """False for the day-ahead target."""
        return not self.leads

    @property
    def leads(self) -> bool:
        """True for the day-ahead target."""
        return self.target == "ahead"

    def obstacle(self, panel: Panel) -> str | None:
        """Say so when there is no fixed universe."""
        return no_fixed_universe(panel)

    def fit(self, training: Panel, validation: Panel) -> Fit:
        """Train the ensemble; the universe is fixed by the training panel alone."""
        panel, universe = stack(training, validation), fixed_universe(training)
        fit = fit_ensemble(
            panel,
            Inputs(panel.Z, universe_returns(panel, universe, lag=int(self.leads))),
            training.n_dates,
            hidden=(self.hidden_units,),
            n_factors=self.n_factors,
            n_seeds=self.n_seeds,
            settings=self.settings,
            seed=self.seed,
        )
        return Fit(fit.state | {"universe": universe}, fit.history, fit.selection)

    def betas(self, state: State, panel: Panel) -> Array:
        """(M, n, K) betas of the panel's rows."""
        return ensemble_betas(state, panel.Z, panel.blocks())

    def factors(self, state: State, panel: Panel) -> Array:
        """(M, T, K) factor returns; with the day-ahead target known one date before."""
        universe = state["universe"].astype(np.str_)
        return ensemble_factors(state, universe_returns(panel, universe, lag=int(self.leads)))

    def export(self, state: State, rotations: Array, premia: Array, folder: Path) -> None:
        """Save the beta and the forecast network."""
        export_networks(network_weights(state), rotations, premia, folder)
