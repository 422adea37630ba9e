"""The suite for daily prices, and the small tables by session and asset that it also looks at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from latentbeta.config import QualitySettings
from latentbeta.data.store import COLUMNS
from latentbeta.quality.rules import FINITE, Rule, type_rule

NUMBERS = COLUMNS[2:]
QUOTES = ("open", "high", "low", "close")
NUMBER_TYPES = ["float64", "float32", "int64"]

USUAL_SHARE = 0.99  # of rows with a quote and a volume, in data without holes
SMALLEST_SESSION = 0.8  # assets quoted on a session, against the median of the month before it
SESSIONS_OF_A_MONTH = 21
STALE_SESSIONS = 10  # a close repeated this often is more likely a vendor's than the market's

_blocking = partial(Rule, table="prices", severity="blocking")
_warning = partial(Rule, table="prices", severity="warning")


def price_tables(prices: pd.DataFrame, sessions: pd.DatetimeIndex) -> dict[str, pd.DataFrame]:
    """Return the tables that the price suite is about.

    Parameters
    ----------
    prices : pandas.DataFrame
        Daily prices in the columns of docs/architecture.md.
    sessions : (S,) pandas.DatetimeIndex
        The exchange's sessions between the first and the last date of the prices.

    Returns
    -------
    dict of pandas.DataFrame
        ``prices`` itself, ``price_sessions`` (a row a session or date) and ``price_assets``
        (a row an asset). A column that the prices lack leaves the small tables empty of it;
        the rule about the columns is the one to say so.
    """
    known = prices.reindex(columns=list(COLUMNS))
    return {
        "prices": prices,
        "price_sessions": _by_session(known, sessions),
        "price_assets": _by_asset(known),
    }


def _by_session(prices: pd.DataFrame, sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """One row a session or date: assets quoted, also against the median of the month before."""
    dates = pd.to_datetime(prices["date"], errors="coerce")
    n_assets = dates.value_counts().sort_index()
    every = n_assets.index.union(sessions)
    n_assets = n_assets.reindex(every, fill_value=0)
    usual = n_assets.rolling(SESSIONS_OF_A_MONTH).median().shift()
    return pd.DataFrame(
        {
            "date": every,
            "n_assets": n_assets.to_numpy(np.float64),
            "share_of_usual": (n_assets / usual).to_numpy(np.float64),
            "is_session": every.isin(sessions).astype(np.float64),
        }
    )


def _by_asset(prices: pd.DataFrame) -> pd.DataFrame:
    """One row an asset: its longest run of one and the same close, and when that ended."""
    codes, assets = pd.factorize(prices["asset"], use_na_sentinel=False)
    order = np.argsort(codes, kind="stable")  # by asset; dates ascend within one already
    close = pd.to_numeric(prices["close"], errors="coerce").to_numpy(np.float64)[order]
    runs = pd.DataFrame(
        {
            "date": prices["date"].to_numpy()[order],
            "code": codes[order],
            "n_unchanged": _repeats(codes[order], close).astype(np.float64),
        }
    )
    longest = runs.loc[runs.groupby("code")["n_unchanged"].idxmax()]
    return pd.DataFrame(
        {
            "date": longest["date"].to_numpy(),
            "asset": np.asarray(assets, dtype=object)[longest["code"]],
            "n_unchanged": longest["n_unchanged"].to_numpy(),
        }
    )


def _repeats(codes: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return, for each row, how many rows of its asset just before it hold the same value."""
    same = np.zeros(len(values), dtype=bool)
    same[1:] = (values[1:] == values[:-1]) & (codes[1:] == codes[:-1])
    position = np.arange(len(values))
    return position - np.maximum.accumulate(np.where(same, 0, position))


def price_rules(settings: QualitySettings, *, latest: dt.date) -> tuple[Rule, ...]:
    """Return the rules about daily prices.

    Parameters
    ----------
    settings : QualitySettings
    latest : datetime.date
        The last date that a price can be known for.
    """
    return (
        *_form(),
        *_blocking_values(),
        *_warning_values(settings),
        *_sessions(latest),
        Rule(
            name="price_not_stale",
            table="price_assets",
            severity="warning",
            requires=f"a close is not repeated on {STALE_SESSIONS} sessions in a row",
            expectation="ExpectColumnValuesToBeBetween",
            arguments={"column": "n_unchanged", "max_value": STALE_SESSIONS - 1},
        ),
    )


