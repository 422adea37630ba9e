"""Cross-sectional regression of one date's returns: ordinary, weighted or robust."""

from __future__ import annotations

import warnings

import numpy as np

from latentbeta.errors import ConvergenceWarning
from latentbeta.models.managed_portfolios import RELATIVE_CUTOFF
from latentbeta.models.protocol import Array

# Huber's constant keeps 95 % of the efficiency of least squares when errors are normal; the
# median absolute deviation of a normal variable is this share of its standard deviation.
HUBER_BOUND = 1.345
NORMAL_MEDIAN_DEVIATION = 0.6744897501960817

ROBUST_TOLERANCE, ROBUST_ITERATIONS = 1e-12, 500


def least_squares(X: Array, y: Array, weights: Array | None = None) -> Array:
    """Return the (K,) coefficients that minimise Σ w (y - X b)².

    Of collinear regressors (after scaling each to unit length, those with less than 1e-4 of the
    largest eigenvalue) the solution of smallest norm, as for managed portfolios. NaN where there
    are fewer rows with weight than columns.

    Parameters
    ----------
    X : (n, K)
    y : (n,)
    weights : (n,), optional
        Not negative; one each, when not given.
    """
    if weights is not None:
        used, root = weights > 0, np.sqrt(weights)[:, None]
        X, y = (X * root)[used], (y * root[:, 0])[used]
    if len(y) < X.shape[1]:
        return np.full(X.shape[1], np.nan)
    length = np.sqrt((X**2).sum(axis=0))
    length = np.where(length > 0, length, 1.0)
    return np.linalg.lstsq(X / length, y, rcond=np.sqrt(RELATIVE_CUTOFF))[0] / length


def robust_regression(X: Array, y: Array) -> Array:
    """Return Huber's M-estimate (K,): outlying returns count by their size, not its square.

    Iteratively reweighted least squares with weights min(1, 1.345 s / |u|), s the median
    absolute residual over 0.6745, from the ordinary solution until nothing moves.

    Parameters
    ----------
    X : (n, K)
    y : (n,)

    Source: Huber (1964), Robust estimation of a location parameter; Huber (1981), chapter 7.
    """
    found = least_squares(X, y)
    change = 0.0
    for _ in range(ROBUST_ITERATIONS):
        residuals = np.abs(y - X @ found)
        scale = np.median(residuals) / NORMAL_MEDIAN_DEVIATION if len(residuals) else np.nan
        # Half of the rows are met exactly: whatever is left lies outside of any bound.
        if not scale > np.finfo(np.float64).eps * np.abs(y).max(initial=0.0):
            return found
        before = found
        bound = HUBER_BOUND * scale
        found = least_squares(X, y, bound / np.maximum(residuals, bound))
        change = np.abs(X @ (found - before)).max() / scale
        if change < ROBUST_TOLERANCE:
            return found
    warnings.warn(
        f"robust regression: still moving by {change:.1e} after {ROBUST_ITERATIONS} iterations",
        ConvergenceWarning,
        stacklevel=2,
    )
    return found
