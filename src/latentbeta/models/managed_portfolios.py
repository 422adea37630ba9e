"""Characteristic-managed portfolios: the cross-section of returns in P + 1 numbers a date."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentbeta.models.protocol import Array
from latentbeta.panel.panel import Panel

# Below this share of the largest eigenvalue a direction of Z'Z is noise: beta and its square have
# the same ranks but for the few assets with a negative beta, and the portfolio that is long one
# and short the other would be those few, levered a thousandfold.
RELATIVE_CUTOFF = 1e-4


def with_constant(Z: NDArray[np.float32]) -> Array:
    """Append the constant as the last characteristic: (n, P) to (n, P + 1), in float64."""
    return np.column_stack([Z, np.ones(len(Z))]).astype(np.float64)


def second_moments(panel: Panel) -> tuple[Array, Array, NDArray[np.int64]]:
    """Return Z'Z (T, P+1, P+1), Z'R (T, P+1) and the number of returns (T,), date by date.

    Rows without a return are left out of all three.
    """
    width = panel.Z.shape[1] + 1
    ZZ = np.zeros((panel.n_dates, width, width))
    ZR = np.zeros((panel.n_dates, width))
    counts = np.zeros(panel.n_dates, dtype=np.int64)
    for t, rows in enumerate(panel.blocks()):
        seen = panel.observed[rows]
        Z = with_constant(panel.Z[rows][seen])
        ZZ[t], ZR[t], counts[t] = Z.T @ Z, Z.T @ panel.R[rows][seen], len(Z)
    return ZZ, ZR, counts


def managed_portfolios(panel: Panel) -> Array:
    """Return x_t = (Z'Z)⁻¹ Z'R of each date, (T, P + 1); NaN where no return is known.

    The minimum-norm solution is taken where Z'Z is singular. The last column belongs to the
    constant: with centred characteristics it is the equal-weighted market.

    Source: Gu, Kelly and Xiu (2021), equation 16.
    """
    ZZ, ZR, counts = second_moments(panel)
    x = np.full(ZR.shape, np.nan)
    known = counts > 0
    inverse = np.linalg.pinv(ZZ[known], rcond=RELATIVE_CUTOFF, hermitian=True)
    x[known] = np.einsum("tpq,tq->tp", inverse, ZR[known])
    return x
