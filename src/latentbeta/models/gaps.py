"""Principal components of a matrix with gaps: two ways to the factors (T, K)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from latentbeta.errors import ConvergenceWarning
from latentbeta.models.protocol import Array


def moments_of_dates(R: Array) -> Array:
    """Return the mean product of two dates' returns over the assets that have both, (T, T).

    Parameters
    ----------
    R : (T, N), NaN where missing

    Source: Connor and Korajczyk (1987), Estimating pervasive economic factors with missing
    observations, working paper.
    """
    seen = np.isfinite(R)
    filled = np.where(seen, R, 0.0)
    together = np.maximum(seen.astype(np.float64) @ seen.T, 1.0)
    moments: Array = filled @ filled.T / together
    return moments


def second_moment_factors(R: Array, n_factors: int) -> Array:
    """Return the leading eigenvectors (T, K) of the dates' moments: nothing is filled in."""
    return np.linalg.eigh(moments_of_dates(R))[1][:, ::-1][:, :n_factors]


@dataclass(frozen=True)
class _Returns:
    """Returns with gaps, and where they are; what each step reads.

    Attributes
    ----------
    R, seen : (T, N), zero where missing; one where not
    """

    R: Array
    seen: Array


def likeliest_factors(
    R: Array, n_factors: int, *, tolerance: float = 1e-6, max_iterations: int = 1000
) -> Array:
    """Return factors (T, K) by expectation-maximisation.

    r = F b + u with b ~ N(0, I) for each asset and u ~ N(0, σ²): each step takes the mean and the
    variance of b given the returns an asset has, then the F and σ² that are likeliest for them,
    until no step moves F by more than `tolerance` (root mean square, in units of F's). Without
    gaps these are the principal components.

    The textbook's steps, which fill a gap with its fitted value and take components of the filled
    matrix, are these with σ = 0. Then nothing holds back what is invented for an asset that lists
    late: there is no likeliest F, and the filled values grow for as long as one cares to go on.

    Parameters
    ----------
    R : (T, N), NaN where missing

    Source: Tipping and Bishop (1999), Probabilistic principal component analysis;
    Liu, Rubin and Wu (1998) for the rescaling that makes it fast; Stock and Watson (2002),
    appendix A, for the textbook's.
    """
    data = _Returns(np.nan_to_num(R), np.isfinite(R).astype(np.float64))
    F, variance = _start(data, second_moment_factors(R, n_factors))
    for _ in range(max_iterations):
        old = F
        F, variance = _step(data, F, variance)
        moved = float(np.sqrt(np.mean((F - old) ** 2) / np.mean(F**2)))
        if moved < tolerance:
            return F
    warnings.warn(
        f"PCA by expectation-maximisation: {n_factors} factors still move by {moved:.1e} of their"
        f" size after {max_iterations} steps",
        ConvergenceWarning,
        stacklevel=3,
    )
    return F


def _start(data: _Returns, F: Array) -> tuple[Array, float]:
    """Rescale orthonormal factors so that betas are of unit size; return what they leave, too."""
    loadings = data.R.T @ F
    errors = data.R - data.seen * (F @ loadings.T)
    return F * np.sqrt(np.mean(loadings**2, axis=0)), float(np.sum(errors**2) / data.seen.sum())


def _step(data: _Returns, F: Array, variance: float) -> tuple[Array, float]:
    """Return the next F (T, K) and σ²."""
    n_dates, n_factors = F.shape
    products = (F[:, :, None] * F[:, None, :]).reshape(n_dates, -1)
    FF = (data.seen.T @ products).reshape(-1, n_factors, n_factors)
    inverse = np.linalg.inv(FF + variance * np.eye(n_factors))
    betas = np.einsum("nkl,nl->nk", inverse, data.R.T @ F)
    moments = variance * inverse + betas[:, :, None] * betas[:, None, :]
    per_date = (data.seen @ moments.reshape(len(betas), -1)).reshape(-1, n_factors, n_factors)
    new = np.linalg.solve(per_date, (data.R @ betas)[:, :, None])[:, :, 0]
    # At the likeliest F: Σ (r - F b)² + F Var(b) F' = Σ r² - Σ r F b.
    left = float(np.sum(data.R**2) - np.sum((data.R @ betas) * new))
    return new @ np.linalg.cholesky(moments.mean(axis=0)), left / float(data.seen.sum())
