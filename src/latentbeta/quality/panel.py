"""The suite for the panel, of any origin; `panel_tables` makes what it looks at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from latentbeta.config import QualitySettings
from latentbeta.panel.files import LEADING_COLUMNS
from latentbeta.quality.panel_tables import USUAL_DATES
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
USUAL_COVERAGE = 0.8  # of what was known on the dates before
LOWEST_RETURN = -1.05  # a total loss, less a risk-free rate that was never 5 % a month

_blocking = partial(Rule, table="panel", severity="blocking")
_by_date = partial(Rule, table="panel_dates", severity="blocking")


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
        *_drift(settings),
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
    yield Rule(
        name="characteristic_covered",
        table="panel_characteristics",
        severity="warning",
        requires=f"at least {share:.0%} of a characteristic is known before ranking",
        expectation="ExpectColumnValuesToBeBetween",
        arguments={"column": "coverage", "min_value": share},
    )
    yield Rule(
        name="characteristic_covered_by_year",
        table="characteristic_years",
        severity="warning",
        requires=f"in each year, as much of a characteristic is known as {share:.0%} of the best"
        " year before it",
        expectation="ExpectColumnValuesToBeBetween",
        arguments={"column": "share_of_best", "min_value": share},
    )
    yield Rule(
        name="characteristic_covered_as_before",
        table="characteristic_dates",
        severity="warning",
        requires=f"on each date, as much of a characteristic is known as {USUAL_COVERAGE:.0%} of"
        f" the median of the {USUAL_DATES} dates before it",
        expectation="ExpectColumnValuesToBeBetween",
        arguments={"column": "share_of_usual", "min_value": USUAL_COVERAGE},
    )
    yield Rule(
        name="market_equity_known",
        table="panel",
        severity="warning",
        requires=f"market_equity is known in at least {share:.0%} of the rows",
        expectation="ExpectColumnValuesToNotBeNull",
        arguments={"column": "market_equity", "mostly": share},
    )


def _drift(settings: QualitySettings) -> Iterator[Rule]:
    """Whether the newest values look like those that the models are trained on."""
    factor = settings.largest_drift
    yield Rule(
        name="newest_values_usual",
        table="panel_drift",
        severity="warning",
        requires=f"the newest values of each characteristic lie at most {factor:g} times as far"
        " from the dates before as any of those dates lay from its own past",
        expectation="ExpectColumnValuesToBeBetween",
        arguments={"column": "drift_of_usual", "max_value": factor},
    )
