"""Principal components of returns with gaps: constant betas, nothing given."""

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

# With fewer returns than this share of the dates, loadings are mostly the noise of those few.
MINIMUM_SHARE = 0.5


def principal_components(R: Array, n_factors: int) -> Array:
    """Return the (N, K) loadings of the uncentred second moment of returns with gaps.

    Factors are the leading eigenvectors of the (T, T) matrix of mean products of two dates'
    returns over the assets that have both; loadings are each asset's regression on them over
    the dates it has. Without gaps this is the singular value decomposition. Expectation-
    maximisation was tried first: where assets list late it must invent long histories, and with
    three factors on 500 stocks it had not settled after 500 iterations.

    Parameters
    ----------
    R : (T, N), NaN where missing

    Returns
    -------
    (N, K) loadings of root mean square one, positive on average.

    Source: Connor and Korajczyk (1987), Estimating pervasive economic factors with missing
    observations, working paper.
    """
    seen = np.isfinite(R)
    filled = np.where(seen, R, 0.0)
    together = np.maximum(seen.astype(np.float64) @ seen.T, 1.0)
    factors = np.linalg.eigh(filled @ filled.T / together)[1][:, ::-1][:, :n_factors]
    loadings = asset_regressions(R, factors)
    size = np.sqrt(np.nanmean(loadings**2, axis=0))
    return loadings / size * np.where(np.nansum(loadings, axis=0) < 0, -1.0, 1.0)


def cross_sectional_factors(betas: Array, returns: Array) -> Array:
    """Regress one date's known returns (n,) on betas (n, K): (K,), NaN if fewer than K."""
    seen = np.isfinite(returns)
    if seen.sum() < betas.shape[1]:
        return np.full(betas.shape[1], np.nan)
    return np.linalg.lstsq(betas[seen], returns[seen], rcond=None)[0]


@dataclass(frozen=True)
class PrincipalComponents:
    """PCA of the panel's returns over training and validation: there is nothing to select."""

    n_factors: int
    name: str = "pca"
    leads: bool = False
    n_identified: int = 0
    uses_characteristics: bool = False

    def obstacle(self, panel: Panel) -> str | None:  # noqa: ARG002
        """None: it can be estimated on any panel."""
        return None

    def fit(self, training: Panel, validation: Panel) -> Fit:
        """Take the loadings of the assets with enough returns."""
        panel = stack(training, validation)
        R = panel.dense(panel.R)
        counts = np.isfinite(R).sum(axis=0)
        enough = counts >= max(MINIMUM_OBSERVATIONS, 2 * self.n_factors, MINIMUM_SHARE * len(R))
        seen_dates = np.isfinite(R[:, enough]).any(axis=1)
        betas = np.full((panel.n_assets, self.n_factors), np.nan)
        betas[enough] = principal_components(R[np.ix_(seen_dates, enough)], self.n_factors)
        return Fit(constant_betas(panel.assets, betas))

    def betas(self, state: State, panel: Panel) -> Array:
        """(1, n, K): each asset's constant betas."""
        return spread_constant_betas(state, panel)

    def factors(self, state: State, panel: Panel) -> Array:
        """(1, T, K): cross-sectional regression of each date's returns on the betas."""
        betas = self.betas(state, panel)[0]
        rows = list(panel.blocks())
        return np.array([cross_sectional_factors(betas[r], panel.R[r]) for r in rows])[None]

    def export(self, state: State, rotations: Array, premia: Array, folder: Path) -> None:  # noqa: ARG002
        """Save each asset's betas."""
        export_constant_betas(state, rotations, folder)
