"""Return periods: when each is formed and when it ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentbeta.config import Rebalancing
from latentbeta.data.calendar import next_period_end, period_ends
from latentbeta.data.market import Market
from latentbeta.errors import DataError


@dataclass(frozen=True)
class Periods:
    """One return period a row, ascending.

    Attributes
    ----------
    dates : (T,) datetime64[us]
        Last session of the period; of the newest one it lies ahead of the data.
    formations : (T,) int
        Position of the day at whose close the period's characteristics are known.
    ends : (T,) int
        Position of the period's last day; D, one past the data, when it lies ahead.
    """

    dates: NDArray[np.datetime64]
    formations: NDArray[np.int64]
    ends: NDArray[np.int64]

    def __getitem__(self, rows: NDArray[np.bool_]) -> Periods:
        """Return the periods that a mask selects."""
        return Periods(self.dates[rows], self.formations[rows], self.ends[rows])


def return_periods(market: Market, rebalancing: Rebalancing, *, calendar: str) -> Periods:
    """Lay the return periods over the market's days.

    A period is formed where the one before it ends. The newest is formed on the last day there
    is and ends with the period that holds the session after it.

    Parameters
    ----------
    market : Market
        Its days are consecutive sessions.
    rebalancing : {"daily", "weekly", "monthly"}
    calendar : str
        Name of the exchange's calendar.

    Raises
    ------
    DataError
        When there is not a single day.
    """
    days = market.days
    if len(days) == 0:
        raise DataError("the price data holds no trading day; check data.path and data.as_of")
    complete = period_ends(days, rebalancing, calendar=calendar)
    positions = np.searchsorted(days, complete).astype(np.int64)
    ahead = next_period_end(calendar, days[-1], rebalancing)
    return Periods(
        dates=np.append(complete[1:], ahead),
        formations=np.append(positions[:-1], len(days) - 1),
        ends=np.append(positions[1:], len(days)),
    )
