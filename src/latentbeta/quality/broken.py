"""Which rows of a table break an expectation: NumPy on the columns it is about, and no more.

Great Expectations' own metrics for pandas copy the whole table once or more for each rule. At
fifteen million rows that is most of the gate's time and memory.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Broken:
    """What a row-wise expectation found.

    Attributes
    ----------
    rows : (n,) bool
        Whether each row breaks it.
    n_missing : int
        Rows that it says nothing about, for their values are missing. They break nothing.
    """

    rows: Mask
    n_missing: int

    @property
    def n_broken(self) -> int:
        """Rows that break it."""
        return int(np.count_nonzero(self.rows))

    @property
    def positions(self) -> NDArray[np.int64]:
        """Where they are, ascending."""
        return np.flatnonzero(self.rows)

    def holds(self, mostly: float = 1.0) -> bool:
        """Whether at least the share `mostly` of the rows with values break nothing."""
        n_known = len(self.rows) - self.n_missing
        return n_known == 0 or (n_known - self.n_broken) / n_known >= mostly


def broken_rows(table: pd.DataFrame, expectation: str, arguments: Mapping[str, Any]) -> Broken:
    """Find the rows of a table that break an expectation.

    Parameters
    ----------
    table : pandas.DataFrame of n rows
    expectation : str
        One of `ROW_WISE`.
    arguments : mapping
        Its arguments, by Great Expectations' names.

    Raises
    ------
    KeyError
        When a column is not there.
    TypeError
        When a column holds what cannot be compared.
    """
    return ROW_WISE[expectation](table, **arguments)


def _between(
    table: pd.DataFrame,
    *,
    column: str,
    min_value: Any = None,
    max_value: Any = None,
    strict_min: bool = False,
    strict_max: bool = False,
    **_: object,
) -> Broken:
    values = _ordered(table, column)
    broken = np.zeros(len(values), dtype=bool)  # NaN and NaT compare as false: they break nothing
    if min_value is not None:
        below: Callable[..., Mask] = np.less_equal if strict_min else np.less
        broken |= below(values, _bound(min_value))
    if max_value is not None:
        above: Callable[..., Mask] = np.greater_equal if strict_max else np.greater
        broken |= above(values, _bound(max_value))
    return Broken(broken, int(np.count_nonzero(_missing(values))))


def _known(table: pd.DataFrame, *, column: str, **_: object) -> Broken:
    return Broken(table[column].isna().to_numpy(), 0)


def _greater(
    table: pd.DataFrame, *, column_A: str, column_B: str, or_equal: bool = False, **_: object
) -> Broken:
    larger, smaller = _ordered(table, column_A), _ordered(table, column_B)
    holds = (np.greater_equal if or_equal else np.greater)(larger, smaller)
    silent = _missing(larger) & _missing(smaller)
    return Broken(~(holds | silent), int(np.count_nonzero(silent)))


def _unique(table: pd.DataFrame, *, column_list: list[str], **_: object) -> Broken:
    keys = table[list(column_list)]
    if _ascend(keys):
        return Broken(np.zeros(len(keys), dtype=bool), 0)
    silent = keys.isna().all(axis=1).to_numpy()
    return Broken(keys.duplicated(keep=False).to_numpy() & ~silent, int(np.count_nonzero(silent)))


def _within_low_and_high(table: pd.DataFrame, *, column_list: list[str], **_: object) -> Broken:
    quotes = {name: _ordered(table, name) for name in column_list}
    low, high = quotes["low"], quotes["high"]
    broken = low > high  # a quote that is missing breaks no order
    for name in ("open", "close"):
        broken |= (quotes[name] > high) | (quotes[name] < low)
    silent = np.logical_and.reduce([_missing(values) for values in quotes.values()])
    return Broken(broken, int(np.count_nonzero(silent)))


ROW_WISE: Mapping[str, Callable[..., Broken]] = {
    "ExpectColumnValuesToBeBetween": _between,
    "ExpectColumnValuesToNotBeNull": _known,
    "ExpectColumnPairValuesAToBeGreaterThanB": _greater,
    "ExpectCompoundColumnsToBeUnique": _unique,
    "ExpectOpenAndCloseWithinLowAndHigh": _within_low_and_high,
}


def _ordered(table: pd.DataFrame, column: str) -> NDArray[Any]:
    """Return a column's values without a copy, if they have an order."""
    values = table[column].to_numpy()
    if values.dtype.kind not in "iufM":
        raise TypeError(
            f"{column} holds values of type {table[column].dtype}, not numbers or dates"
        )
    return values


def _bound(value: Any) -> Any:
    """Return a bound that makes the comparison exact: a float32 column is compared as float64."""
    if isinstance(value, dt.date):
        return np.datetime64(value, "us")
    return np.float64(value)


def _missing(values: NDArray[Any]) -> Mask:
    found: Mask = pd.isna(values)
    return found


def _ascend(keys: pd.DataFrame) -> bool:
    """Whether the rows ascend strictly by the keys: then none is there twice.

    A missing key ascends to nothing, so it is left to the slow way.
    """
    tied = np.ones(max(len(keys) - 1, 0), dtype=bool)
    for name in keys:
        before, after = keys[name].iloc[:-1].array, keys[name].iloc[1:].array
        rises = np.asarray(before < after, dtype=object if before.dtype == object else bool)
        if np.any(tied & ~rises & ~np.asarray(before == after, dtype=bool)):
            return False
        tied &= ~rises
    return not tied.any()
