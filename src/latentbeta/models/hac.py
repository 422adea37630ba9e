"""Newey-West errors: what serial dependence does to the error of a mean or of a coefficient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentbeta.models.protocol import Array


def automatic_lags(n_observations: NDArray[np.int64] | int) -> NDArray[np.int64]:
    """Return floor(4 (T / 100)^(2/9)) for each number of observations T.

    Source: Newey and West (1994), Automatic lag selection in covariance matrix estimation.
    """
    # A touch above: (T / 100)^(2/9) of a T that makes it whole may come out a bit below.
    lags = 4.0 * (np.asarray(n_observations) / 100.0) ** (2.0 / 9.0)
    return np.floor(lags + 1e-9).astype(np.int64)


def long_run_sums(scores: Array, lags: NDArray[np.int64]) -> Array:
    """Return Σ_t s_t s_t' + Σ_l (1 - l / (L + 1)) Σ_t (s_t s_{t-l}' + s_{t-l} s_t').

    Scores of periods without an observation are zero, so that a lag is a distance in time: the
    returns on both sides of a gap are not neighbours.

    Parameters
    ----------
    scores : (N, T, J)
    lags : (N,)
        L, one for each of the N series.

    Returns
    -------
    (N, J, J), positive semi-definite.

    Source: Newey and West (1987), equation 5; with gaps, Datta and Du (2012), Nonparametric HAC
    estimation for time series data with missing observations.
    """
    total = scores.swapaxes(1, 2) @ scores
    for lag in range(1, int(lags.max(initial=0)) + 1):
        weight = np.maximum(1.0 - lag / (lags + 1.0), 0.0)[:, None, None]
        product = scores[:, lag:].swapaxes(1, 2) @ scores[:, :-lag]
        total = total + weight * (product + product.swapaxes(1, 2))
    return total


@dataclass(frozen=True)
class Means:
    """Means of K series and how far to trust them: each field is (K,)."""

    means: Array
    standard_errors: Array
    t_statistics: Array


def newey_west_means(values: Array, lag: int | None = None) -> Means:
    """Return the mean of each column with its Newey-West error.

    Parameters
    ----------
    values : (T, K), NaN where not known
    lag : int, optional
        L; `automatic_lags` of the column's known values, when not given.

    Returns
    -------
    Means
        NaN for a column without a known value; no correction for small samples.

    Source: Newey and West (1987).
    """
    known = np.isfinite(values)
    counts = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(known, values, 0.0).sum(axis=0) / counts
        deviations = np.where(known, values - means, 0.0)
        lags = automatic_lags(counts) if lag is None else np.full(len(counts), lag)
        lags = np.minimum(lags, max(len(values) - 1, 0))
        variances = long_run_sums(deviations.T[:, :, None], lags)[:, 0, 0]
        errors = np.sqrt(variances) / counts
        return Means(means, errors, means / errors)
