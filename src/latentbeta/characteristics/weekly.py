"""Weekly returns: blocks of five sessions counted back from a formation.

Counting back from the formation, not by calendar weeks, gives each formation weeks that end on
it and are whole, at any rebalancing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentbeta.characteristics.windows import least_days, mean_across_assets, unknown_return
from latentbeta.data.market import DailyMarket, Matrix

WEEK = 5
WEEKS = 156
LEAST_WEEKS = 52


def weekly_returns(market: DailyMarket) -> Matrix:
    """Return the total return over the five sessions that end on each day.

    Returns
    -------
    (D, N) float64
        NaN on the first four days, where fewer than four of the five returns are known, and
        where a quote among them has an unknown return.
    """
    known = np.isfinite(market.total_return)
    gross = np.where(known, 1.0 + market.total_return, 1.0)
    usable = (_last_five(known, np.add) >= least_days(WEEK)) & (
        _last_five(unknown_return(market), np.add) == 0
    )
    result = np.full(market.shape, np.nan)
    result[WEEK - 1 :] = np.where(usable, _last_five(gross, np.multiply) - 1.0, np.nan)
    return result


def market_return(weekly: Matrix) -> Matrix:
    """Return the equal-weighted mean of the assets' weekly returns. (D, N) -> (D,)."""
    return mean_across_assets(weekly)


def weekly_rows(formation: int, *, first: int) -> NDArray[np.int64]:
    """Return the days on which the weeks before a formation end, ascending: 156 at most.

    None lies before day `first`.
    """
    oldest = max(formation - WEEK * (WEEKS - 1), first)
    return np.arange(formation, oldest - 1, -WEEK)[::-1]


def _last_five(daily: NDArray[np.generic], combine: np.ufunc) -> Matrix:
    """Combine each day's row with the four before it, oldest first. (D, N) -> (D - 4, N)."""
    days = max(len(daily) - WEEK + 1, 0)
    result = daily[:days].astype(np.float64)
    for step in range(1, WEEK):
        result = combine(result, daily[step : step + days])
    return result
