"""Observed factors: the market's return is given, betas are solved by time-series regression."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latentbeta.models.constant_betas import (
    MINIMUM_OBSERVATIONS,
    asset_regressions,
    constant_betas,
    export_constant_betas,
    spread_constant_betas,
)
from latentbeta.models.protocol import Array, Fit, State
from latentbeta.panel.panel import Panel
from latentbeta.panel.stack import stack


def market_factor(panel: Panel) -> Array:
    """Return the equal-weighted mean excess return of each date, (T, 1); NaN if none is known."""
    known = panel.observed
    sums = np.bincount(panel.date_index[known], panel.R[known], minlength=panel.n_dates)
    counts = np.bincount(panel.date_index[known], minlength=panel.n_dates)
    with np.errstate(invalid="ignore"):
        return (sums / counts)[:, None]


def time_series_betas(R: Array, F: Array) -> Array:
    """Regress each asset's returns on the factors and a constant.

    Parameters
    ----------
    R : (T, N), NaN where missing
    F : (T, K)

    Returns
    -------
    (N, K) slopes; NaN for an asset with fewer than 12 returns (or K + 2, if that is more).

    Source: Black, Jensen and Scholes (1972).
    """
    X = np.column_stack([np.ones(len(F)), F])
    betas = asset_regressions(R, X)[:, 1:]
    betas[np.isfinite(R).sum(axis=0) < max(MINIMUM_OBSERVATIONS, X.shape[1] + 1)] = np.nan
    return betas


@dataclass(frozen=True)
class ObservedFactors:
    """The market model: constant betas on the panel's equal-weighted market, K = 1."""

    n_factors: int = 1
    name: str = "observed_factors"
    leads: bool = False
    n_identified: int = 1
    uses_characteristics: bool = False

    def obstacle(self, panel: Panel) -> str | None:  # noqa: ARG002
        """None: it can be estimated on any panel."""
        return None

    def fit(self, training: Panel, validation: Panel) -> Fit:
        """Estimate on both samples: there is nothing to select."""
        panel = stack(training, validation)
        F = market_factor(panel)
        dated = np.isfinite(F[:, 0])
        betas = time_series_betas(panel.dense(panel.R)[dated], F[dated])
        return Fit(constant_betas(panel.assets, betas))

    def betas(self, state: State, panel: Panel) -> Array:
        """(1, n, 1): each asset's constant beta."""
        return spread_constant_betas(state, panel)

    def factors(self, state: State, panel: Panel) -> Array:  # noqa: ARG002
        """(1, T, 1): the market's return."""
        return market_factor(panel)[None]

    def export(self, state: State, rotations: Array, premia: Array, folder: Path) -> None:  # noqa: ARG002
        """Save each asset's betas."""
        export_constant_betas(state, rotations, folder)
