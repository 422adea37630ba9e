"""Weekly returns: blocks of five sessions counted back from a formation.

Counting back from the formation, not by calendar weeks, gives each formation weeks that end on
it and are whole, at any rebalancing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentbeta.characteristics.windows import (
    AcrossAssets,
    Mask,
    daily_returns,
    gross_returns,
    least_days,
    over_last,
    unknown_return,
)
from latentbeta.data.market import DailyMarket, Market, Matrix, blocks

WEEK = 5
WEEKS = 156
LEAST_WEEKS = 52


@dataclass(frozen=True)
class Weekly:
    """Total returns over the five sessions that end on each day.

    Attributes
    ----------
    values : (D, N)
        Zero where not known.
    known : (D, N) bool
        False on the first four days, where fewer than four of the five returns are known, and
        where a quote among them has an unknown return.
    """

    values: Matrix
    known: Mask

    def of(self, rows: NDArray[np.int64]) -> tuple[Matrix, Matrix]:
        """Return values, and weights: one where known, zero elsewhere, of some days. -> (W, N)."""
        weeks = slice(int(rows[0]), int(rows[-1]) + 1, WEEK)
        return self.values[weeks], self.known[weeks].astype(np.float64)


def weekly_returns(market: DailyMarket) -> Weekly:
    """Return the weekly returns of a market's assets, made once."""
    return market.remembered("weekly returns", lambda: _weekly_returns(market))


def _weekly_returns(market: DailyMarket) -> Weekly:
    days = daily_returns(market).known[1:].view(np.uint8)
    known: Mask = over_last(days, WEEK, np.add) >= least_days(WEEK)
    known &= ~over_last(unknown_return(market), WEEK, np.logical_or)
    known[: WEEK - 1] = False
    values: Matrix = over_last(gross_returns(market), WEEK, np.multiply)
    values -= 1.0
    np.copyto(values, 0.0, where=~known)
    return Weekly(values, known)


def market_return(market: DailyMarket) -> Matrix:
    """Return the equal-weighted mean of the weekly returns of all assets of the market. -> (D,).

    Of a block of assets, too, it is the mean over the whole market.
    """
    source = market.whole or market
    return source.remembered("weekly market return", lambda: _mean_of_weekly_returns(source))


def _mean_of_weekly_returns(market: Market) -> Matrix:
    sums = AcrossAssets()
    for _, block in blocks(market):
        weekly = weekly_returns(block)
        sums = sums.with_known(weekly.values, weekly.known)
    return sums.mean()


def weekly_rows(formation: int, *, first: int) -> NDArray[np.int64]:
    """Return the days on which the weeks before a formation end, ascending: 156 at most.

    None lies before day `first`.
    """
    oldest = max(formation - WEEK * (WEEKS - 1), first)
    return np.arange(formation, oldest - 1, -WEEK)[::-1]
