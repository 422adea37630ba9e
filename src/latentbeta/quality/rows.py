"""The rows that break a rule, found again from the values that Great Expectations reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from latentbeta.quality.checkpoint import KEPT_VALUES
from latentbeta.quality.rules import Outcome

COLUMNS = ["rule", "severity", "table", "date", "asset", "column", "value"]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A rule that does not hold, and the rows at fault.

    Attributes
    ----------
    outcome : Outcome
    rows : pandas.DataFrame
        rule, severity, table, date (NaT if the table has none), asset (missing likewise), column
        and value (text); first in the table's order, at most `KEPT_VALUES`. A rule about a whole
        table or column has one row, with what was observed.
    """

    outcome: Outcome
    rows: pd.DataFrame


def find_failures(
    outcomes: Iterable[Outcome], tables: Mapping[str, pd.DataFrame]
) -> tuple[Failure, ...]:
    """Return each rule that failed with its first offending rows.

    Great Expectations can name rows itself, but takes half a minute for a million of them. Every
    rule here is about the values of a row's columns alone, so a row breaks it exactly when those
    values are among the ones reported.
    """
    return tuple(
        Failure(outcome=outcome, rows=_rows(outcome, tables[outcome.rule.table]))
        for outcome in outcomes
        if not outcome.passed
    )


def offending_rows(failures: Iterable[Failure]) -> pd.DataFrame:
    """Return the rows of all failures as one table."""
    return pd.concat(
        [_typed(pd.DataFrame(columns=COLUMNS)), *(f.rows for f in failures)], ignore_index=True
    )


def _rows(outcome: Outcome, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of one failed rule."""
    columns = list(outcome.rule.columns)
    at_fault = _matching(table, outcome.values)
    if at_fault.empty:
        return _labelled(outcome, pd.DataFrame({"value": [outcome.observed]}))
    values = at_fault[columns].to_numpy(object)
    keys = {"date": "date", "asset": "asset", "characteristic": "column"}
    rows = at_fault[[name for name in keys if name in at_fault.columns]].rename(columns=keys)
    return _labelled(outcome, rows.assign(value=[_text(row) for row in values]))


def _labelled(outcome: Outcome, rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with every column: those of the rule, and what is not there as missing."""
    rule = outcome.rule
    labels = {"rule": rule.name, "severity": rule.severity, "table": rule.table}
    defaults = {"date": pd.NaT, "asset": None, "column": ", ".join(rule.columns)}
    return _typed(pd.DataFrame(labels | defaults, index=rows.index).assign(**rows))


def _typed(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[COLUMNS].astype(dict.fromkeys(COLUMNS, "str") | {"date": "datetime64[us]"})


def _matching(table: pd.DataFrame, values: pd.DataFrame) -> pd.DataFrame:
    """Return the first rows of a table whose columns hold one of the rows of values."""
    if values.empty:
        return table.head(0)
    columns = list(values.columns)
    wanted = values.astype(table.dtypes[columns].to_dict()).drop_duplicates()
    likely = table
    for column in columns:  # cheap, and leaves few rows for the exact join
        likely = likely[likely[column].isin(wanted[column])]
    return likely.merge(wanted, on=columns, how="inner").head(KEPT_VALUES)


def _text(values: Iterable[object]) -> str:
    """Return values as one text: a date without its time, a number without its last noise."""
    return ", ".join(map(_one, values))


def _one(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    return f"{value:.7g}" if isinstance(value, float) else str(value)
