"""The exchange's sessions, and the ends of return periods among them."""

from __future__ import annotations

import datetime as dt
import warnings
from functools import lru_cache

import exchange_calendars
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.config import Rebalancing
from latentbeta.errors import DataError

Dates = NDArray[np.datetime64]
Day = dt.date | np.datetime64 | pd.Timestamp

# The longest run of days without a session on any exchange is far below this (Golden Week and
# the like take ten), so the session after a date is found within it.
_LOOK_AHEAD = np.timedelta64(60, "D")


def sessions(calendar: str, start: Day, end: Day) -> Dates:
    """Return the trading sessions of an exchange from start to end, both included.

    Parameters
    ----------
    calendar : str
        Name in exchange_calendars, such as ``XNYS``.
    start, end : date

    Returns
    -------
    (D,) datetime64[us], ascending

    Raises
    ------
    DataError
        When there is no such calendar, or it does not reach that far.
    """
    first, last = _day(start), _day(end)
    every = _sessions_of_years(calendar, _year(first), _year(last))
    return every[(every >= first) & (every <= last)].copy()


def period_ends(sessions: Dates, rebalancing: Rebalancing, *, calendar: str) -> Dates:
    """Return those sessions that are the last of their day, week or month on the exchange.

    Whether the newest session ends its period is known from the calendar, not from the data:
    on the last session of a month the month is complete, a session earlier it is not.

    Parameters
    ----------
    sessions : (D,) datetime64
        Consecutive sessions, ascending.
    rebalancing : {"daily", "weekly", "monthly"}
    calendar : str

    Returns
    -------
    (E,) datetime64[us], ascending
    """
    days = np.asarray(sessions, dtype="datetime64[us]")
    if len(days) == 0:
        return days
    following = np.append(days[1:], _session_after(calendar, days[-1]))
    return days[period_numbers(days, rebalancing) != period_numbers(following, rebalancing)]


def next_period_end(calendar: str, after: Day, rebalancing: Rebalancing) -> np.datetime64:
    """Return the end of the period that holds the first session after the date `after`.

    Returns
    -------
    datetime64[us]
        After a period's last session this is the end of the next period; within a period it is
        the end of that period itself.
    """
    first = _session_after(calendar, _day(after))
    ahead = sessions(calendar, first, first + _LOOK_AHEAD)
    same = period_numbers(ahead, rebalancing) == period_numbers(ahead[:1], rebalancing)[0]
    return ahead[same][-1]


def last_closed_session(calendar: str, now: dt.datetime) -> dt.date:
    """Return the last session whose close lies before the moment `now`, which knows its zone."""
    today = now.astimezone(dt.UTC).date()
    first, last = today - dt.timedelta(days=60), today + dt.timedelta(days=1)
    schedule = _calendar_of_years(calendar, first.year, last.year).closes
    closed = schedule[schedule <= pd.Timestamp(now)]
    return dt.date.fromisoformat(f"{closed.index[-1]:%Y-%m-%d}")


def _session_after(calendar: str, day: np.datetime64) -> np.datetime64:
    ahead = sessions(calendar, day + np.timedelta64(1, "D"), day + _LOOK_AHEAD)
    if len(ahead) == 0:
        raise DataError(
            f"calendar {calendar} has no session in the {_LOOK_AHEAD} after {str(day)[:10]};"
            " set data.calendar to the exchange that the prices come from"
        )
    return ahead[0]


def period_numbers(days: Dates, rebalancing: Rebalancing) -> NDArray[np.int64]:
    """Return (D,) the number of the period each day lies in; weeks run from Monday to Sunday."""
    if rebalancing == "monthly":
        return days.astype("datetime64[M]").astype(np.int64)
    number = days.astype("datetime64[D]").astype(np.int64)  # 1970-01-01, a Thursday, is 0
    return number if rebalancing == "daily" else (number + 3) // 7


def _day(value: Day) -> np.datetime64:
    return np.datetime64(pd.Timestamp(value).date(), "us")


def _year(day: np.datetime64) -> int:
    return int(day.astype("datetime64[Y]").astype(np.int64)) + 1970


@lru_cache(maxsize=32)
def _sessions_of_years(calendar: str, first: int, last: int) -> Dates:
    days = _calendar_of_years(calendar, first, last).sessions.to_numpy().astype("datetime64[us]")
    days.flags.writeable = False
    return days


def _calendar_of_years(calendar: str, first: int, last: int) -> exchange_calendars.ExchangeCalendar:
    """Return a calendar of whole years: its default bounds would move with the clock."""
    try:
        with warnings.catch_warnings():
            # The package builds its own time tables with calls that pandas 3 deprecates.
            warnings.simplefilter("ignore")
            return exchange_calendars.get_calendar(
                calendar, start=f"{first}-01-01", end=f"{last}-12-31"
            )
    except (exchange_calendars.errors.CalendarError, ValueError) as error:
        raise DataError(
            f"data.calendar: no sessions of {calendar!r} for {first} to {last}: {error};"
            " name a calendar of exchange_calendars, such as XNYS or XLON"
        ) from error
