"""Instrumented principal components: betas are linear in characteristics, beta = [Z, 1] Γ."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from latentbeta.errors import ConvergenceWarning, ModelError
from latentbeta.models.managed_portfolios import RELATIVE_CUTOFF, second_moments, with_constant
from latentbeta.models.protocol import Array, Fit, State, save_loadings
from latentbeta.models.rotation import rotate_betas, whitening
from latentbeta.panel.panel import Panel
from latentbeta.panel.stack import stack

WARM_UP_STEPS = 10


def factors_given_gamma(ZZ: Array, ZR: Array, gamma: Array) -> Array:
    """f_t = (Γ'Z'ZΓ)⁻¹ Γ'Z'r_t for every date: (T, K).

    Date by date: the last bits of one product over all dates would depend on their number.
    """
    lhs = gamma.T @ ZZ @ gamma
    # Minimum norm: a factor to which no asset is exposed on a date earns nothing on it.
    inverse = np.linalg.pinv(lhs, rcond=RELATIVE_CUTOFF, hermitian=True)
    return np.einsum("tkl,tl->tk", inverse, np.einsum("tp,pk->tk", ZR, gamma))


def gamma_given_factors(ZZ: Array, ZR: Array, factors: Array) -> Array:
    """vec(Γ) = [Σ Z'Z ⊗ f f']⁻¹ Σ (Z'r ⊗ f): (P + 1, K)."""
    n_inputs, n_factors = ZZ.shape[1], factors.shape[1]
    ff = np.einsum("tk,tl->tkl", factors, factors)
    lhs = np.einsum("tpq,tkl->pkql", ZZ, ff, optimize=True)
    lhs = lhs.reshape(n_inputs * n_factors, n_inputs * n_factors)
    return np.linalg.solve(lhs, (ZR.T @ factors).ravel()).reshape(n_inputs, n_factors)


def normalise(gamma: Array, factors: Array) -> tuple[Array, Array]:
    """Rotate so that Γ'Γ = I, factor second moments are diagonal, descending, means positive.

    The product Γ f of every date is unchanged.
    """
    chol = np.linalg.cholesky(gamma.T @ gamma).T
    moment = chol @ (factors.T @ factors) @ chol.T
    rotation = np.linalg.eigh(moment)[1][:, ::-1]
    turned_factors = factors @ chol.T @ rotation
    turned_gamma = np.linalg.solve(chol.T, gamma.T).T @ rotation
    signs = np.where(turned_factors.mean(axis=0) < 0, -1.0, 1.0)
    return turned_gamma * signs, turned_factors * signs


def estimate_gamma(
    ZZ: Array, ZR: Array, n_factors: int, *, tolerance: float = 1e-6, max_iterations: int = 1000
) -> Array:
    """Return Γ (P + 1, K) that minimises Σ (r - Z Γ f)², from sufficient statistics alone.

    Alternating least squares from the singular vectors of Z'r, stopped when no entry of Γ or f
    moves by more than `tolerance` (of the factors' root mean square, for f). Between its first
    steps and its last, a quasi-Newton search over Γ (f is always the best for it) covers the
    long flat stretch on which alternating alone takes thousands of steps.

    Parameters
    ----------
    ZZ : (T, P + 1, P + 1)
    ZR : (T, P + 1)

    Raises
    ------
    ModelError
        When more factors are asked for than characteristics can tell apart.

    Source: Kelly, Pruitt and Su (2019), equations 6 and 7.
    """
    basis = independent_directions(ZZ)
    if n_factors > basis.shape[1]:
        raise ModelError(
            f"ipca: {n_factors} factors, but the characteristics span {basis.shape[1]} directions;"
            " lower models.n_factors"
        )
    ZZ, ZR = basis.T @ ZZ @ basis, ZR @ basis
    gamma = np.linalg.svd(ZR, full_matrices=False)[2][:n_factors].T
    for _ in range(WARM_UP_STEPS):
        gamma = _orthonormal(gamma_given_factors(ZZ, ZR, _unit(factors_given_gamma(ZZ, ZR, gamma))))
    gamma = _quasi_newton(ZZ, ZR, gamma)
    gamma = _alternate(ZZ, ZR, gamma, tolerance, max_iterations)
    return normalise(basis @ gamma, factors_given_gamma(ZZ, ZR, gamma))[0]


def independent_directions(ZZ: Array) -> Array:
    """Return a basis (P + 1, D) of characteristics in which the mean Z'Z is the identity.

    Directions in which characteristics hardly differ over the sample (beta and its square,
    ranked) are left out: Γ would be free to be anything in them.
    """
    values, vectors = np.linalg.eigh(ZZ.mean(axis=0))
    kept = values > RELATIVE_CUTOFF * values[-1]
    return vectors[:, kept] / np.sqrt(values[kept])


def _unit(factors: Array) -> Array:
    """Rescale factors to unit second moment, so that normal equations are well conditioned."""
    return factors @ whitening(factors)


def _orthonormal(gamma: Array) -> Array:
    """Span the same betas by columns of one length, so that no cutoff takes a weak factor away."""
    return np.linalg.qr(gamma)[0]


def _quasi_newton(ZZ: Array, ZR: Array, gamma: Array) -> Array:
    shape = gamma.shape

    def loss(flat: Array) -> tuple[float, Array]:
        gamma = flat.reshape(shape)
        factors = factors_given_gamma(ZZ, ZR, gamma)
        # f minimises the loss for this Γ, so the gradient need not follow it (envelope theorem).
        gradient = np.einsum("tpq,qk,tk,tl->pl", ZZ, gamma, factors, factors, optimize=True)
        return -float(np.sum(factors * (ZR @ gamma))), 2 * (gradient - ZR.T @ factors)

    gamma, _ = normalise(gamma, factors_given_gamma(ZZ, ZR, gamma))
    scale = float(np.sum(ZR**2))
    found = minimize(
        lambda flat: tuple(part / scale for part in loss(flat)),
        gamma.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 2000, "maxcor": 20, "ftol": 1e-15, "gtol": 1e-9},
    )
    return found.x.reshape(shape)


