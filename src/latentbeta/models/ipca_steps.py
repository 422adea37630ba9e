"""The two regressions of IPCA's alternating least squares, and its normalisation.

With h = [g, f], the given factors and then the latent ones, and B = [Δ, Γ], the returns of a date
are r = [Z, 1] B h + u. T dates, D characteristics (a constant is one), M given and K latent
factors, J = M + K.
"""

from __future__ import annotations

import numpy as np

from latentbeta.models.managed_portfolios import RELATIVE_CUTOFF
from latentbeta.models.protocol import Array

SMALLEST_EIGENVALUE = 1e-13  # relative, of normal equations


def factors_given_gamma(ZZ: Array, ZR: Array, gamma: Array, given: Array | None = None) -> Array:
    """f_t = (Γ'Z'ZΓ)⁻¹ Γ'(Z'r_t - Z'ZΔ g_t) for every date: (T, K).

    Date by date: the last bits of one product over all dates would depend on their number.

    Parameters
    ----------
    ZZ : (T, D, D)
    ZR : (T, D)
    gamma : (D, M + K), [Δ, Γ]
    given : (T, M) g; None where M = 0
    """
    if given is not None:
        n_given = given.shape[1]
        ZR = ZR - np.einsum("tpq,qm,tm->tp", ZZ, gamma[:, :n_given], given)
        gamma = gamma[:, n_given:]
    # Minimum norm: a factor to which no asset is exposed on a date earns nothing on it.
    inverse = np.linalg.pinv(gamma.T @ ZZ @ gamma, rcond=RELATIVE_CUTOFF, hermitian=True)
    return np.einsum("tkl,tl->tk", inverse, np.einsum("tp,pk->tk", ZR, gamma))


def gamma_given_factors(ZZ: Array, ZR: Array, factors: Array) -> Array:
    """vec(B) = [Σ Z'Z ⊗ h h']⁻¹ Σ (Z'r ⊗ h): (D, J) from the (T, J) factors."""
    lhs = kronecker_sum(ZZ, factors)
    # Far below rounding of what is estimated; a factor that is nothing shall have no betas.
    lhs[np.diag_indices_from(lhs)] += SMALLEST_EIGENVALUE * np.trace(lhs) / max(len(lhs), 1)
    return np.linalg.solve(lhs, (ZR.T @ factors).ravel()).reshape(ZZ.shape[1], factors.shape[1])


def kronecker_sum(ZZ: Array, factors: Array) -> Array:
    """Σ Z'Z ⊗ h h', (D J, D J), as one matrix product over the dates."""
    n_dates, n_inputs, n_factors = *ZZ.shape[:2], factors.shape[1]
    hh = (factors[:, :, None] * factors[:, None, :]).reshape(n_dates, -1)
    total = (ZZ.reshape(n_dates, -1).T @ hh).reshape(n_inputs, n_inputs, n_factors, n_factors)
    return total.transpose(0, 2, 1, 3).reshape(n_inputs * n_factors, n_inputs * n_factors)


def normalise(gamma: Array, factors: Array, given: Array | None = None) -> tuple[Array, Array]:
    """Choose among the [Δ, Γ] that fit alike; the product B h of every date is unchanged.

    Γ'Γ = I, Γ'Δ = 0, and the latent factors' second moments are diagonal, descending, their means
    not negative.

    Parameters
    ----------
    gamma : (D, M + K), [Δ, Γ]
    factors : (T, K), the latent ones
    given : (T, M); None where M = 0
    """
    n_given = gamma.shape[1] - factors.shape[1]
    delta, gamma = gamma[:, :n_given], gamma[:, n_given:]
    if given is not None:
        shift = np.linalg.lstsq(gamma, delta, rcond=None)[0]
        delta, factors = delta - gamma @ shift, factors + given @ shift.T
    orthonormal, triangle = np.linalg.qr(gamma)
    factors = factors @ triangle.T
    rotation = np.linalg.eigh(factors.T @ factors)[1][:, ::-1]
    turned_gamma, turned_factors = orthonormal @ rotation, factors @ rotation
    signs = np.where(turned_factors.mean(axis=0) < 0, -1.0, 1.0)
    return np.hstack([delta, turned_gamma * signs]), turned_factors * signs
