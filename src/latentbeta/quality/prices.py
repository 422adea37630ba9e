"""The suite for daily prices: what holds of each row, and of the small tables made from them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial

import pandas as pd

from latentbeta.config import QualitySettings
from latentbeta.data.store import COLUMNS
from latentbeta.quality.price_assets import asset_rules, asset_table, stale_table, turnover_table
from latentbeta.quality.price_events import event_rules, event_table, split_table
from latentbeta.quality.price_history import history_of
from latentbeta.quality.price_sessions import session_rules, session_table
from latentbeta.quality.rules import FINITE, Rule, type_rule

NUMBERS = COLUMNS[2:]
QUOTES = ("open", "high", "low", "close")
NUMBER_TYPES = ["float64", "float32", "int64"]

USUAL_SHARE = 0.99  # of rows with a quote and a volume, in data without holes

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
        ``prices`` itself, ``price_sessions`` (a row a session or date), ``price_runs`` and
        ``price_assets`` (a row an asset), ``price_splits`` (a row a split), ``price_events`` and
        ``price_turnover`` (one row). A column that the prices lack leaves the small tables empty
        of it; the rule about the columns is the one to say so.
    """
    history = history_of(prices, sessions)
    assets = asset_table(history)
    return {
        "prices": prices,
        "price_sessions": session_table(history),
        "price_runs": stale_table(history),
        "price_assets": assets,
        "price_turnover": turnover_table(assets),
        "price_splits": split_table(history),
        "price_events": event_table(history),
    }


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
        *session_rules(latest),
        *asset_rules(),
        *event_rules(),
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
