"""Risk-premium PCA: components that explain mean returns as well as co-movement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentbeta.models.gaps import moments_of_dates
from latentbeta.models.pca import LatentConstantBetas, unit_loadings
from latentbeta.models.protocol import Array


def risk_premium_components(R: Array, n_factors: int, weight: float) -> Array:
    """Return the (N, K) loadings of RP-PCA, for returns with gaps.

    Without gaps they are the leading eigenvectors of R'R / T + γ r̄ r̄': at γ = 0 PCA about zero,
    at γ = -1 PCA of the covariance. With V = I + (√(1 + γ) - 1) 1 1' / T that matrix is
    (V R)'(V R) / T, so they are found from the (T, T) moments of dates, which gaps leave intact:
    u, the leading eigenvectors of V (R R') V, then f = R R' V u, and the loadings of each asset are
    the regression of V r on V f over the dates that it has.

    Parameters
    ----------
    R : (T, N), NaN where missing
    weight : γ, at least -1

    Returns
    -------
    (N, K) loadings of root mean square one, positive on average.

    Source: Lettau and Pelger (2020), Factors that fit the time series and cross-section of stock
    returns, Review of Financial Studies 33.
    """
    moments = moments_of_dates(R)
    leading = np.linalg.eigh(_raised(_raised(moments, weight).T, weight))[1][:, ::-1]
    factors = moments @ _raised(leading[:, :n_factors], weight)
    return unit_loadings(_premium_regressions(R, factors, weight))


def _raised(columns: Array, weight: float) -> Array:
    """V times columns (T, K): their means raised to √(1 + γ) of themselves."""
    return columns + (np.sqrt(1 + weight) - 1) * columns.mean(axis=0)


def _premium_regressions(R: Array, factors: Array, weight: float) -> Array:
    """Minimise Σ (r - f'b)² + γ T (r̄ - f̄'b)² for each asset over its own T dates: (N, K)."""
    seen = np.isfinite(R)
    present, counts = seen.astype(np.float64), seen.sum(axis=0)[:, None]
    means = present.T @ factors / counts
    mean_returns = np.nansum(R, axis=0)[:, None] / counts
    ff = np.einsum("tn,tj,tk->njk", present, factors, factors, optimize=True)
    ff += weight * counts[:, :, None] * means[:, :, None] * means[:, None, :]
    fr = np.nan_to_num(R).T @ factors + weight * counts * means * mean_returns
    return np.linalg.solve(ff, fr[:, :, None])[:, :, 0]


@dataclass(frozen=True)
class RiskPremiumPCA(LatentConstantBetas):
    """RP-PCA of the panel's returns over training and validation.

    Attributes
    ----------
    weight : γ, how much mean returns count beside co-movement
    """

    weight: float = 10.0
    name: str = "rp_pca"

    def loadings(self, R: Array) -> Array:
        """See `risk_premium_components`."""
        return risk_premium_components(R, self.n_factors, self.weight)
