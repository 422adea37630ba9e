"""Marks on a volume, dividend or number of shares that is out of line with the asset's own past."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.data.adjust import TotalReturns, first_quotes
from latentbeta.data.contradictions import Mask, Vector
from latentbeta.data.marks import Marks, marked

# A volume in lots of a hundred, in thousands, or of another asset. Of 2.4 million days of S&P 500
# members five lie a hundred times above the month before, and one in 26,000 as far below it.
VOLUME_JUMP = 100.0
VOLUME_DAYS = 20

# A dividend out of line, and a price that did not fall by half of it. Below two percent of the
# price a day's ordinary move hides whether it fell.
DIVIDEND_JUMP = 4.0
EARLIER_DIVIDENDS = 3
SMALLEST_JUDGED_DIVIDEND = 0.02

# Shares multiply by mergers and offerings too, but seldom by this much between two quotes.
SHARES_JUMP = 5.0


def volume_jumps(prices: pd.DataFrame) -> tuple[Marks, Marks]:
    """Mark volumes a hundred times larger or smaller than the mean of twenty quotes before.

    Parameters
    ----------
    prices : DataFrame
        Sorted by asset, then date: asset (categorical), volume. A volume of zero has a rule of
        its own.
    """
    volume = prices["volume"].to_numpy()
    usual = _mean_before(volume, prices["asset"].cat.codes.to_numpy())
    ratio = np.divide(volume, usual, out=np.full(len(volume), np.nan), where=usual > 0)
    return (
        marked("volume_burst", ratio > VOLUME_JUMP, volume, _in_words("above")),
        marked(
            "volume_collapse",
            (ratio < 1 / VOLUME_JUMP) & (volume > 0),
            volume,
            _in_words("below"),
        ),
    )


def unusual_dividends(prices: pd.DataFrame, returns: TotalReturns) -> Marks:
    """Mark dividends four times the asset's last three, by which the price did not fall.

    Parameters
    ----------
    prices : DataFrame
        Sorted by asset, then date: asset (categorical), close, dividend, split.
    returns : TotalReturns of the same rows
    """
    close, dividend, split = (prices[n].to_numpy() for n in ("close", "dividend", "split"))
    paying = np.flatnonzero((dividend > 0) & ~first_quotes(prices))
    before = np.append(np.nan, close)[paying]  # the row above, of the same asset
    paid = split[paying] * dividend[paying] / before
    usual = _largest_before(paid, prices["asset"].cat.codes.to_numpy()[paying])
    odd = (paid > DIVIDEND_JUMP * usual) & (paid > SMALLEST_JUDGED_DIVIDEND)
    odd &= returns.recorded[paying] > paid / 2
    detail = f"above {DIVIDEND_JUMP:g} times the last {EARLIER_DIVIDENDS}, and the price stood"
    return "dividend_unusual", paying[odd], dividend[paying][odd], detail


def share_jumps(prices: pd.DataFrame) -> Marks:
    """Mark numbers of shares that a split does not explain.

    Parameters
    ----------
    prices : DataFrame
        Sorted by asset, then date: asset (categorical), split, shares.
    """
    shares, split = prices["shares"].to_numpy(), prices["split"].to_numpy()
    before = np.append(np.nan, shares[:-1])
    before[first_quotes(prices)] = np.nan
    jump = np.abs(np.log(shares / before))
    # A split explains a jump of its own size; a vendor may also count the new shares later.
    explained = np.minimum(jump, np.abs(np.log(shares / (before * split))))
    return marked(
        "shares_jump",
        explained > np.log(SHARES_JUMP),
        shares,
        f"shares outstanding changed by more than a factor of {SHARES_JUMP:g}",
    )


def _mean_before(values: Vector, codes: NDArray[np.integer]) -> Vector:
    """(n,) mean of the twenty rows of the asset before; NaN with fewer.

    A running sum would be quicker, but its last bits depend on the assets above.
    """
    total = np.zeros(len(values))
    for lag in range(1, min(VOLUME_DAYS, len(values)) + 1):
        total[lag:] += values[:-lag]
    enough: Mask = np.zeros(len(values), dtype=bool)
    enough[VOLUME_DAYS:] = codes[VOLUME_DAYS:] == codes[:-VOLUME_DAYS]
    return np.where(enough, total / VOLUME_DAYS, np.nan)


def _largest_before(paid: Vector, codes: NDArray[np.integer]) -> Vector:
    """(m,) the largest of an asset's last three dividends; NaN with fewer."""
    largest = np.full(len(paid), np.nan)
    if len(paid) <= EARLIER_DIVIDENDS:
        return largest
    windows = np.lib.stride_tricks.sliding_window_view(paid[:-1], EARLIER_DIVIDENDS)
    same = codes[EARLIER_DIVIDENDS:] == codes[:-EARLIER_DIVIDENDS]
    largest[EARLIER_DIVIDENDS:] = np.where(same, windows.max(axis=1), np.nan)
    return largest


def _in_words(way: str) -> str:
    return f"shares traded: {way} the {VOLUME_DAYS} quotes before by a factor of {VOLUME_JUMP:g}"
