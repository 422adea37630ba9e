"""A common basis for factors that are identified only up to a rotation.

Each network, and each refit, finds its own basis of the same space. Published factors and betas
are first brought onto one: factors f G and betas β G⁻ᵀ have the products they had before.
Factors that were observed need no basis: they stay what they are, and only the latent ones beside
them are turned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentbeta.models.protocol import Array

# A factor the penalty has silenced has (nearly) no variance; the floor keeps G invertible.
SMALLEST_EIGENVALUE = 1e-10


@dataclass(frozen=True)
class Basis:
    """What the next fold is rotated onto.

    Attributes
    ----------
    dates : (T,) datetime64
    factors : (T, L) published latent factors of unit second moment
    scale : (L,) root mean square of the first fold's betas; fixes the units for good
    """

    dates: NDArray[np.datetime64]
    factors: Array
    scale: Array


def whitening(factors: Array) -> Array:
    """Return W (K, K), symmetric, such that factors @ W has second moment I."""
    values, vectors = np.linalg.eigh(factors.T @ factors / len(factors))
    values = np.maximum(values, SMALLEST_EIGENVALUE * values.max(initial=0.0))
    return (vectors / np.sqrt(values)) @ vectors.T


def procrustes(source: Array, target: Array) -> Array:
    """Return the orthogonal Q (K, K) that brings source @ Q nearest to target.

    Source: Schönemann (1966), Psychometrika 31, equation 1.8.
    """
    left, _, right = np.linalg.svd(source.T @ target)
    return left @ right


def principal_axes(betas: Array) -> Array:
    """Return the orthogonal Q for which betas @ Q are uncorrelated, largest first, mean ≥ 0.

    Parameters
    ----------
    betas : (n, K) on factors of unit second moment, so that size is return explained
    """
    Q = np.linalg.eigh(betas.T @ betas)[1][:, ::-1]
    return Q * np.where((betas @ Q).mean(axis=0) < 0, -1.0, 1.0)


def first_basis(dates: NDArray[np.datetime64], factors: Array, betas: Array) -> Basis:
    """Make the basis of the first fold from one member's (T, L) factors and (n, L) betas."""
    W = whitening(factors)
    whitened_betas = np.linalg.solve(W, betas.T).T
    Q = principal_axes(whitened_betas)
    scale = np.sqrt(np.mean((whitened_betas @ Q) ** 2, axis=0))
    return Basis(dates, factors @ W @ Q, np.where(scale > 0, scale, 1.0))


def rotations_onto(basis: Basis, dates: NDArray[np.datetime64], factors: Array) -> Array:
    """Return each member's G (M, L, L), from the dates that it shares with the basis.

    Parameters
    ----------
    dates : (T,)
    factors : (M, T, L), latent ones alone, no NaN
    """
    _, ours, theirs = np.intersect1d(dates, basis.dates, return_indices=True)
    turned = []
    for member in factors:
        W = whitening(member)
        Q = procrustes(member[ours] @ W, basis.factors[theirs])
        turned.append(W @ Q * basis.scale)
    return np.array(turned)


def beside_identified(rotations: Array, n_identified: int) -> Array:
    """Return G (M, K, K), block-diagonal: 1 for the identified factors, then the latent ones' G.

    Parameters
    ----------
    rotations : (M, L, L), L = K - n_identified
    n_identified : observed factors, the first ones
    """
    n_members, n_latent, _ = rotations.shape
    whole = np.tile(np.eye(n_identified + n_latent), (n_members, 1, 1))
    whole[:, n_identified:, n_identified:] = rotations
    return whole


def rotate_factors(factors: Array, rotations: Array) -> Array:
    """F G for each member: (M, T, K)."""
    # Not a matrix product: its last bits depend on the number of rows, here of later dates.
    return np.einsum("mtk,mkj->mtj", factors, rotations)


def rotate_betas(betas: Array, rotations: Array) -> Array:
    """β G⁻ᵀ for each member: (M, n, K)."""
    return np.einsum("mnk,mjk->mnj", betas, np.linalg.inv(rotations))
