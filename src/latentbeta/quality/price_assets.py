"""Each asset over its whole life: stale prices, gaps, turnover, dates that are a session off."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from latentbeta.quality.price_history import History, Mask, Vector
from latentbeta.quality.rules import Rule

STALE_SESSIONS = 10  # a close repeated this often is more likely a vendor's than the market's

# Of the sessions between an asset's first and last quote. Below it either the asset hardly trades
# or its ticker has had two owners.
SMALLEST_SHARE_QUOTED = 0.8
FEWEST_SESSIONS = 60

# Shares that change hands, of those there are. The middle asset of a market trades between 0.1 %
# and 1 % a day; an asset a factor of two hundred away from it has shares in another unit.
TURNOVER_FACTOR = 200.0
LEAST_TURNOVER, MOST_TURNOVER = 1e-5, 0.2
FEWEST_TURNOVERS = 10

# Correlation with the market of the session before or after, less that with its own. Five standard
# errors: one false alarm in two million assets without any tie to the market.
LARGEST_LEAD = 0.1
LEAD_ERRORS = 5.0
LARGEST_RETURN = 0.2  # returns are cut there, so that no single day decides

_rule = partial(Rule, severity="warning", expectation="ExpectColumnValuesToBeBetween")


def stale_table(history: History) -> pd.DataFrame:
    """Return one row an asset: its longest run of one and the same close, and when it ended."""
    repeats = _repeats(history.codes, history.column("close"))
    place = np.lexsort((-repeats, history.codes))  # the first of the longest runs leads
    leads = place[np.append(True, np.diff(history.codes[place]) != 0)]
    return pd.DataFrame(
        {
            "date": history.prices["date"].to_numpy()[history.order[leads]],
            "asset": history.assets[history.codes[leads]],
            "n_unchanged": repeats[leads].astype(np.float64),
        }
    )


def asset_table(history: History) -> pd.DataFrame:
    """Return one row an asset.

    Returns
    -------
    DataFrame
        date (its last), asset; share_quoted, of the sessions between its first and last quote,
        NaN over fewer than sixty; turnover, a day, NaN where shares are not known, and
        turnover_of_usual, against the middle asset's, NaN among fewer than ten; lead, by how much
        its correlation with the market of the session before or after exceeds that with its own,
        0 unless by five standard errors.
    """
    turnover = _turnover(history)
    enough = np.isfinite(turnover).sum() >= FEWEST_TURNOVERS
    usual = np.nanmedian(turnover) if enough else np.nan
    return pd.DataFrame(
        {
            "date": history.last_dates(),
            "asset": history.assets,
            "share_quoted": _share_quoted(history),
            "turnover": turnover,
            "turnover_of_usual": turnover / usual,
            "lead": _lead(history),
        }
    )


def turnover_table(assets: pd.DataFrame) -> pd.DataFrame:
    """Return one row: the middle of an `asset_table`'s turnover, NaN where none is known."""
    return pd.DataFrame({"date": [assets["date"].max()], "turnover": [assets["turnover"].median()]})


def _repeats(codes: np.ndarray, values: Vector) -> np.ndarray:
    """Return, for each row, how many rows of its asset just before it hold the same value."""
    same = np.zeros(len(values), dtype=bool)
    same[1:] = (values[1:] == values[:-1]) & (codes[1:] == codes[:-1])
    position = np.arange(len(values))
    return position - np.maximum.accumulate(np.where(same, 0, position))


def _share_quoted(history: History) -> Vector:
    number = np.append(np.cumsum(history.is_session), 0)[history.session].astype(np.float64)
    first, last = np.full(len(history.assets), np.inf), np.full(len(history.assets), -np.inf)
    np.minimum.at(first, history.codes, number)
    np.maximum.at(last, history.codes, number)
    possible = last - first + 1
    quoted = np.bincount(history.codes, minlength=len(first))
    return np.where(possible >= FEWEST_SESSIONS, quoted / possible, np.nan)


