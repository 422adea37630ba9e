"""The mean-variance portfolio of a model's factors, formed before each date."""

from __future__ import annotations

import numpy as np

from latentbeta.models.protocol import Array

VOLATILITY = 0.01  # ex ante, of one period, whatever its length
# A factor the penalty has silenced adds a variance of nothing: it gets no weight, not a huge one.
RELATIVE_CUTOFF = 1e-10


def tangency_returns(factors: Array, first: int) -> Array:
    """Return the tangency portfolio's return on each date from `first` on: (T - first,).

    Its weights on date t are proportional to Σ⁻¹μ, with μ and Σ the mean and covariance of the
    factors over the known dates before t, and scaled to 1 % of volatility a period under Σ.

    Parameters
    ----------
    factors : (T, K) published factors of the fold's window; NaN where none is known
    first : position of the test's first date

    Returns
    -------
    (T - first,)
        NaN where the date's factors are not known, or not more than K dates were before it.

    Source: Gu, Kelly and Xiu (2021), the tangency portfolio of the latent factors.
    """
    known = np.asarray(np.isfinite(factors).all(axis=1))
    returns = np.full(len(factors) - first, np.nan)
    for t in range(first, len(factors)):
        past = factors[:t][known[:t]]
        if known[t] and len(past) > factors.shape[1]:
            returns[t - first] = np.sum(tangency_weights(past) * factors[t])
    return returns


def tangency_weights(factors: Array) -> Array:
    """Return Σ⁻¹μ (K,) of (T, K) factor returns, at 1 % of volatility ex ante; 0 if Σ is 0."""
    mean = factors.mean(axis=0)
    covariance = np.atleast_2d(np.cov(factors, rowvar=False))
    inverse = np.linalg.pinv(covariance, rcond=RELATIVE_CUTOFF, hermitian=True)
    weights = inverse @ mean
    volatility = np.sqrt(weights @ covariance @ weights)
    return weights * (VOLATILITY / volatility if volatility > 0 else 0.0)
