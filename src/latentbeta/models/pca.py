"""Principal components of returns with gaps: constant betas, nothing given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from latentbeta.errors import ModelError
from latentbeta.models.constant_betas import (
    MINIMUM_OBSERVATIONS,
    asset_regressions,
    constant_betas,
    export_constant_betas,
    spread_constant_betas,
)
from latentbeta.models.gaps import likeliest_factors, second_moment_factors
from latentbeta.models.protocol import Array, Fit, State
from latentbeta.panel.panel import Panel
from latentbeta.panel.stack import stack

# With fewer returns than this share of the dates, loadings are mostly the noise of those few.
MINIMUM_SHARE = 0.5

Gaps = Literal["second-moments", "expectation-maximisation"]
FACTORS: dict[Gaps, Callable[[Array, int], Array]] = {
    "second-moments": second_moment_factors,
    "expectation-maximisation": likeliest_factors,
}


def principal_components(R: Array, n_factors: int, gaps: Gaps = "second-moments") -> Array:
    """Return the (N, K) loadings of returns with gaps, not centred.

    Factors come from `gaps`; loadings are each asset's regression on them over the dates it has.
    Without gaps either way is the singular value decomposition.

    Parameters
    ----------
    R : (T, N), NaN where missing

    Returns
    -------
    (N, K) loadings of root mean square one, positive on average, largest factor first.

    Source: Connor and Korajczyk (1988), Journal of Financial Economics 21, and what `gaps` names.
    """
    factors = FACTORS[gaps](R, n_factors)
    return unit_loadings(asset_regressions(R, factors))


def unit_loadings(loadings: Array) -> Array:
    """Rescale loadings (N, K) to a root mean square of one, positive on average."""
    size = np.sqrt(np.nanmean(loadings**2, axis=0))
    return loadings / size * np.where(np.nansum(loadings, axis=0) < 0, -1.0, 1.0)


def cross_sectional_factors(betas: Array, returns: Array) -> Array:
    """Regress one date's known returns (n,) on betas (n, K): (K,), NaN if fewer than K."""
    seen = np.isfinite(returns)
    if seen.sum() < betas.shape[1]:
        return np.full(betas.shape[1], np.nan)
    return np.linalg.lstsq(betas[seen], returns[seen], rcond=None)[0]


def enough_returns(R: Array, n_factors: int) -> NDArray[np.bool_]:
    """Return which assets (N,) have the returns that betas of their own take."""
    needed = max(MINIMUM_OBSERVATIONS, 2 * n_factors, MINIMUM_SHARE * len(R))
    enough: NDArray[np.bool_] = np.isfinite(R).sum(axis=0) >= needed
    return enough


def too_small(R: Array, n_factors: int) -> str | None:
    """Say why returns (T, N) have no K components, else None."""
    enough = enough_returns(R, n_factors)
    n_assets, n_dates = enough.sum(), np.isfinite(R[:, enough]).any(axis=1).sum()
    if n_factors <= min(n_assets, n_dates):
        return None
    return (
        f"{n_factors} components, but only {n_assets} assets have enough returns, on {n_dates}"
        " dates; lower models.n_factors"
    )


@dataclass(frozen=True)
class LatentConstantBetas:
    """Constant betas from the panel's returns alone; each model has its own `loadings`."""

    n_factors: int

    leads = False
    n_identified = 0
    uses_characteristics = False
    tradable = True

    @property
    def name(self) -> str:
        """Name of the model in every table."""
        raise NotImplementedError

    def loadings(self, R: Array) -> Array:
        """(N, K) betas from returns (T, N), NaN where missing, every date and asset with some."""
        raise NotImplementedError

    def obstacle(self, panel: Panel) -> str | None:
        """Say when there are fewer assets with enough returns, or dates, than factors."""
        return too_small(panel.dense(panel.R), self.n_factors)

    def fit(self, training: Panel, validation: Panel) -> Fit:
        """Take the loadings of the assets with enough returns; there is nothing to select.

        Raises
        ------
        ModelError
            When there is an obstacle.
        """
        panel = stack(training, validation)
        R = panel.dense(panel.R)
        if (obstacle := too_small(R, self.n_factors)) is not None:
            raise ModelError(f"{self.name}, K = {self.n_factors}: {obstacle}")
        enough = enough_returns(R, self.n_factors)
        seen_dates = np.isfinite(R[:, enough]).any(axis=1)
        betas = np.full((panel.n_assets, self.n_factors), np.nan)
        betas[enough] = self.loadings(R[np.ix_(seen_dates, enough)])
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


@dataclass(frozen=True)
class PrincipalComponents(LatentConstantBetas):
    """PCA of the panel's returns over training and validation."""

    gaps: Gaps = "second-moments"
    name: str = "pca"

    def loadings(self, R: Array) -> Array:
        """See `principal_components`."""
        return principal_components(R, self.n_factors, self.gaps)
