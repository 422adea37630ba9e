"""Recorded splits and dividends that the raw price of the day plainly contradicts.

Each judgement looks at that day and at days before it, never after, so a return once withheld
stays withheld and one once believed stays believed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

USUAL_SPLITS = np.array([2.0, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 40, 50])
# Three for two is as usual as two for one, but two for three is not: a rise by half is news.
_THREE_FOR_TWO = 1.5
SPLIT_TOLERANCE = 0.04

# Pence for pounds, cents for units, thousands: nothing real moves by a hundred in a day, and a
# split of that size would be recorded, or else be one that is missing.
_UNITS = np.log([100.0, 1000.0])
_UNIT_TOLERANCE = 0.25  # in logs: a day's ordinary move beside it

# A split of less than a fifth is too close to a day's ordinary move to be judged by the price.
_SMALLEST_JUDGED_SPLIT = np.log(1.2)
_LARGE_DIVIDEND = 0.25  # of the previous close
_SMALLEST_JUDGED_RETURN = 0.03
_LATEST_SPLIT = 5  # quotes after a contradicted split in which the price may still follow it

# A halving by news comes with a wide range and a burst of volume; one by a split does not. Of the
# eleven such days of S&P 500 members from 1999 to 2021, splits had ranges below 7 % and less than
# twice the usual volume, news ranges from 14 % and six times that or more.
_CALM_RANGE = 0.10
_CALM_VOLUME = 4.0
_USUAL_VOLUME_DAYS = 20


@dataclass(frozen=True)
class Contradictions:
    """Which of n quotes are contradicted, and how.

    Attributes
    ----------
    split_contradicted : (n,) bool
        The return with the split is, in logs, more than half the split itself: a two-for-one
        split with an unchanged price.
    split_missing : (n,) bool
        Open and close, each with the dividend, both stand at a usual split of the previous close,
        on a calm day, and no split is recorded.
    dividend_contradicted : (n,) bool
        A dividend above the previous close; or one above a quarter of it, and a return that is
        more than half of that: the price did not fall by what was paid.
    unit_changed : (n,) bool
        Open and close both stand at a hundred or a thousand times the previous close, or at that
        part of it: prices in another unit of the currency.
    counted_twice : (n,) bool
        A split and a dividend on one day, a return beyond 3 % with both, and less than half of
        that with just one of them: a spin-off written down as both.
    late_split : (n,)
        Within five quotes after a contradicted split, on the first day whose price moves as that
        split says and has none recorded: the split to take there. 1 elsewhere.
    """

    split_contradicted: Mask
    split_missing: Mask
    dividend_contradicted: Mask
    unit_changed: Mask
    counted_twice: Mask
    late_split: Vector

    @property
    def unreliable(self) -> Mask:
        """(n,) whether the day's return cannot be told from the record."""
        return (
            self.split_contradicted
            | self.split_missing
            | self.dividend_contradicted
            | self.unit_changed
            | self.counted_twice
        )


def contradictions(prices: pd.DataFrame, before: Vector, recorded: Vector) -> Contradictions:
    """Judge each quote's split and dividend by its price.

    Parameters
    ----------
    prices : DataFrame
        Sorted by asset, then date: open, high, low, close, volume, dividend, split.
    before : (n,)
        The asset's previous close, NaN on its first quote.
    recorded : (n,)
        Return with the split and dividend taken at their word, NaN on a first quote.
    """
    close, dividend, split = (prices[n].to_numpy() for n in ("close", "dividend", "split"))
    split_contradicted = _split_contradicted(recorded, split)
    late_split = _late_splits(split_contradicted, split, close / before)
    paid = split * dividend / before
    dividend_only = (close + dividend) / before - 1
    either = np.minimum(np.abs(split * close / before - 1), np.abs(dividend_only))
    both = (split != 1) & (dividend > 0) & (np.abs(recorded) > _SMALLEST_JUDGED_RETURN)
    return Contradictions(
        split_contradicted=split_contradicted,
        split_missing=_split_missing(prices, before, recorded) & (late_split == 1),
        dividend_contradicted=(paid > 1) | ((paid > _LARGE_DIVIDEND) & (recorded > paid / 2)),
        unit_changed=_unit_changed(prices, before),
        counted_twice=both & (either < np.abs(recorded) / 2),
        late_split=late_split,
    )


def near_usual_split(ratio: Vector) -> Mask:
    """(n,) whether a price stands near a usual split of the previous one, up or down."""
    larger = np.fmax(ratio, 1 / ratio)
    near: Mask = larger > USUAL_SPLITS[0] * (1 - SPLIT_TOLERANCE)  # few, of many: for speed
    near[near] = np.abs(larger[near, None] / USUAL_SPLITS - 1).min(axis=1) < SPLIT_TOLERANCE
    return near


def _near_missing_split(ratio: Vector) -> Mask:
    return near_usual_split(ratio) | (np.abs(ratio * _THREE_FOR_TWO - 1) < SPLIT_TOLERANCE)


def _unit_changed(prices: pd.DataFrame, before: Vector) -> Mask:
    split = prices["split"].to_numpy()
    opened, closed = (prices[n].to_numpy() * split / before for n in ("open", "close"))
    far = np.fmax(closed, 1 / closed) > np.exp(_UNITS[0] - _UNIT_TOLERANCE)
    changed: Mask = far & ~np.isnan(closed)
    jump, whole = np.log(closed[changed]), np.log(opened[changed])
    whole = np.where(np.isnan(whole), jump, whole)  # by the close alone where there is no open
    same_way = np.sign(jump) == np.sign(whole)
    changed[changed] = same_way & _near_unit(np.abs(jump)) & _near_unit(np.abs(whole))
    return changed


def _near_unit(size: Vector) -> Mask:
    return np.abs(size[:, None] - _UNITS).min(axis=1) < _UNIT_TOLERANCE


def _split_contradicted(recorded: Vector, split: Vector) -> Mask:
    size = np.abs(np.log(split))
    return (size >= _SMALLEST_JUDGED_SPLIT) & (np.abs(np.log1p(recorded)) > size / 2)


def _late_splits(contradicted: Mask, split: Vector, price_relative: Vector) -> Vector:
    late = np.ones(len(split))
    for row in np.flatnonzero(contradicted).tolist():
        for later in range(row + 1, min(row + 1 + _LATEST_SPLIT, len(split))):
            if np.isnan(price_relative[later]):  # another asset begins
                break
            remaining = abs(np.log(price_relative[later] * split[row]))
            if split[later] == 1 and remaining < abs(np.log(split[row])) / 2:
                late[later] = split[row]
                break
    return late


def _split_missing(prices: pd.DataFrame, before: Vector, recorded: Vector) -> Mask:
    opened, high, low, volume, dividend, split = (
        prices[name].to_numpy() for name in ("open", "high", "low", "volume", "dividend", "split")
    )
    suspect = (split == 1) & (high / low - 1 < _CALM_RANGE)
    suspect &= _near_missing_split(1 + recorded)
    suspect &= _near_missing_split((opened + dividend) / before)
    codes = prices["asset"].cat.codes.to_numpy()
    for row in np.flatnonzero(suspect).tolist():
        start = max(row - _USUAL_VOLUME_DAYS, int(np.searchsorted(codes, codes[row])))
        suspect[row] = volume[row] < _CALM_VOLUME * volume[start:row].mean()
    return suspect
