"""Weekly returns: blocks of five sessions counted back from a formation.

Counting back from the formation, not by calendar weeks, gives each formation weeks that end on
it and are whole, at any rebalancing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentbeta.characteristics.windows import (
    AcrossAssets,
    gross_returns,
    least_days,
    over_last,
    unknown_return,
)
from latentbeta.data.market import DailyMarket, Market, Matrix, blocks

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
    known = over_last(np.isfinite(market.total_return).view(np.uint8), WEEK, np.add)
    broken = over_last(unknown_return(market), WEEK, np.logical_or)
    weekly: Matrix = over_last(gross_returns(market), WEEK, np.multiply)
    weekly -= 1.0
    np.copyto(weekly, np.nan, where=broken | (known < least_days(WEEK)))
    weekly[: WEEK - 1] = np.nan
    return weekly


def market_return(market: DailyMarket) -> Matrix:
    """Return the equal-weighted mean of the weekly returns of all assets of the market. -> (D,).

    Of a block of assets, too, it is the mean over the whole market.
    """
    source = market.whole or market
    return source.remembered("weekly market return", lambda: _mean_of_weekly_returns(source))


def _mean_of_weekly_returns(market: Market) -> Matrix:
    sums = AcrossAssets()
    for _, block in blocks(market):
        sums = sums.with_assets(weekly_returns(block))
    return sums.mean()


def weekly_rows(formation: int, *, first: int) -> NDArray[np.int64]:
    """Return the days on which the weeks before a formation end, ascending: 156 at most.

    None lies before day `first`.
    """
    oldest = max(formation - WEEK * (WEEKS - 1), first)
    return np.arange(formation, oldest - 1, -WEEK)[::-1]
