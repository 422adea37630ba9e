"""Splits and dividends against what prices and volumes did: are the prices raw, as they must be."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from latentbeta.quality.price_history import History, Vector
from latentbeta.quality.rules import Rule

# A split of less than a fifth is too close to a day's ordinary move to be judged by the price.
SMALLEST_SPLIT = float(np.log(1.2))
FEWEST_SPLITS = 3
SHARE_OF_SPLITS = 0.5

# By how much the volume follows a split: 1 when shares traded are raw and turnover stays, 0 when
# they are adjusted. S&P 500 members since 1999: 0.74 at the median of 453 splits, half of them
# between 0.43 and 1.04.
VOLUME_DAYS = 20
FEWEST_VOLUMES = 8
LEAST_VOLUME_FOLLOWS = 0.2

# By how much the price falls for a dividend of one: 0.91 ± 0.01 for 27,688 dividends of S&P 500
# members; taxes keep it below 1. At 0 prices are adjusted already; at 0.1 or 0.01 dividends are
# ten or a hundred times too large.
LEAST_FALL, MOST_FALL = 0.5, 1.5
FALL_ERRORS = 4.0
LARGEST_DIVIDEND = 0.25  # of the price; larger ones are judged one by one at ingest
LARGEST_MOVE = 0.1  # beyond the dividend; larger moves have other reasons

_warning = partial(Rule, severity="warning", expectation="ExpectColumnValuesToBeBetween")


def split_table(history: History) -> pd.DataFrame:
    """Return one row a split; none where there are fewer than three.

    Returns
    -------
    DataFrame
        date, asset, in_price: how much of the split (in logs) the raw close shows; 1 is all.
    """
    rows = _splits(history)
    rows = rows if len(rows) >= FEWEST_SPLITS else rows[:0]
    split = history.column("split")[rows]
    change = np.log(history.column("close")[rows] / history.before[rows])
    return pd.DataFrame(
        {
            "date": history.prices["date"].to_numpy()[history.order[rows]],
            "asset": history.assets[history.codes[rows]],
            "in_price": -change / np.log(split),
        }
    )


def event_table(history: History) -> pd.DataFrame:
    """Return one row about all splits and dividends together.

    Returns
    -------
    DataFrame
        date; volume_follows, by how much volume follows a split at the median, NaN with fewer
        than eight; fall_per_dividend, by how much the price falls for a dividend of one, or the
        nearest to 1 that is within four standard errors of it.
    """
    return pd.DataFrame(
        {
            "date": [history.every.max()],
            "volume_follows": [_volume_follows(history)],
            "fall_per_dividend": [_fall_per_dividend(history)],
        }
    )


def _splits(history: History) -> np.ndarray:
    split = history.column("split")
    judged = (split > 0) & (np.abs(np.log(np.where(split > 0, split, 1.0))) >= SMALLEST_SPLIT)
    return np.flatnonzero(judged & np.isfinite(split) & (history.before > 0))


def _volume_follows(history: History) -> float:
    """Return the median over splits of log volume after to before, over log split."""
    rows, n_rows = _splits(history), len(history.codes)
    rows = rows[(rows >= VOLUME_DAYS) & (rows <= n_rows - VOLUME_DAYS)]
    inside = history.codes[rows - VOLUME_DAYS] == history.codes[rows + VOLUME_DAYS - 1]
    rows = rows[inside]
    days = np.arange(VOLUME_DAYS)
    volume, split = history.column("volume"), history.column("split")
    before = volume[rows[:, None] - VOLUME_DAYS + days].mean(axis=1)
    after = volume[rows[:, None] + days].mean(axis=1)
    traded = (before > 0) & (after > 0)
    if traded.sum() < FEWEST_VOLUMES:
        return np.nan
    follows = np.log(after[traded] / before[traded]) / np.log(split[rows[traded]])
    return float(np.median(follows))


def _fall_per_dividend(history: History) -> float:
    """Return minus the slope of the price's move, less the market's, on the dividend's yield.

    Through the origin, with White's standard errors. The value nearest to 1 within four of them
    is returned, so that few dividends, which say little, break no rule.
    """
    move = history.simple_return
    known = np.isfinite(move)
    cut = np.where(known, np.clip(move, -LARGEST_MOVE, LARGEST_MOVE), np.nan)
    count = np.maximum(history.count_by_session(known), 1)
    market = np.append(history.sum_by_session(cut) / count, 0.0)
    paid = history.column("split") * history.column("dividend") / history.before
    rows = np.flatnonzero(known & (paid > 0) & (paid <= LARGEST_DIVIDEND))
    x: Vector = paid[rows]
    y = move[rows] - market[history.session[rows]]
    y = np.clip(y, -LARGEST_MOVE - x, LARGEST_MOVE - x)  # as far on either side of a true fall
    squares = float(np.sum(x * x))
    if squares == 0:
        return np.nan
    fall = -float(np.sum(x * y)) / squares
    error = float(np.sqrt(np.sum((x * (y + fall * x)) ** 2))) / squares
    return float(np.clip(1.0, fall - FALL_ERRORS * error, fall + FALL_ERRORS * error))


def event_rules() -> Iterator[Rule]:
    """Give the rules about the two tables."""
    yield Rule(
        name="split_in_price",
        table="price_splits",
        severity="blocking",
        requires=f"at least {SHARE_OF_SPLITS:.0%} of the splits are seen in the raw close",
        expectation="ExpectColumnValuesToBeBetween",
        arguments={
            "column": "in_price", "min_value": 0.5, "max_value": 1.5, "mostly": SHARE_OF_SPLITS,
        },
    )  # fmt: skip
    yield _warning(
        name="split_in_volume",
        table="price_events",
        requires="volume follows splits, as raw shares do",
        arguments={"column": "volume_follows", "min_value": LEAST_VOLUME_FOLLOWS},
    )
    yield _warning(
        name="dividend_in_price",
        table="price_events",
        requires="on average the raw close falls by about the dividend on its ex-date",
        arguments={"column": "fall_per_dividend", "min_value": LEAST_FALL, "max_value": MOST_FALL},
    )
