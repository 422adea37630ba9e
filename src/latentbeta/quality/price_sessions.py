"""The market session by session: what is seen only when its assets are looked at together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np
import pandas as pd

from latentbeta.quality.price_history import History
from latentbeta.quality.rules import Rule, Severity

SMALLEST_SESSION = 0.8  # assets quoted on a session, against the median of the month before it
SESSIONS_OF_A_MONTH = 21

# Fewer assets than this say nothing about the market.
FEWEST_ASSETS = 10

# Closes that stand exactly where they stood: 1 % of the assets on most days, 11 % at most among
# S&P 500 members since 1999, but for one day that a vendor copied from the day before (87 %).
LARGEST_SHARE_UNMOVED = 0.5

# All shares traded, against the median of the month before: from 0.21 (24 December) to 2.6.
SMALLEST_VOLUME, LARGEST_VOLUME = 0.1, 10.0

# The worst day of the index, 19 October 1987, was -20 %. More than that for half of the assets is
# another currency, or a split of the file.
COMMON_MOVE = 0.25
LARGEST_SHARE_MOVED = 0.5


def session_table(history: History) -> pd.DataFrame:
    """Return one row a session or date.

    Returns
    -------
    DataFrame
        date, n_assets, is_session; share_of_usual and volume_of_usual, against the median of the
        month before; share_unmoved (closes that equal the previous) and share_moved (returns
        beyond a quarter), NaN where fewer than ten assets are known.
    """
    quoted = history.count_by_session(np.ones(len(history.codes), dtype=bool))
    traded = np.where(quoted > 0, history.sum_by_session(history.column("volume")), np.nan)
    close, change = history.column("close"), np.abs(history.column("total_return"))
    return pd.DataFrame(
        {
            "date": history.every,
            "n_assets": quoted,
            "share_of_usual": _of_usual(quoted),
            "is_session": history.is_session.astype(np.float64),
            "share_unmoved": _share(history, close == history.before, ~np.isnan(history.before)),
            "share_moved": _share(history, change > COMMON_MOVE, ~np.isnan(change)),
            "volume_of_usual": _of_usual(traded),
        }
    )


def _of_usual(values: np.ndarray) -> np.ndarray:
    series = pd.Series(values)
    usual = series.rolling(SESSIONS_OF_A_MONTH).median().shift()
    return (series / usual.where(usual > 0)).to_numpy()


def _share(history: History, where: np.ndarray, known: np.ndarray) -> np.ndarray:
    n_known = history.count_by_session(known)
    enough = np.where(n_known >= FEWEST_ASSETS, n_known, np.nan)
    return history.count_by_session(where & known) / enough


def session_rules(latest: dt.date) -> Iterator[Rule]:
    """Give the rules about `session_table`; `latest` is the last date of a price."""
    yield _rule(
        "price_date_not_ahead",
        "no price is dated after data.as_of, or in the future where that is not set",
        "blocking",
        column="date",
        max_value=dt.datetime.combine(latest, dt.time.max),
    )
    yield _rule(
        "price_date_is_session",
        "every date is a session of the exchange",
        column="is_session",
        min_value=1,
    )
    yield _rule(
        "session_complete",
        f"a session has quotes for at least {SMALLEST_SESSION:.0%} of the median number of assets"
        f" of the {SESSIONS_OF_A_MONTH} sessions before it",
        column="share_of_usual",
        min_value=SMALLEST_SESSION,
    )
    yield _rule(
        "session_moved",
        f"on a session at most {LARGEST_SHARE_UNMOVED:.0%} of the closes equal the ones before",
        column="share_unmoved",
        max_value=LARGEST_SHARE_UNMOVED,
    )
    yield _rule(
        "session_return_usual",
        f"on a session at most {LARGEST_SHARE_MOVED:.0%} of the returns lie beyond"
        f" {COMMON_MOVE:.0%} either way",
        column="share_moved",
        max_value=LARGEST_SHARE_MOVED,
    )
    yield _rule(
        "session_volume_usual",
        f"the volume of a session is {SMALLEST_VOLUME:g} to {LARGEST_VOLUME:g} times the median of"
        f" the {SESSIONS_OF_A_MONTH} sessions before it",
        column="volume_of_usual",
        min_value=SMALLEST_VOLUME,
        max_value=LARGEST_VOLUME,
    )


def _rule(name: str, requires: str, severity: Severity = "warning", **arguments: object) -> Rule:
    return Rule(
        name=name,
        table="price_sessions",
        severity=severity,
        requires=requires,
        expectation="ExpectColumnValuesToBeBetween",
        arguments=arguments,
    )
