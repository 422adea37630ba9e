"""The suite for the panel, and the small tables by date and characteristic it also looks at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pandas as pd

from latentbeta.config import QualitySettings
from latentbeta.panel.files import LEADING_COLUMNS
from latentbeta.quality.rules import FINITE, Rule, type_rule

KEYS = ("date", "formation", "asset")
TYPES = {
    "date": "datetime64[us]",
    "formation": "datetime64[us]",
    "asset": "str",
    "return": "float64",
    "market_equity": "float64",
    "sector": "str",
}
LOWEST_RETURN = -1.05  # a total loss, less a risk-free rate that was never 5 % a month

_blocking = partial(Rule, table="panel", severity="blocking")
_by_date = partial(Rule, table="panel_dates", severity="blocking")


def characteristics_of(panel: pd.DataFrame) -> list[str]:
    """Return the names of the panel's characteristics, in its order of columns."""
    return [str(column) for column in panel.columns if column not in LEADING_COLUMNS]


def panel_tables(
    panel: pd.DataFrame, raw: pd.DataFrame, price_dates: pd.DatetimeIndex
) -> dict[str, pd.DataFrame]:
    """Return the tables that the panel suite is about.

    Parameters
    ----------
    panel, raw : pandas.DataFrame
        Ranked and raw characteristics, in the columns of docs/architecture.md.
    price_dates : (D,) pandas.DatetimeIndex
        Dates of the prices that the panel is made from; of a panel without prices, its own
        formations.

    Returns
    -------
    dict of pandas.DataFrame
        ``panel``; ``panel_known``, the returns before its newest date; ``panel_dates`` (a row a
        date), ``panel_characteristics`` (a row a characteristic) and ``characteristic_years``
        (a row a characteristic and year).
    """
    # Great Expectations compares float32 value by value, in Python: forty times as slow.
    short = panel[characteristics_of(panel)].select_dtypes("float32").columns
    panel = panel.astype(dict.fromkeys(short, np.float64))
    known = panel.reindex(columns=[*LEADING_COLUMNS, *characteristics_of(panel)])
    return {
        "panel": panel,
        "panel_known": known.loc[known["date"] < known["date"].max(), ["date", "asset", "return"]],
        "panel_dates": _by_dates(known, price_dates),
        "panel_characteristics": _by_characteristics(known, raw),
        "characteristic_years": _by_years(raw.reindex(columns=["date", *_raw_names(known, raw)])),
    }


def _raw_names(panel: pd.DataFrame, raw: pd.DataFrame) -> list[str]:
    return [name for name in characteristics_of(panel) if name in raw.columns]


def _by_dates(panel: pd.DataFrame, price_dates: pd.DatetimeIndex) -> pd.DataFrame:
    """One row a date: assets, formations, and how the formation sits among the price dates."""
    grouped = panel.groupby("date")["formation"]
    table = grouped.agg(formation="max", n_formations="nunique", n_assets="size").reset_index()
    newest = np.arange(len(table)) == len(table) - 1
    in_prices = table["formation"].isin(price_dates)
    on_last = table["formation"] == price_dates.max()
    return table.assign(
        n_formations=table["n_formations"].astype(np.float64),
        n_assets=table["n_assets"].astype(np.float64),
        formed_in_prices=np.where(newest, on_last, in_prices).astype(np.float64),
    )


def _by_characteristics(panel: pd.DataFrame, raw: pd.DataFrame) -> pd.DataFrame:
    """One row a characteristic: spread over the panel, and share known before ranking."""
    names = characteristics_of(panel)
    ranked = panel[names].apply(pd.to_numeric, errors="coerce")
    coverage = raw.reindex(columns=names).notna().mean()
    return pd.DataFrame(
        {
            "characteristic": pd.Series(names, dtype="str"),
            "spread": (ranked.max() - ranked.min()).to_numpy(np.float64),
            "coverage": coverage.to_numpy(np.float64),
        }
    )


def _by_years(raw: pd.DataFrame) -> pd.DataFrame:
    """One row a characteristic and year: share known before ranking, dated by the year's end."""
    years = raw["date"].dt.year
    last = raw["date"].groupby(years).max()
    coverage = raw.drop(columns="date").notna().groupby(years).mean()
    table = coverage.reset_index(names="year").melt(
        "year", var_name="characteristic", value_name="coverage"
    )
    return table.assign(date=table["year"].map(last))


def panel_rules(settings: QualitySettings, characteristics: Sequence[str]) -> tuple[Rule, ...]:
    """Return the rules about any panel, whatever it is made from.

    Parameters
    ----------
    settings : QualitySettings
    characteristics : sequence of P str
        Those that the panel must hold.
    """
    return (
        *_form(characteristics),
        *_values(characteristics),
        *_returns(settings),
        *_dates(settings),
        *_coverage(settings),
    )


