"""Out-of-sample R² with a forecast of zero as its baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentbeta.evaluation.sample import Matrix, Vector


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


def squared_loss(realised: Matrix, explained: Matrix) -> Loss:
    """Return squared errors, summed by date over the pairs where both are known.

    Parameters
    ----------
    realised, explained : (T, N)
        Of assets, or of managed portfolios.
    """
    known = np.isfinite(realised) & np.isfinite(explained)
    return Loss(
        error=np.where(known, (realised - explained) ** 2, 0.0).sum(axis=1),
        scale=np.where(known, realised**2, 0.0).sum(axis=1),
        count=known.sum(axis=1).astype(np.float64),
    )