def _form() -> Iterator[Rule]:
    """Columns, types and keys."""
    yield _blocking(
        name="price_columns",
        requires=f"the table has the columns {', '.join(COLUMNS)}",
        expectation="ExpectTableColumnsToMatchSet",
        arguments={"column_set": list(COLUMNS), "exact_match": False},
    )
    kinds = {"date": ["datetime64[us]"], "asset": ["str"], **dict.fromkeys(NUMBERS, NUMBER_TYPES)}
    for column, kind in kinds.items():
        yield type_rule(column, kind, name="price_type", table="prices")
    yield _blocking(
        name="price_key_unique",
        requires="an asset has one row a date",
        expectation="ExpectCompoundColumnsToBeUnique",
        arguments={"column_list": ["date", "asset"]},
    )
    for column in ("date", "asset", "close", "split", "dividend"):
        yield _blocking(
            name="price_known",
            requires=f"{column} is never missing",
            expectation="ExpectColumnValuesToNotBeNull",
            arguments={"column": column},
        )


def _blocking_values() -> Iterator[Rule]:
    """Numbers that no price table can hold."""
    for column in (*QUOTES, "split", "shares"):
        yield _blocking(
            name=f"{column if column in ('split', 'shares') else 'price'}_positive",
            requires=f"{column} is above 0 and finite, where known",
            expectation="ExpectColumnValuesToBeBetween",
            arguments={"column": column, "min_value": 0, "strict_min": True, "max_value": FINITE},
        )
    for column in ("volume", "dividend"):
        yield _blocking(
            name=f"{column}_not_negative",
            requires=f"{column} is at least 0 and finite, where known",
            expectation="ExpectColumnValuesToBeBetween",
            arguments={"column": column, "min_value": 0, "max_value": FINITE},
        )
    yield _blocking(
        name="total_return_possible",
        requires="total_return is above -1 and finite, where known",
        expectation="ExpectColumnValuesToBeBetween",
        arguments={
            "column": "total_return", "min_value": -1, "strict_min": True, "max_value": FINITE,
        },
    )  # fmt: skip


def _warning_values(settings: QualitySettings) -> Iterator[Rule]:
    """Numbers that are possible, but seldom right."""
    yield _warning(
        name="price_order",
        requires="open and close lie between low and high",
        expectation="ExpectOpenAndCloseWithinLowAndHigh",
        arguments={"column_list": list(QUOTES)},
    )
    bound = settings.largest_daily_return
    yield _warning(
        name="total_return_usual",
        requires=f"total_return is between {-bound:g} and {bound:g}",
        expectation="ExpectColumnValuesToBeBetween",
        arguments={"column": "total_return", "min_value": -bound, "max_value": bound},
    )
    yield _warning(
        name="dividend_below_price",
        requires="a dividend is no larger than the close of its ex-date",
        expectation="ExpectColumnPairValuesAToBeGreaterThanB",
        arguments={"column_A": "close", "column_B": "dividend", "or_equal": True},
    )
    for column in ("open", "high", "low", "volume"):
        yield _warning(
            name="quote_known",
            requires=f"{column} is known in at least {USUAL_SHARE:.0%} of the rows",
            expectation="ExpectColumnValuesToNotBeNull",
            arguments={"column": column, "mostly": USUAL_SHARE},
        )
    yield _warning(
        name="volume_traded",
        requires=f"volume is above 0 in at least {USUAL_SHARE:.0%} of the rows",
        expectation="ExpectColumnValuesToBeBetween",
        arguments={"column": "volume", "min_value": 0, "strict_min": True, "mostly": USUAL_SHARE},
    )


def _sessions(latest: dt.date) -> Iterator[Rule]:
    """Dates against the exchange's calendar; a row a date, for speed."""
    yield _blocking(
        name="price_date_not_ahead",
        table="price_sessions",
        requires="no price is dated after data.as_of, or in the future where that is not set",
        expectation="ExpectColumnValuesToBeBetween",
        arguments={
            "column": "date",
            "max_value": dt.datetime.combine(latest, dt.time.max),
        },
    )
    yield _warning(
        name="price_date_is_session",
        table="price_sessions",
        requires="every date is a session of the exchange",
        expectation="ExpectColumnValuesToBeBetween",
        arguments={"column": "is_session", "min_value": 1},
    )
    yield _warning(
        name="session_complete",
        table="price_sessions",
        requires=f"a session has quotes for at least {SMALLEST_SESSION:.0%} of the median number"
        f" of assets of the {SESSIONS_OF_A_MONTH} sessions before it",
        expectation="ExpectColumnValuesToBeBetween",
        arguments={"column": "share_of_usual", "min_value": SMALLEST_SESSION},
    )
