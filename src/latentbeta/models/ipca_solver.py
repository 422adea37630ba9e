"""IPCA's Γ from sufficient statistics, no pass over rows: see `ipca_steps` for the notation."""

from __future__ import annotations

import numpy as np

from latentbeta.errors import ModelError
from latentbeta.models.ipca_newton import Statistics, evaluate, newton, rescaled
from latentbeta.models.ipca_steps import gamma_given_factors, normalise
from latentbeta.models.managed_portfolios import RELATIVE_CUTOFF
from latentbeta.models.protocol import Array

WARM_UP_STEPS = 5


def estimate_gamma(
    ZZ: Array,
    ZR: Array,
    n_latent: int,
    given: Array | None = None,
    *,
    tolerance: float = 1e-6,
    max_iterations: int = 200,
) -> Array:
    """Return [Δ, Γ] (D, M + K) that minimises Σ (r - Z Δ g - Z Γ f)², normalised.

    Alternating least squares from the singular vectors of Z'r, a few steps of it: where a factor
    is weak it would take thousands. Then Newton's method over [Δ, Γ], f always the best for it,
    until no entry of Γ or f moves by more than `tolerance` (f in units of its root mean square).

    Parameters
    ----------
    ZZ : (T, D, D)
    ZR : (T, D)
    n_latent : K, at least one
    given : (T, M) observed factors, a column of ones for an intercept; None for none

    Raises
    ------
    ModelError
        When more factors are asked for than characteristics can tell apart, or the given ones
        are collinear.

    Source: Kelly, Pruitt and Su (2019), equations 6 and 7.
    """
    given = np.empty((len(ZZ), 0)) if given is None else given
    if (problem := not_identified(ZZ, n_latent, given)) is not None:
        raise ModelError(f"ipca: {problem}")
    basis = independent_directions(ZZ)
    statistics = Statistics.of(basis.T @ ZZ @ basis, ZR @ basis, given)
    start = _alternated(statistics, n_latent)
    point = newton(statistics, start, tolerance=tolerance, max_iterations=max_iterations)
    B = basis @ statistics.in_given_units(point.B)
    return normalise(B, point.h[:, statistics.n_given :], given)[0]


def independent_directions(ZZ: Array) -> Array:
    """Return a basis (P + 1, D) of characteristics in which the mean Z'Z is the identity.

    Directions in which characteristics hardly differ over the sample (beta and its square,
    ranked) are left out: Γ would be free to be anything in them.
    """
    values, vectors = np.linalg.eigh(ZZ.mean(axis=0))
    kept = values > RELATIVE_CUTOFF * values[-1]
    return vectors[:, kept] / np.sqrt(values[kept])


def not_identified(ZZ: Array, n_latent: int, given: Array) -> str | None:
    """Say why [Δ, Γ] cannot be told from others that fit alike, else None.

    Γ takes a direction of the characteristics a factor, and Δ needs at least one that Γ leaves.
    """
    if not len(ZZ):
        return "no date has returns and every observed factor"
    n_given, n_directions = given.shape[1], independent_directions(ZZ).shape[1]
    if np.linalg.matrix_rank(given) < n_given:
        return "over these dates an observed factor is a combination of the others"
    if n_latent + (n_given > 0) <= n_directions:
        return None
    beside = " beside the observed" if n_given else ""
    return (
        f"{n_latent} factors{beside}, but the characteristics span {n_directions} directions;"
        " lower models.n_factors"
    )


def _alternated(statistics: Statistics, n_latent: int) -> Array:
    """Return B after a few alternating least squares."""
    ZZ, ZR, given = statistics.ZZ, statistics.ZR, statistics.given
    delta = gamma_given_factors(ZZ, ZR, given)
    unexplained = ZR - np.einsum("tpq,qm,tm->tp", ZZ, delta, given)
    gamma = np.linalg.svd(unexplained, full_matrices=False)[2][:n_latent].T
    B = np.hstack([delta, gamma])
    for _ in range(WARM_UP_STEPS):
        _, h = rescaled(statistics, evaluate(statistics, B))
        B = gamma_given_factors(ZZ, ZR, h)
    return B
