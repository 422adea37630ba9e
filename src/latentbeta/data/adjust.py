"""Daily total returns from raw closes, dividends and splits, and what is not to be believed.

Notation: p the raw close, d the dividend and s the split (new shares for one old) that go ex on
the day, t' the asset's previous quote. The holder of one share at t' holds s shares at t, each
worth p_t and paid d_t:

    r_t = s_t (p_t + d_t) / p_t' - 1

A dividend that falls on a split date is thus taken **per new share**, which is how it trades: the
shares that go ex that day are the new ones. (Of eleven such days in a vendor's file of S&P 500
prices, the vendor's own adjusted closes follow this reading on all eleven.)

Published adjusted closes are not used: they are rewritten at each new dividend, so yesterday's
copy of a past price differs from today's, and errors in them cannot be told from moves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.data.contradictions import Contradictions, Mask, Vector, contradictions

# A return may span this many sessions without a quote. A short gap earned what its ends say. After
# a longer one the move is weeks of news dated to one day: volatility, the largest return and the
# last period's return would all be wrong, so it is unknown instead.
LONGEST_GAP = 10


@dataclass(frozen=True)
class TotalReturns:
    """Daily returns of n quotes, and why some of them were not left as recorded.

    Attributes
    ----------
    total_return : (n,)
        Decimal, NaN on an asset's first quote, after a long gap and where it is unreliable.
    recorded : (n,)
        The same with every split and dividend taken at its word, NaN only on a first quote.
    long_gap : (n,) bool
        More than LONGEST_GAP sessions have passed without a quote.
    contradicted : Contradictions
    """

    total_return: Vector
    recorded: Vector
    long_gap: Mask
    contradicted: Contradictions


def total_returns(prices: pd.DataFrame, session: NDArray[np.int64]) -> TotalReturns:
    """Compute total returns, and withhold those that the raw price plainly contradicts.

    Parameters
    ----------
    prices : DataFrame
        Sorted by asset, then date, with columns asset (categorical), open, high, low, close,
        volume, dividend, split.
    session : (n,) int
        Number of the session that each row's date is.

    Returns
    -------
    TotalReturns
        The return on a day in `contradicted.late_split` takes the split that the record has a few
        days too early; the other contradicted returns are NaN, because what the holder earned
        cannot be told from the record.
    """
    first = first_quotes(prices)
    close, dividend, split = (prices[n].to_numpy() for n in ("close", "dividend", "split"))
    before = _previous(close, first)
    recorded = split * (close + dividend) / before - 1
    found = contradictions(prices, before, recorded)
    long_gap = session - _previous(session.astype(np.float64), first) - 1 > LONGEST_GAP
    believed = found.late_split * split * (close + dividend) / before - 1
    return TotalReturns(
        total_return=np.where(long_gap | found.unreliable, np.nan, believed),
        recorded=recorded,
        long_gap=long_gap,
        contradicted=found,
    )


def with_delisting_returns(prices: pd.DataFrame, returns: Vector, assets: pd.DataFrame) -> Vector:
    """Compound each delisting return into the return of the day the asset is delisted.

    Where quotes end before the date `delisted` there is no row to hold it, and dating it back to
    the last quote would let a characteristic see it early: `market_files.load_market` places those.
    Delistings that are not known yet at the last date that was read must have been taken out of
    `assets`.

    Parameters
    ----------
    prices : DataFrame
        Sorted by asset, then date, with columns asset (categorical) and date.
    returns : (n,)
    assets : DataFrame
        Columns asset, delisted, delisting_return.

    Returns
    -------
    (n,) returns; where the last return itself is unknown it stays so
    """
    known = assets.dropna(subset=["delisted", "delisting_return"])
    known = known[known["asset"].isin(prices["asset"].cat.categories)]
    codes, days = prices["asset"].cat.codes.to_numpy(), prices["date"].to_numpy()
    compounded = returns.copy()
    position = prices["asset"].cat.categories.get_indexer(pd.Index(known["asset"]))
    for code, day, value in zip(
        position, known["delisted"].to_numpy(), known["delisting_return"], strict=True
    ):
        first, stop = np.searchsorted(codes, [code, code + 1])
        last = first + int(np.searchsorted(days[first:stop], day, side="right")) - 1
        if last >= first and (last + 1 < stop or days[last] == day):
            compounded[last] = (1 + returns[last]) * (1 + value) - 1
    return compounded


def first_quotes(prices: pd.DataFrame) -> Mask:
    """(n,) whether a row is its asset's first, in rows sorted by asset, then date."""
    codes = prices["asset"].cat.codes.to_numpy()
    return np.append(True, codes[1:] != codes[:-1])


def _previous(values: Vector, first: Mask) -> Vector:
    shifted = np.append(np.nan, values[:-1])
    shifted[first] = np.nan
    return shifted
