"""Newton's method for IPCA, on Z'Z and Z'r of each date alone.

Alternating least squares crosses a long flat stretch when a factor is weak or characteristics are
correlated. The second derivative of the sum of squares, latent factors following, knows the way:
it is as cheap as one of the two regressions.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from latentbeta.errors import ConvergenceWarning
from latentbeta.models.ipca_steps import kronecker_sum, normalise
from latentbeta.models.managed_portfolios import RELATIVE_CUTOFF
from latentbeta.models.protocol import Array

# Of the second derivative in a typical direction.
FIRST_DAMPING, LEAST_DAMPING, LARGEST_DAMPING = 1e-2, 1e-5, 1e6
LARGE_MOVE = 0.3  # share of a column's size after which columns are made comparable again
SMALLEST_FACTOR = 1e-6  # relative to the largest; weaker ones are noise of rounding
ROUNDING = 1e-15  # share of the sum of squares below which a difference is none


@dataclass(frozen=True)
class Statistics:
    """What Newton's method reads: Z'Z (T, D, D), Z'r (T, D) and given factors (T, M).

    The given ones are in units of their root mean square, so that no column of B is far larger
    than another.
    """

    ZZ: Array
    ZR: Array
    given: Array
    units: Array

    @classmethod
    def of(cls, ZZ: Array, ZR: Array, given: Array) -> Statistics:
        """Rescale the given factors."""
        units = np.sqrt(np.mean(given**2, axis=0))
        return cls(np.ascontiguousarray(ZZ), ZR, given / units, units)

    @property
    def n_given(self) -> int:
        """M."""
        return self.given.shape[1]

    def in_given_units(self, B: Array) -> Array:
        """Return B for the given factors as they came."""
        return np.hstack([B[:, : self.n_given] / self.units, B[:, self.n_given :]])


@dataclass(frozen=True)
class Point:
    """The sum of squares at B, with the best latent factors for it.

    Attributes
    ----------
    B : (D, J)
    h : (T, J), given factors and the latent ones
    exposures : (T, D, K), Z'ZΓ
    roots : (T, K, K), W with W W' = (Γ'Z'ZΓ)⁻¹
    errors : (T, D), Z'u
    loss : half of the sum of squares, less that of r
    """

    B: Array
    h: Array
    exposures: Array
    roots: Array
    errors: Array
    loss: float


def evaluate(statistics: Statistics, B: Array) -> Point:
    """Find the latent factors for B, and what is needed to improve on it."""
    ZZ, ZR, given = statistics.ZZ, statistics.ZR, statistics.given
    n_dates, n_inputs, n_given = len(ZZ), len(B), statistics.n_given
    exposures = (ZZ.reshape(-1, n_inputs) @ B).reshape(n_dates, *B.shape)
    unexplained = ZR - np.einsum("tpm,tm->tp", exposures[..., :n_given], given)
    exposures, gamma = exposures[..., n_given:], B[:, n_given:]
    roots = _inverse_roots(gamma, exposures)
    projected = np.einsum("tkl,tk->tl", roots, unexplained @ gamma)
    factors = np.einsum("tkl,tl->tk", roots, projected)
    errors = unexplained - np.einsum("tpk,tk->tp", exposures, factors)
    h = np.hstack([given, factors])
    loss = -0.5 * float(np.sum((h @ B.T) * (ZR + errors)))
    return Point(B, h, exposures, roots, errors, loss)


def _inverse_roots(gamma: Array, exposures: Array) -> Array:
    """Return W (T, K, K) with W W' the pseudo-inverse of Γ'Z'ZΓ.

    The cutoff looks at columns of one length, or it would take a weak factor for nothing.
    """
    length = np.sqrt(np.sum(gamma**2, axis=0))
    values, vectors = np.linalg.eigh((gamma / length).T @ (exposures / length))
    kept = values > RELATIVE_CUTOFF * values[:, -1:]
    roots = vectors * (kept / np.sqrt(np.where(kept, values, 1.0)))[:, None, :]
    return roots / length[:, None]


def rescaled(statistics: Statistics, point: Point) -> tuple[Array, Array]:
    """Return B and h after the latent factors are made uncorrelated and of unit size."""
    n_given = statistics.n_given
    B, factors = normalise(point.B, point.h[:, n_given:], statistics.given)
    size = np.sqrt(np.mean(factors**2, axis=0))
    size = np.maximum(size, SMALLEST_FACTOR * size.max())
    B[:, n_given:] *= size
    return B, np.hstack([statistics.given, factors / size])


def newton(statistics: Statistics, B: Array, *, tolerance: float, max_iterations: int) -> Point:
    """Return the minimum nearest to B.

    It ends when nothing moves by more than `tolerance`, or the sum of squares has no digit left
    to lose.
    """
    point = evaluate(statistics, rescaled(statistics, evaluate(statistics, B))[0])
    if point.roots.shape[1] == len(B):  # Γ spans every direction: it is any basis of them
        return point
    damping, moved = 0.0, np.inf
    for _ in range(max_iterations):
        found, damping = _descent(statistics, point, damping)
        moved, fall = _largest_move(point, found), point.loss - found.loss
        if moved < tolerance or fall < ROUNDING * abs(found.loss):
            return found
        if moved > LARGE_MOVE:
            found = evaluate(statistics, rescaled(statistics, found)[0])
        point = found
        damping = damping / 10 if damping > LEAST_DAMPING else 0.0
    warnings.warn(
        f"IPCA: still moving by {moved:.1e} after {max_iterations} iterations",
        ConvergenceWarning,
        stacklevel=3,
    )
    return point


def _descent(statistics: Statistics, point: Point, damping: float) -> tuple[Point, float]:
    """Take Newton's step, damped until the sum of squares does not rise (Levenberg).

    Adding to B any combination of Γ's columns changes no fit: the step is orthogonal to them.
    """
    n_given = statistics.n_given
    away = np.linalg.qr(point.B[:, n_given:], mode="complete")[0][:, point.roots.shape[1] :]
    gradient = -away.T @ (point.errors.T @ point.h)
    second = _second_derivative(statistics.ZZ, point, away, n_given)
    unit = len(statistics.ZZ) * np.eye(len(second))  # Z'Z is the identity on average, and so hh'
    while damping < LARGEST_DAMPING:
        try:
            change = cho_solve(cho_factor(second + damping * unit), gradient.ravel())
        except LinAlgError:  # not convex there
            damping = max(10 * damping, FIRST_DAMPING)
            continue
        trial = evaluate(statistics, point.B - away @ change.reshape(gradient.shape))
        if trial.loss <= point.loss + ROUNDING * abs(point.loss):
            return trial, damping
        damping = max(10 * damping, FIRST_DAMPING)
    return point, damping


def _second_derivative(ZZ: Array, point: Point, away: Array, n_given: int) -> Array:
    """Return that of the sum of squares along `away` (D, d), f following: (d J, d J).

    That over B alone, less what f's following takes back (a Schur complement, date by date).
    """
    n_dates, n_inputs, n_latent = point.exposures.shape
    n_factors, n_away = point.h.shape[1], away.shape[1]
    over_B = kronecker_sum(ZZ, point.h)
    over_B = over_B.reshape(n_inputs, n_factors, n_inputs, n_factors)
    over_B = np.tensordot(away, np.tensordot(over_B, away, (2, 0)), (0, 0))
    over_B = over_B.transpose(0, 1, 3, 2).reshape(n_away * n_factors, -1)
    mixed = (away.T @ point.exposures)[:, :, None, :] * point.h[:, None, :, None]
    latent = np.arange(n_latent)
    mixed[:, :, n_given + latent, latent] -= (point.errors @ away)[:, :, None]
    mixed = mixed.reshape(n_dates, -1, n_latent) @ point.roots
    mixed = mixed.transpose(1, 0, 2).reshape(n_away * n_factors, -1)
    return over_B - mixed @ mixed.T


def _largest_move(old: Point, new: Point) -> float:
    """Return the largest change of an entry of B and h, in units of their column's size."""
    n_latent = old.roots.shape[1]
    size = np.sqrt(np.sum(old.B**2, axis=0))
    size[:-n_latent] = size.max()  # Δ may be nothing
    return float(max((np.abs(new.B - old.B) / size).max(), np.abs(new.h - old.h).max()))
