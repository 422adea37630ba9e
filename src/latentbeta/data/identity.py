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
    close = prices["close"].to_numpy()
    before = np.append(np.nan, close[:-1])
    before[first_quotes(prices)] = np.nan
    ratio = close * prices["split"].to_numpy() / before
    rows = np.flatnonzero(np.fmax(ratio, 1 / ratio) > 1 + SWAP_MOVE)
    moved = pd.DataFrame(
        {
            "date": prices["date"].to_numpy()[rows],
            "row": rows,
            "asset": prices["asset"].to_numpy(dtype=object)[rows],
            "before": np.log(before[rows]),
            "open": np.log(prices["open"].to_numpy()[rows]),
            "close": np.log(close[rows]),
        }
    )
    up = ratio[rows] > 1
    pairs = moved[up].merge(moved[~up], on="date", suffixes=("_a", "_b"))
    near = _stands_at(pairs, "a", "b") & _stands_at(pairs, "b", "a")
    both = pairs[near]
    found = np.concatenate([both["row_a"], both["row_b"]]).astype(np.int64)
    others = np.concatenate([both["asset_b"], both["asset_a"]])
    detail = np.array([f"stands at the price of {other}, which stands at its" for other in others])
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


def _stands_at(pairs: pd.DataFrame, one: str, other: str) -> Mask:
    """Tell whether one's open and close are near the other's previous close; (n,)."""
    near = [
        np.abs(pairs[f"{quote}_{one}"].to_numpy() - pairs[f"before_{other}"].to_numpy())
        < SWAP_NEARNESS
        for quote in ("open", "close")
    ]
    return np.logical_and(*near)