def _turnover(history: History) -> Vector:
    """(N,) mean volume over mean shares; NaN where there are none of either."""
    shares, volume = history.column("shares"), history.column("volume")
    known = np.isfinite(shares) & np.isfinite(volume)
    issued = history.sum_by_asset(np.where(known, shares, 0.0))
    traded = history.sum_by_asset(np.where(known, volume, 0.0))
    some = (issued > 0) & (traded > 0)
    return np.divide(traded, issued, out=np.full(len(issued), np.nan), where=some)


def _lead(history: History) -> Vector:
    change = np.clip(history.column("total_return"), -LARGEST_RETURN, LARGEST_RETURN)
    known = np.isfinite(change)
    count = history.count_by_session(known)
    market = np.divide(
        history.sum_by_session(change), count, out=np.full(len(count), np.nan), where=count > 0
    )
    padded = np.concatenate([[np.nan], market, [np.nan, np.nan]])  # the last: of rows without date
    own = _correlation(history, change, padded[history.session + 1])
    beside = np.fmax(
        _correlation(history, change, padded[history.session]),
        _correlation(history, change, padded[np.minimum(history.session + 2, len(padded) - 1)]),
    )
    error = np.sqrt(2 / np.maximum(history.sum_by_asset(known.astype(np.float64)), 1))
    return np.where(beside - own > LEAD_ERRORS * error, beside - own, 0.0)


def _correlation(history: History, x: Vector, y: Vector) -> Vector:
    """(N,) correlation of each asset's x and y; 0 where there is none."""
    both: Mask = np.isfinite(x) & np.isfinite(y)
    x, y = np.where(both, x, 0.0), np.where(both, y, 0.0)
    n = np.maximum(history.sum_by_asset(both.astype(np.float64)), 1)
    mean_x, mean_y = history.sum_by_asset(x) / n, history.sum_by_asset(y) / n
    covariance = history.sum_by_asset(x * y) / n - mean_x * mean_y
    spread = np.sqrt(
        np.maximum(history.sum_by_asset(x * x) / n - mean_x**2, 0)
        * np.maximum(history.sum_by_asset(y * y) / n - mean_y**2, 0)
    )
    return np.divide(covariance, spread, out=np.zeros(len(n)), where=spread > 0)


def asset_rules() -> Iterator[Rule]:
    """Give the rules about the three tables."""
    yield _rule(
        name="price_not_stale",
        table="price_runs",
        requires=f"a close is not repeated on {STALE_SESSIONS} sessions in a row",
        arguments={"column": "n_unchanged", "max_value": STALE_SESSIONS - 1},
    )
    yield _rule(
        name="asset_quoted",
        table="price_assets",
        requires=f"an asset is quoted on at least {SMALLEST_SHARE_QUOTED:.0%} of the sessions from"
        " its first quote to its last",
        arguments={"column": "share_quoted", "min_value": SMALLEST_SHARE_QUOTED},
    )
    yield _rule(
        name="turnover_of_asset_usual",
        table="price_assets",
        requires=f"an asset's volume to shares is within a factor of {TURNOVER_FACTOR:g} of the"
        " middle asset's",
        arguments={
            "column": "turnover_of_usual",
            "min_value": 1 / TURNOVER_FACTOR,
            "max_value": TURNOVER_FACTOR,
        },
    )
    yield _rule(
        name="asset_in_step",
        table="price_assets",
        requires="an asset moves with the market of its own session more than with that of the"
        " session before or after",
        arguments={"column": "lead", "max_value": LARGEST_LEAD},
    )
    yield _rule(
        name="turnover_usual",
        table="price_turnover",
        requires=f"the middle asset's volume is {LEAST_TURNOVER:.3%} to {MOST_TURNOVER:.0%} of its"
        " shares a day",
        arguments={"column": "turnover", "min_value": LEAST_TURNOVER, "max_value": MOST_TURNOVER},
    )