def _alternate(ZZ: Array, ZR: Array, gamma: Array, tolerance: float, max_iterations: int) -> Array:
    gamma, factors = normalise(gamma, factors_given_gamma(ZZ, ZR, gamma))
    for _ in range(max_iterations):
        old_gamma, old_factors = gamma, factors
        gamma = _orthonormal(gamma_given_factors(ZZ, ZR, _unit(factors)))
        gamma, factors = normalise(gamma, factors_given_gamma(ZZ, ZR, gamma))
        scale = np.sqrt(np.mean(factors**2))
        change = max(np.abs(gamma - old_gamma).max(), np.abs(factors - old_factors).max() / scale)
        if change < tolerance:
            return gamma
    warnings.warn(
        f"IPCA: still moving by {change:.1e} after {max_iterations} iterations",
        ConvergenceWarning,
        stacklevel=3,
    )
    return gamma


@dataclass(frozen=True)
class InstrumentedPCA:
    """IPCA over training and validation: there is nothing to select."""

    n_factors: int
    name: str = "ipca"
    leads: bool = False
    n_identified: int = 0
    uses_characteristics: bool = True

    def obstacle(self, panel: Panel) -> str | None:  # noqa: ARG002
        """None: it can be estimated on any panel."""
        return None

    def fit(self, training: Panel, validation: Panel) -> Fit:
        """Γ from the sufficient statistics of both samples."""
        ZZ, ZR, counts = second_moments(stack(training, validation))
        known = counts > 0
        return Fit({"gamma": estimate_gamma(ZZ[known], ZR[known], self.n_factors)})

    def betas(self, state: State, panel: Panel) -> Array:
        """(1, n, K): [Z, 1] Γ."""
        gamma = np.asarray(state["gamma"], dtype=np.float64)
        # Not a matrix product: its last bits depend on the number of rows, here of later dates.
        return np.einsum("np,pk->nk", with_constant(panel.Z), gamma)[None]

    def factors(self, state: State, panel: Panel) -> Array:
        """(1, T, K): least squares of each date's returns on the betas."""
        ZZ, ZR, counts = second_moments(panel)
        gamma = np.asarray(state["gamma"], dtype=np.float64)
        factors = np.full((panel.n_dates, self.n_factors), np.nan)
        known = counts > 0
        factors[known] = factors_given_gamma(ZZ[known], ZR[known], gamma)
        return factors[None]

    def export(self, state: State, rotations: Array, premia: Array, folder: Path) -> None:  # noqa: ARG002
        """Save Γ (P + 1, K)."""
        gamma = np.asarray(state["gamma"], dtype=np.float64)
        save_loadings(folder, gamma=rotate_betas(gamma[None], rotations)[0])
