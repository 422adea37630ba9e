"""Principal components of returns with gaps: constant betas, nothing given."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latentbeta.errors import ConvergenceWarning
from latentbeta.models.constant_betas import (
    MINIMUM_OBSERVATIONS,
    constant_betas,
    export_constant_betas,
    spread_constant_betas,
)
from latentbeta.models.protocol import Array, Fit, State
from latentbeta.panel.panel import Panel
from latentbeta.panel.stack import stack


def principal_components(
    R: Array, n_factors: int, *, tolerance: float = 1e-6, max_iterations: int = 500
) -> Array:
    """Return the (N, K) loadings of the uncentred second moment of returns with gaps.

    Expectation: missing returns are set to their fitted values; maximisation: the leading K
    singular vectors of the completed matrix; until the fit of the missing moves by less than
    `tolerance` of the returns' root mean square. Loadings have orthogonal columns of length √N.

    Parameters
    ----------
    R : (T, N), NaN where missing

    Source: Stock and Watson (2002), appendix A.
    """
    seen = np.isfinite(R)
    filled = np.where(seen, R, 0.0)
    scale = float(np.sqrt(np.mean(R[seen] ** 2)))
    for _ in range(max_iterations):
        left, values, right = np.linalg.svd(filled, full_matrices=False)
        fit = (left[:, :n_factors] * values[:n_factors]) @ right[:n_factors]
        change = np.abs(fit - filled)[~seen].max(initial=0.0)
        filled = np.where(seen, R, fit)
        if change < tolerance * scale:
            break
    else:
        warnings.warn(
            f"principal components: still moving by {change / scale:.1e} of the returns' scale"
            f" after {max_iterations} iterations",
            ConvergenceWarning,
            stacklevel=2,
        )
    return _positive_on_average(right[:n_factors].T * np.sqrt(R.shape[1]))


def cross_sectional_factors(betas: Array, returns: Array) -> Array:
    """Regress one date's known returns (n,) on betas (n, K): (K,), NaN if fewer than K."""
    seen = np.isfinite(returns)
    if seen.sum() < betas.shape[1]:
        return np.full(betas.shape[1], np.nan)
    return np.linalg.lstsq(betas[seen], returns[seen], rcond=None)[0]


def _positive_on_average(loadings: Array) -> Array:
    return loadings * np.where(loadings.sum(axis=0) < 0, -1.0, 1.0)


@dataclass(frozen=True)
class PrincipalComponents:
    """PCA of the panel's returns over training and validation: there is nothing to select."""

    n_factors: int
    name: str = "pca"
    leads: bool = False

    def fit(self, training: Panel, validation: Panel) -> Fit:
        """Take the loadings of the assets with enough returns."""
        panel = stack(training, validation)
        R = panel.dense(panel.R)
        enough = np.isfinite(R).sum(axis=0) >= max(MINIMUM_OBSERVATIONS, 2 * self.n_factors)
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

    def export(self, state: State, rotations: Array, folder: Path) -> None:
        """Save each asset's betas."""
        export_constant_betas(state, rotations, folder)