def _form(characteristics: Sequence[str]) -> Iterator[Rule]:
    """Columns, types and keys."""
    columns = [*LEADING_COLUMNS, *characteristics]
    yield _blocking(
        name="panel_columns",
        requires=f"the table has the columns {', '.join(columns)}, and no other",
        expectation="ExpectTableColumnsToMatchSet",
        arguments={"column_set": columns, "exact_match": True},
    )
    for column, kind in TYPES.items():
        yield type_rule(column, [kind], name="panel_type", table="panel")
    yield _blocking(
        name="panel_key_unique",
        requires="an asset has one row a date",
        expectation="ExpectCompoundColumnsToBeUnique",
        arguments={"column_list": ["date", "asset"]},
    )
    for column in KEYS:
        yield _blocking(
            name="panel_known",
            requires=f"{column} is never missing",
            expectation="ExpectColumnValuesToNotBeNull",
            arguments={"column": column},
        )


def _values(characteristics: Sequence[str]) -> Iterator[Rule]:
    """Each characteristic, and the market value."""
    for column in characteristics:
        yield _blocking(
            name="characteristic_ranked",
            requires=f"{column} lies between -1 and 1",
            expectation="ExpectColumnValuesToBeBetween",
            arguments={"column": column, "min_value": -1, "max_value": 1},
        )
        yield _blocking(
            name="characteristic_known",
            requires=f"{column} is never missing once ranked",
            expectation="ExpectColumnValuesToNotBeNull",
            arguments={"column": column},
        )
    yield _blocking(
        name="characteristic_varies",
        table="panel_characteristics",
        requires="no characteristic is the same number throughout the panel",
        expectation="ExpectColumnValuesToBeBetween",
        arguments={"column": "spread", "min_value": 0, "strict_min": True},
    )
    yield _blocking(
        name="market_equity_positive",
        requires="market_equity is above 0 and finite, where known",
        expectation="ExpectColumnValuesToBeBetween",
        arguments={
            "column": "market_equity", "min_value": 0, "strict_min": True, "max_value": FINITE,
        },
    )  # fmt: skip


def _returns(settings: QualitySettings) -> Iterator[Rule]:
    """Give the rules about the returns to be explained."""
    yield _blocking(
        name="return_possible",
        requires=f"return is above {LOWEST_RETURN} and finite, where known",
        expectation="ExpectColumnValuesToBeBetween",
        arguments={"column": "return", "min_value": LOWEST_RETURN, "max_value": FINITE},
    )
    share = settings.blocking_missing_returns
    yield _blocking(
        name="return_known",
        table="panel_known",
        requires=f"before the newest date, return is missing in at most {share:.0%} of the rows",
        expectation="ExpectColumnValuesToNotBeNull",
        arguments={"column": "return", "mostly": 1 - share},
    )


def _dates(settings: QualitySettings) -> Iterator[Rule]:
    """Each date: enough assets, and characteristics from before the period."""
    yield _blocking(
        name="formation_before_date",
        requires="the characteristics were formed before the date that the return period ends",
        expectation="ExpectColumnPairValuesAToBeGreaterThanB",
        arguments={"column_A": "date", "column_B": "formation"},
    )
    yield _by_date(
        name="formation_unique",
        requires="all assets of a date have the same formation",
        expectation="ExpectColumnValuesToBeBetween",
        arguments={"column": "n_formations", "min_value": 1, "max_value": 1},
    )
    yield _by_date(
        name="assets_enough",
        requires=f"a date has at least {settings.minimum_assets} assets",
        expectation="ExpectColumnValuesToBeBetween",
        arguments={"column": "n_assets", "min_value": settings.minimum_assets},
    )


def formation_rules() -> tuple[Rule, ...]:
    """Return the rule that holds a panel's formations against the prices it is made from."""
    return (
        _by_date(
            name="formation_in_prices",
            requires="a formation is a date of the prices; the newest is their last date",
            expectation="ExpectColumnValuesToBeBetween",
            arguments={"column": "formed_in_prices", "min_value": 1},
        ),
    )


def _coverage(settings: QualitySettings) -> Iterator[Rule]:
    """How much was known before the missing were set to the median."""
    share = settings.warning_coverage
    for name, table, what in (
        ("characteristic_covered", "panel_characteristics", "over the panel"),
        ("characteristic_covered_by_year", "characteristic_years", "in each year"),
    ):
        yield Rule(
            name=name,
            table=table,
            severity="warning",
            requires=f"{what}, at least {share:.0%} of a characteristic is known before ranking",
            expectation="ExpectColumnValuesToBeBetween",
            arguments={"column": "coverage", "min_value": share},
        )
    yield Rule(
        name="market_equity_known",
        table="panel",
        severity="warning",
        requires=f"market_equity is known in at least {share:.0%} of the rows",
        expectation="ExpectColumnValuesToNotBeNull",
        arguments={"column": "market_equity", "mostly": share},
    )
