"""Marks on quotes that seem to belong to another asset, and on assets that are not known."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.data.adjust import TotalReturns, first_quotes
from latentbeta.data.contradictions import Mask
from latentbeta.data.marks import Marks, marked

# Two assets whose quotes change places: both move by more than this, and each opens and closes
# this near (in logs) to the other's previous close.
SWAP_MOVE = 0.3
SWAP_NEARNESS = 0.05

# After a long gap, a price this many times the one before it is another company's, or another
# unit's. Over a gap this long a ticker may have been given to another even at the same price.
REUSE_JUMP = 2.0
REUSE_SESSIONS = 250


def swapped_prices(prices: pd.DataFrame) -> Marks:
    """Mark two assets that stand at each other's price of the day before.

    Parameters
    ----------
    prices : DataFrame
        Sorted by asset, then date: asset (categorical), date, open, close, split.
    """
    opened, close = prices["open"].to_numpy(), prices["close"].to_numpy()
    before = np.append(np.nan, close[:-1])
    before[first_quotes(prices)] = np.nan
    ratio = close * prices["split"].to_numpy() / before
    rows = np.flatnonzero(np.fmax(ratio, 1 / ratio) > 1 + SWAP_MOVE)
    days = prices["date"].to_numpy()[rows]
    order = np.argsort(days, kind="stable")
    starts = np.flatnonzero(days[order][1:] != days[order][:-1]) + 1
    logs = np.log(np.stack([before, opened, close])[:, rows])
    # Day by day: the pairs of a day's movers fit in memory, those of all days may not.
    pairs = [
        day[_in_each_other_s_place(logs[:, day], ratio[rows[day]] > 1)]
        for day in np.split(order, starts)
    ]
    one, other = rows[np.concatenate(pairs, axis=1)]
    found, others = np.concatenate([one, other]), np.concatenate([other, one])
    names = prices["asset"].iloc[others].astype(str)
    detail = np.array([f"stands at the price of {name}, which stands at its" for name in names])
    return "swapped_prices", found, close[found], detail.astype(object)


def reused_tickers(session: NDArray[np.int64], returns: TotalReturns) -> Marks:
    """Mark the first quote after a gap that another company may have filled.

    Parameters
    ----------
    session : (n,) int
        Number of the session of each row, sorted by asset, then date.
    returns : TotalReturns of the same rows
    """
    gap = np.append(0, np.diff(session))
    jump = np.abs(np.log1p(returns.recorded)) > np.log(REUSE_JUMP)
    other = returns.long_gap & (jump | (gap > REUSE_SESSIONS))
    return marked("ticker_reuse", other, returns.recorded, "perhaps another company since the gap")


def unknown_sectors(prices: pd.DataFrame, assets: pd.DataFrame) -> Marks:
    """Mark the first quote of an asset without a sector, where most assets have one.

    Parameters
    ----------
    prices : DataFrame
        Sorted by asset, then date: asset (categorical), close.
    assets : DataFrame
        asset, sector.
    """
    known = assets.set_index("asset")["sector"].reindex(prices["asset"].cat.categories).notna()
    unknown = (
        ~known.to_numpy()[prices["asset"].cat.codes]
        if known.mean() > 0.5  # otherwise it is the file that has none
        else np.zeros(len(prices), dtype=bool)
    )
    first = unknown & first_quotes(prices)
    return marked("sector_unknown", first, prices["close"].to_numpy(), "no sector is known for it")


def _in_each_other_s_place(logs: NDArray[np.float64], rose: Mask) -> NDArray[np.int64]:
    """Find pairs, one that rose and one that fell, of n assets that moved on a day; (2, pairs).

    `logs` (3, n) holds the previous close, the open and the close.
    """
    rises, falls = np.flatnonzero(rose), np.flatnonzero(~rose)
    near = _stands_at(logs, rises, falls) & _stands_at(logs, falls, rises).T
    one, other = np.nonzero(near)
    return np.stack([rises[one], falls[other]])


def _stands_at(
    logs: NDArray[np.float64], these: NDArray[np.int64], those: NDArray[np.int64]
) -> Mask:
    """Tell whether open and close of each are near the previous close of each of those; (n, m)."""
    before, opened, closed = logs
    near: Mask = np.abs(np.subtract.outer(opened[these], before[those])) < SWAP_NEARNESS
    near &= np.abs(np.subtract.outer(closed[these], before[those])) < SWAP_NEARNESS
    return near
