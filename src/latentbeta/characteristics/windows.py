"""Statistics over windows of trading days that end at a formation, whatever the rebalancing.

Every helper reads the days up to a formation and no later one, adds the days of an asset up in
their order, and never mixes one asset's column with another's. So neither later days nor assets
listed later can change a value, not even its last bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from latentbeta.data.market import DailyMarket, Matrix

Formations = NDArray[np.int64]

MONTH = 21
YEAR = 252
LEAST_KNOWN = 2 / 3  # of a window's days; below it the statistic is missing
RECENT = 5  # sessions that a last quote stays good for


def least_days(length: int) -> int:
    """Return how many of a window's days must be known: two thirds, rounded up."""
    return math.ceil(length * LEAST_KNOWN - 1e-9)


def over_windows(
    daily: Matrix,
    formations: Formations,
    length: int,
    statistic: Callable[[Matrix], Matrix],
    *,
    skip: int = 0,
) -> Matrix:
    """Apply a statistic to the window of `length` days that ends `skip` days before a formation.

    Parameters
    ----------
    daily : (D, N)
        Daily values, NaN where not known.
    formations : (T,) int
        Positions of the formation days.
    length, skip : int
        In trading days.
    statistic : callable
        Takes (length, N) with NaN, returns (N,).

    Returns
    -------
    (T, N) float64
        NaN where fewer than two thirds of the window's days are known.
    """
    result = np.full((len(formations), daily.shape[1]), np.nan)
    for row, formation in enumerate(formations):
        stop = max(int(formation) - skip + 1, 0)
        window = daily[max(stop - length, 0) : stop]
        enough = np.isfinite(window).sum(axis=0) >= least_days(length)
        if enough.any():
            result[row] = np.where(enough, statistic(window), np.nan)
    return result


def mean_of_known(window: Matrix) -> Matrix:
    """Return the mean of each column's known values; NaN where there is none. (W, N) -> (N,)."""
    known = np.isfinite(window)
    count = known.sum(axis=0)
    total = np.where(known, window, 0.0).sum(axis=0)
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)


def deviation_of_known(window: Matrix) -> Matrix:
    """Return each column's standard deviation (n - 1) over its known values. (W, N) -> (N,)."""
    known = np.isfinite(window)
    count = known.sum(axis=0)
    centred = np.where(known, window - mean_of_known(window), 0.0)
    variance = np.divide(
        (centred * centred).sum(axis=0),
        count - 1,
        out=np.full(len(count), np.nan),
        where=count > 1,
    )
    return np.sqrt(variance)


def largest_known(window: Matrix) -> Matrix:
    """Return each column's largest known value. (W, N) -> (N,)."""
    return np.fmax.reduce(window, axis=0)


def mean_across_assets(values: Matrix) -> Matrix:
    """Return the equal-weighted mean over the assets that are known. (D, N) -> (D,).

    The sum runs in the order of the assets (`cumsum`, not the pairwise `sum`), so that a column
    of NaN for an asset that is not listed yet leaves every bit as it was.
    """
    known = np.isfinite(values)
    count = known.sum(axis=1)
    total = np.cumsum(np.where(known, values, 0.0), axis=1)[:, -1]
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)


def unknown_return(market: DailyMarket) -> NDArray[np.bool_]:
    """Return (D, N) whether an asset has a quote whose return is not known.

    So it is on an asset's first day, and after a gap that the source could not bridge. A day
    without a quote is not among them: the return of the next quote spans it.
    """
    return np.isfinite(market.close) & ~np.isfinite(market.total_return)


def last_known(daily: Matrix, formations: Formations) -> Matrix:
    """Return the latest known value of the last five sessions at each formation. -> (T, N)."""
    result = np.full((len(formations), daily.shape[1]), np.nan)
    for age in range(RECENT):
        rows = formations >= age
        result[rows] = np.where(
            np.isfinite(result[rows]), result[rows], daily[formations[rows] - age]
        )
    return result


def quoted_lately(market: DailyMarket, formations: Formations) -> NDArray[np.bool_]:
    """Return (T, N) whether an asset has a quote in the last five sessions at a formation."""
    return np.isfinite(last_known(market.close, formations))


def ratio(numerator: Matrix, denominator: Matrix) -> Matrix:
    """Divide where the denominator is positive, NaN elsewhere."""
    return np.divide(
        numerator,
        denominator,
        out=np.full(np.shape(numerator), np.nan),
        where=denominator > 0,
    )
