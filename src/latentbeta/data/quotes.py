"""Which price rows can be used: those with a close, on a session of the exchange."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.errors import DataError

# A stray row or two on a holiday is a vendor's slip; more than this is another exchange.
_LARGEST_SHARE_OFF_SESSION = 0.01
# Dates one day off put a fifth of an asset's rows on a weekend: a time zone, or a wrong origin.
_LARGEST_SHARE_OF_AN_ASSET = 0.1
_FEWEST_ROWS_OFF = 5


@dataclass(frozen=True)
class UsableQuotes:
    """Rows that were kept.

    Attributes
    ----------
    prices : DataFrame
        Sorted by asset, then date, with a fresh index.
    session : (n,) int
        Number of each row's session.
    dropped : dict
        Reason: how many rows were left out for it.
    carried : int
        Dividends and splits of dropped rows that were moved to the asset's next row.
    """

    prices: pd.DataFrame
    session: NDArray[np.int64]
    dropped: dict[str, int]
    carried: int


def usable_quotes(
    prices: pd.DataFrame, sessions: NDArray[np.datetime64], *, calendar: str
) -> UsableQuotes:
    """Drop rows without a close or not on a session; their dividends and splits move on.

    Parameters
    ----------
    prices : DataFrame
        Sorted by asset, then date: asset (categorical), date, close, dividend, split, ...
    sessions : (D,) datetime64[us]
    calendar : str
        The exchange's name, for the message.

    Raises
    ------
    DataError
        When more than one row in a hundred, or in ten of one asset, is not on a session, or no
        row is left.
    """
    days = prices["date"].to_numpy()
    session = np.searchsorted(sessions, days)
    on_session = np.append(sessions, np.datetime64("NaT"))[session] == days
    quoted = prices["close"].notna().to_numpy()
    _refuse_another_calendar(prices, on_session, calendar)
    _refuse_shifted_assets(prices, on_session, calendar)
    kept = on_session & quoted
    if not kept.any():
        raise DataError("no price row has a close; check data.columns.close")
    moved, carried = _actions_moved_on(prices, kept)
    return UsableQuotes(
        prices=moved[kept].reset_index(drop=True),
        session=session[kept],
        dropped={
            "not_a_session": int((~on_session).sum()),
            "no_close": int((on_session & ~quoted).sum()),
        },
        carried=carried,
    )


def _refuse_another_calendar(
    prices: pd.DataFrame, on_session: NDArray[np.bool_], calendar: str
) -> None:
    off = np.flatnonzero(~on_session)
    if len(off) <= _LARGEST_SHARE_OFF_SESSION * len(prices):
        return
    first = prices.iloc[off[0]]
    raise DataError(
        f"{len(off)} of {len(prices)} price rows are dated on days without a session of"
        f" {calendar}, the first {first['asset']!r} on {first['date']:%Y-%m-%d};"
        " set data.calendar to the exchange that the prices come from"
    )


def _refuse_shifted_assets(
    prices: pd.DataFrame, on_session: NDArray[np.bool_], calendar: str
) -> None:
    codes = prices["asset"].cat.codes.to_numpy()
    n_off = np.bincount(codes[~on_session], minlength=len(prices["asset"].cat.categories))
    n_rows = np.bincount(codes, minlength=len(n_off))
    shifted = (n_off >= _FEWEST_ROWS_OFF) & (n_off > _LARGEST_SHARE_OF_AN_ASSET * n_rows)
    if not shifted.any():
        return
    code = int(np.argmax(shifted))
    first = prices.iloc[np.flatnonzero(~on_session & (codes == code))[0]]
    raise DataError(
        f"{n_off[code]} of {n_rows[code]} rows of {first['asset']!r} are dated on days without a"
        f" session of {calendar}, the first on {first['date']:%Y-%m-%d}: its dates are shifted, by"
        " a time zone perhaps; give the exchange's own dates, or leave the asset out"
    )


def _actions_moved_on(prices: pd.DataFrame, kept: NDArray[np.bool_]) -> tuple[pd.DataFrame, int]:
    """Give each kept row the splits and dividends of dropped rows right before it.

    A share before a dropped day (d0, s0) and the kept day (d1, s1) becomes s0 s1 shares; what it
    was paid, per share of the kept day, is d1 + d0 / s1.
    """
    codes = prices["asset"].cat.codes.to_numpy()
    dividend, split = prices["dividend"].to_numpy().copy(), prices["split"].to_numpy().copy()
    kept_rows = np.flatnonzero(kept)
    carried = 0
    for row in np.flatnonzero(~kept & ((dividend > 0) | (split != 1)))[::-1]:
        place = np.searchsorted(kept_rows, row)
        if place == len(kept_rows) or codes[kept_rows[place]] != codes[row]:
            continue
        target = kept_rows[place]
        dividend[target] += dividend[row] / split[target]
        split[target] *= split[row]
        carried += 1
    return (prices.assign(dividend=dividend, split=split) if carried else prices), carried
