"""The rows that break a rule, with what is needed to find them in the source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.quality.broken import ROW_WISE, broken_rows
from latentbeta.quality.rules import KEPT_ROWS, Outcome

COLUMNS = ["rule", "severity", "table", "date", "asset", "column", "value"]
_KEYS = {"date": "date", "asset": "asset", "characteristic": "column"}


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A rule that does not hold, and the rows at fault.

    Attributes
    ----------
    outcome : Outcome
    rows : pandas.DataFrame
        rule, severity, table, date (NaT if the table has none), asset (missing likewise), column
        and value (text); the first in the table's order, at most `KEPT_ROWS`. A rule about a whole
        table or column has one row, with what was observed.
    """

    outcome: Outcome
    rows: pd.DataFrame


def find_failures(
    outcomes: Iterable[Outcome], tables: Mapping[str, pd.DataFrame]
) -> tuple[Failure, ...]:
    """Return each rule that failed with its first offending rows, in the order of `outcomes`."""
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


def rows_at(
    table: pd.DataFrame, positions: NDArray[np.int64], columns: Sequence[str]
) -> pd.DataFrame:
    """Return rows of a table by their positions: date, asset and column, if it has them, and value.

    Parameters
    ----------
    table : pandas.DataFrame
    positions : (k,) int
    columns : sequence of str
        Those whose values are at fault; `value` is their text.
    """
    keys = [name for name in _KEYS if name in table.columns]
    names = dict.fromkeys([*keys, *columns])
    wanted = pd.DataFrame({name: table[name].iloc[positions] for name in names})
    values = [_text(row) for row in wanted[list(columns)].to_numpy(object)]
    return wanted[keys].rename(columns=_KEYS).assign(value=values).reset_index(drop=True)


def rows_in_words(rows: pd.DataFrame) -> Iterator[str]:
    """Say which rows they are, and their values: one text a row."""
    for row in rows.to_dict("records"):
        keys = " ".join(_one(row[key]) for key in ("date", "asset", "column") if key in row)
        yield f"{keys}: {row['value']}" if keys else str(row["value"])


def _rows(outcome: Outcome, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of one failed rule."""
    rule = outcome.rule
    if not (outcome.n_unexpected and rule.expectation in ROW_WISE):
        return _labelled(outcome, pd.DataFrame({"value": [outcome.observed]}))
    positions = broken_rows(table, rule.expectation, rule.arguments).positions[:KEPT_ROWS]
    return _labelled(outcome, rows_at(table, positions, rule.columns))


def _labelled(outcome: Outcome, rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with every column: those of the rule, and what is not there as missing."""
    rule = outcome.rule
    labels = {"rule": rule.name, "severity": rule.severity, "table": rule.table}
    defaults = {"date": pd.NaT, "asset": None, "column": ", ".join(rule.columns)}
    return _typed(pd.DataFrame(labels | defaults, index=rows.index).assign(**rows))


def _typed(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[COLUMNS].astype(dict.fromkeys(COLUMNS, "str") | {"date": "datetime64[us]"})


def _text(values: Iterable[object]) -> str:
    """Return values as one text: a date without its time, a number without its last noise."""
    return ", ".join(map(_one, values))


def _one(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    if pd.isna(value):  # type: ignore[call-overload]
        return "missing"
    return f"{value:.7g}" if isinstance(value, float) else str(value)
