"""Time-series regression of every asset's returns on common factors, with Newey-West errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentbeta.models.constant_betas import MINIMUM_OBSERVATIONS
from latentbeta.models.hac import automatic_lags, long_run_sums
from latentbeta.models.protocol import Array

CHUNK = 100  # assets at a time: scores of all of them at once would not fit in memory

# Regressors of unit length are collinear when their Gram matrix has an eigenvalue this far below
# its largest: ten of sixteen digits are gone by then.
COLLINEAR = 1e-10


@dataclass(frozen=True)
class TimeSeriesRegressions:
    """r_t = alpha + beta f_t + u_t for each of N assets; NaN where it was not estimated.

    Attributes
    ----------
    alphas, alphas_se : (N,) decimal a period
    betas, betas_se : (N, K)
    """

    alphas: Array
    betas: Array
    alphas_se: Array
    betas_se: Array


def time_series_regressions(
    R: Array, F: Array, weights: Array | None = None
) -> TimeSeriesRegressions:
    """Regress each asset's returns on a constant and the factors by weighted least squares.

    Parameters
    ----------
    R : (T, N), NaN where missing
    F : (T, K), NaN where not known: the date is left out
    weights : (T,), optional
        Positive; one each, when not given.

    Returns
    -------
    TimeSeriesRegressions
        NaN for an asset with fewer than 12 returns (or K + 2, if that is more), and for one
        whose factors are collinear over its dates.

    Notes
    -----
    With x_t = (1, f_t), û_t the residual and w_t the weight, the covariance of the coefficients
    is (Σ w x x')⁻¹ S (Σ w x x')⁻¹, S the Newey-West sum of the scores w_t x_t û_t with lag
    floor(4 (T / 100)^(2/9)), T the asset's returns. A lag counts periods, gaps included. There
    is no correction for small samples.

    Source: Black, Jensen and Scholes (1972); Newey and West (1987).
    """
    dated = np.isfinite(F.sum(axis=1))
    root = np.sqrt(np.ones(len(R)) if weights is None else weights)
    X = np.where(dated[:, None], np.column_stack([np.ones(len(F)), F]), 0.0) * root[:, None]
    seen = np.isfinite(R) & dated[:, None]
    n_terms = X.shape[1]
    enough = np.flatnonzero(seen.sum(axis=0) >= max(MINIMUM_OBSERVATIONS, n_terms + 1))
    coefficients, errors = np.full((2, R.shape[1], n_terms), np.nan)
    for start in range(0, len(enough), CHUNK):
        assets = enough[start : start + CHUNK]
        y = np.where(seen[:, assets], R[:, assets], 0.0) * root[:, None]
        coefficients[assets], errors[assets] = _regress(y.T, X, seen[:, assets].T)
    return TimeSeriesRegressions(
        coefficients[:, 0], coefficients[:, 1:], errors[:, 0], errors[:, 1:]
    )


def _regress(Y: Array, X: Array, seen: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Regress each row of Y (N, T) on X (T, J) where `seen`: coefficients and errors (N, J)."""
    length = np.sqrt((X**2).mean(axis=0))
    length = np.where(length > 0, length, 1.0)
    # A product an asset, all of one shape: no asset's last bits depend on which others there are.
    x = np.where(seen[:, :, None], X / length, 0.0)
    gram = x.swapaxes(1, 2) @ x
    values, vectors = np.linalg.eigh(gram)
    usable = values[:, 0] > COLLINEAR * values[:, -1]
    scale = np.where(usable[:, None], values, np.nan)
    inverse = (vectors / scale[:, None, :]) @ vectors.swapaxes(1, 2)
    coefficients = (inverse @ (x.swapaxes(1, 2) @ Y[:, :, None]))[..., 0]
    residuals = Y - (x @ coefficients[:, :, None])[..., 0]
    scores = x * residuals[:, :, None]
    sums = long_run_sums(scores, automatic_lags(seen.sum(axis=1)))
    variances = np.diagonal(inverse @ sums @ inverse, axis1=1, axis2=2)
    return coefficients / length, np.sqrt(np.maximum(variances, 0.0)) / length
