"""Managed portfolios: one return a characteristic and date, and what a model makes of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentbeta.evaluation.sample import Mask, Matrix
from latentbeta.panel.panel import Panel

# Below this share of the largest eigenvalue a direction of Z'Z is left out of the portfolios. Two
# characteristics may rank assets alike but for a few (beta and its square, when hardly a beta is
# negative): their difference is no portfolio, and weighting it up would drown all others.
RELATIVE_CUTOFF = 1e-4
CONSTANT = "constant"


class ManagedReturns(NamedTuple):
    """Returns of the managed portfolios and what a model makes of them, (T, P + 1) each.

    NaN on a date on which no asset has both.
    """

    realised: Matrix
    explained: Matrix


@dataclass(frozen=True, eq=False)
class Characteristics:
    """Characteristics of the test dates with the constant last, ready to weight portfolios.

    Attributes
    ----------
    names : tuple of P + 1 str
    columns : tuple of T (n_t,) int
        Places on the asset axis of the date's rows.
    Z : tuple of T (n_t, P + 1) float64
    """

    names: tuple[str, ...]
    columns: tuple[NDArray[np.int64], ...]
    Z: tuple[Matrix, ...]
    # Models that cover the same assets share the inverses, which cost more than all else here.
    _inverses: dict[bytes, Matrix] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, panel: Panel, dates: NDArray[np.datetime64]) -> Characteristics:
        """Take the test dates' rows out of the panel; a date it lacks has no rows."""
        place = {date: slot for slot, date in enumerate(panel.dates)}
        blocks = list(panel.blocks())
        rows = [blocks[place[date]] if date in place else slice(0, 0) for date in dates]
        return cls(
            names=(*panel.characteristic_names, CONSTANT),
            columns=tuple(panel.asset_index[block] for block in rows),
            Z=tuple(_with_constant(panel.Z[block]) for block in rows),
        )

    def inverses(self, known: Mask) -> Matrix:
        """(T, P + 1, P + 1) inverse of Z'Z over the known assets of each date.

        Parameters
        ----------
        known : (T, N)
        """
        digest = hashlib.sha256(np.packbits(known).tobytes()).digest()
        if digest not in self._inverses:
            squares = np.stack(
                [
                    Z[known[t, columns]].T @ Z[known[t, columns]]
                    for t, (columns, Z) in enumerate(zip(self.columns, self.Z, strict=True))
                ]
            )
            self._inverses[digest] = _pseudo_inverse(squares)
        return self._inverses[digest]


def managed_returns(
    realised: Matrix, explained: Matrix, characteristics: Characteristics
) -> ManagedReturns:
    """Carry realised and explained returns of the assets through the managed portfolios.

    Parameters
    ----------
    realised, explained : (T, N)
        Returns and what a model makes of them.

    Notes
    -----
    Bottom-up, as in Gu, Kelly and Xiu (2021): x_t = (Z'Z)⁻¹ Z'r_t against
    (Z'Z)⁻¹ Z'r̂_t over the date's assets for which both are known; the minimum-norm solution
    where Z'Z is singular or nearly so.
    """
    known = np.isfinite(realised) & np.isfinite(explained)
    both = np.where(known, np.stack([realised, explained]), 0.0)
    inverses = characteristics.inverses(known)
    x = np.full((2, len(realised), len(characteristics.names)), np.nan)
    for t, (columns, Z) in enumerate(zip(characteristics.columns, characteristics.Z, strict=True)):
        if known[t, columns].any():
            x[:, t] = both[:, t, columns] @ Z @ inverses[t]
    return ManagedReturns(*x)


def _pseudo_inverse(squares: Matrix) -> Matrix:
    inverse = np.linalg.pinv(squares, rcond=RELATIVE_CUTOFF, hermitian=True)
    return np.asarray(inverse, dtype=np.float64)


def _with_constant(Z: NDArray[np.float32]) -> Matrix:
    return np.column_stack([Z.astype(np.float64), np.ones(len(Z))])
