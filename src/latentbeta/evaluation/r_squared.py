"""Out-of-sample R² with a forecast of zero as its baseline, for assets and managed portfolios."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentbeta.evaluation.sample import Mask, Matrix, Vector
from latentbeta.panel.panel import Panel

# Below this share of the largest eigenvalue a direction of Z'Z is left out of the portfolios. Two
# characteristics may rank assets alike but for a few (beta and its square, when hardly a beta is
# negative): their difference is no portfolio, and weighting it up would drown all others.
RELATIVE_CUTOFF = 1e-4


@dataclass(frozen=True, eq=False)
class Loss:
    """Per-date sums of squared errors and of squared returns, both (T,), and their number."""

    error: Vector
    scale: Vector
    count: Vector


def pooled_r_squared(error: Vector, scale: Vector) -> Vector:
    """1 - Σ error / Σ scale; NaN where nothing was scored.

    Parameters
    ----------
    error, scale : (B,)
        Pooled sums, one for each resample.

    Notes
    -----
    Returns are not demeaned: the baseline forecasts zero for every asset, as in Gu, Kelly and
    Xiu (2021). A forecast of zero scores 0, not the R² of a mean.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(scale > 0, 1 - error / scale, np.nan)


def asset_loss(realised: Matrix, explained: Matrix) -> Loss:
    """Return the squared errors of assets, summed by date over pairs where both are known."""
    known = np.isfinite(realised) & np.isfinite(explained)
    return Loss(
        error=np.where(known, (realised - explained) ** 2, 0.0).sum(axis=1),
        scale=np.where(known, realised**2, 0.0).sum(axis=1),
        count=known.sum(axis=1).astype(np.float64),
    )


@dataclass(frozen=True, eq=False)
class Characteristics:
    """Characteristics of the test dates with the constant last, ready to weight portfolios.

    Attributes
    ----------
    columns : tuple of T (n_t,) int
        Places on the asset axis of the date's rows.
    Z : tuple of T (n_t, P + 1) float64
    """

    columns: tuple[np.ndarray, ...]
    Z: tuple[Matrix, ...]

    @classmethod
    def of(cls, panel: Panel, dates: np.ndarray) -> Characteristics:
        """Take the test dates' rows out of the panel; a date it lacks has no rows."""
        place = {date: slot for slot, date in enumerate(panel.dates)}
        blocks = list(panel.blocks())
        rows = [blocks[place[date]] if date in place else slice(0, 0) for date in dates]
        return cls(
            columns=tuple(panel.asset_index[block] for block in rows),
            Z=tuple(_with_constant(panel.Z[block]) for block in rows),
        )


def managed_loss(realised: Matrix, explained: Matrix, characteristics: Characteristics) -> Loss:
    """Return the squared errors of the managed portfolios, summed by date.

    Parameters
    ----------
    realised, explained : (T, N)
        Returns and what a model makes of them.

    Notes
    -----
    Bottom-up, as in Gu, Kelly and Xiu (2021): x_t = (Z'Z)⁻¹ Z'r_t against
    (Z'Z)⁻¹ Z'r̂_t over the date's assets for which both are known.
    """
    known = np.isfinite(realised) & np.isfinite(explained)
    error, scale, count = (np.zeros(len(realised)) for _ in range(3))
    for t, (columns, Z) in enumerate(zip(characteristics.columns, characteristics.Z, strict=True)):
        rows: Mask = known[t, columns]
        if not rows.any():
            continue
        assets = columns[rows]
        pair = np.column_stack([realised[t, assets], explained[t, assets]])
        x, fitted = managed_portfolios(Z[rows], pair).T
        error[t], scale[t], count[t] = ((x - fitted) ** 2).sum(), (x**2).sum(), len(x)
    return Loss(error=error, scale=scale, count=count)


def managed_portfolios(Z: Matrix, returns: Matrix) -> Matrix:
    """(Z'Z)⁻¹ Z'r: the returns of one portfolio a characteristic.

    Parameters
    ----------
    Z : (n, P + 1)
    returns : (n, m)

    Returns
    -------
    (P + 1, m)
        The minimum-norm solution where Z'Z is singular or nearly so.
    """
    inverse = np.linalg.pinv(Z.T @ Z, rcond=RELATIVE_CUTOFF, hermitian=True)
    return np.asarray(inverse @ (Z.T @ returns), dtype=np.float64)


def _with_constant(Z: np.ndarray) -> Matrix:
    return np.column_stack([Z.astype(np.float64), np.ones(len(Z))])
