"""Returns of dates rather than of assets: observed factors, rates; read, and brought to periods."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.config import Rebalancing
from latentbeta.data.calendar import Dates, period_numbers, sessions
from latentbeta.data.dates import DAYS_OR_MONTHS
from latentbeta.data.tables import Columns, Table, columns_of, find_columns, read_columns
from latentbeta.errors import DataError

# Median days between rows: from, up to.
_SPACINGS: dict[Rebalancing, tuple[float, float]] = {
    "daily": (0, 4),
    "weekly": (6, 8),
    "monthly": (27, 32),
}
# Half the days of a factor beyond 10 % either way: the file is in percent.
_LARGEST_MEDIAN = 0.1
# Sessions of a period that a daily file may lack, as a share: calendars differ by a day or two.
_LARGEST_GAP = 0.1


@dataclass(frozen=True)
class Series:
    """Returns of one file.

    Attributes
    ----------
    table : DataFrame
        date (datetime64[us], ascending, none twice), then one float64 column each; decimal, NaN
        where the cell is empty.
    spacing : {"daily", "weekly", "monthly"}
        What lies between two rows.
    """

    table: pd.DataFrame
    spacing: Rebalancing


def read_factors(
    path: Path, columns: Columns, names: Mapping[str, tuple[str, ...]] | None, *, until: dt.date
) -> Series:
    """Read the observed factors of a file, in excess form as they stand there.

    Parameters
    ----------
    path : Path
    columns : mapping
        As in `read_table`, for the date and the risk-free rate.
    names : mapping or None
        Factor: the names it may have in the file. None: each column of numbers but the date and
        the risk-free rate, under the file's name.
    until : date
        Later rows are not looked at; a monthly row counts as that of its whole month.

    Raises
    ------
    DataError
        Naming file, row, column and value: as `read_table`; a date twice, values in percent, a
        file without factors, rows that are neither daily nor weekly nor monthly.
    """
    present = columns_of(path)
    found = find_columns(path, present, columns, required=("date",), optional=("risk_free",))
    if names is not None:
        mine = find_columns(
            path, present, names, required=names, optional=(), setting="data.factor_columns"
        )
    else:
        mine = {name: name for name in present if name not in found.values()}
    table = read_columns(path, {"date": found["date"]} | mine, text=("date",))
    series = read_series(table, [n for n in mine if names or table.holds_numbers(n)], until=until)
    for name, values in series.table.iloc[:, 1:].items():
        known = values.dropna()
        if len(known) and np.median(np.abs(known)) > _LARGEST_MEDIAN:
            raise DataError(
                f"{path}: half of column {name!r} lies beyond 10 % either way: give returns as"
                " decimals, 0.01 for one percent"
            )
    return series


def read_series(table: Table, names: list[str], *, until: dt.date) -> Series:
    """Return columns of a table that has a date column; see `read_factors`."""
    days = table.dates(form=DAYS_OR_MONTHS)
    if np.isnat(days).any():
        table.fail(int(np.argmax(np.isnat(days))), "date", "every row needs its date")
    spacing = spacing_of(days, table.path)
    numbers = period_numbers(days, spacing)
    repeated = pd.Series(numbers).duplicated().to_numpy()
    if repeated.any():
        what = "an earlier row holds the same day, or one in the same week or month; delete one"
        table.fail(int(np.argmax(repeated)), "date", what)
    kept = numbers <= period_numbers(np.array([until], dtype="datetime64[us]"), spacing)[0]
    if not names or not kept.any():
        what = "no column of numbers beside the date" if not names else f"no row up to {until}"
        raise DataError(f"{table.path}: {what}; name another file, or null to go without")
    read = pd.DataFrame({"date": days[kept]} | {name: table.numbers(name, kept) for name in names})
    return Series(read.sort_values("date", ignore_index=True), spacing)


def spacing_of(days: Dates, source: Path) -> Rebalancing:
    """Return what lies between the dates of a file.

    Raises
    ------
    DataError
        When it is neither a day, a week nor a month.
    """
    gaps = np.diff(np.sort(days)).astype("timedelta64[D]").astype(np.float64)
    median = float(np.median(gaps)) if len(gaps) else np.nan
    for spacing, (shortest, longest) in _SPACINGS.items():
        if shortest <= median <= longest:
            return spacing
    raise DataError(
        f"{source}: its rows are {median:g} days apart; one a day, a week or a month is needed"
    )


def over_periods(
    series: Series,
    formations: Dates,
    dates: Dates,
    *,
    rebalancing: Rebalancing,
    calendar: str,
    source: str,
) -> NDArray[np.float64]:
    """Return what each column earned over each period, from after its formation up to its date.

    Parameters
    ----------
    series : Series
    formations, dates : (T,) datetime64[us]
        Last session before the period, and of it.
    rebalancing : {"daily", "weekly", "monthly"}
        How long a period is.
    calendar : str
    source : str
        What the series is, for the message.

    Returns
    -------
    (T, G) float64
        A file as dense as the periods is matched by day, week or month; a daily one is
        compounded over the period. NaN where a value is missing, and where a daily file lacks
        the period's last session or more than a tenth of the others.

    Raises
    ------
    DataError
        When the file's rows lie further apart than the periods, or do not fit into them.
    """
    if series.spacing == rebalancing:
        return _matched(series, dates)
    if series.spacing != "daily":
        raise DataError(
            f"{source}: its rows are {series.spacing}, the return periods {rebalancing}; give"
            f" daily rows, or set rebalancing to {series.spacing}"
        )
    days = series.table["date"].to_numpy("datetime64[us]")
    values = series.table.iloc[:, 1:].to_numpy(np.float64)
    quoted = sessions(calendar, formations[0], dates[-1])
    lacking = np.append(0, np.cumsum(~np.isin(quoted, days)))
    result = np.full((len(dates), values.shape[1]), np.nan)
    for t, (formation, end) in enumerate(zip(formations, dates, strict=True)):
        first, last = np.searchsorted(quoted, (formation, end), side="right")
        gap = (lacking[last] - lacking[first]) / max(last - first, 1)
        rows = slice(*np.searchsorted(days, (formation, end), side="right"))
        if end in days[rows] and gap <= _LARGEST_GAP:
            result[t] = np.prod(1.0 + values[rows], axis=0) - 1.0
    return result


def facts_of(series: Series, file: str) -> dict[str, Any]:
    """Return what a file of factors holds, for summary.json."""
    coverage = {
        name: {"first_date": _iso(known.min()), "last_date": _iso(known.max()), "known": len(known)}
        for name, values in series.table.set_index("date").items()
        if len(known := values.dropna().index)
    }
    empty = [name for name in series.table.columns[1:] if name not in coverage]
    return {"file": file, "spacing": series.spacing, "names": coverage, "empty": empty}


def _matched(series: Series, dates: Dates) -> NDArray[np.float64]:
    """Return the row of each date's own day, week or month. -> (T, G)."""
    theirs = period_numbers(series.table["date"].to_numpy("datetime64[us]"), series.spacing)
    values = series.table.iloc[:, 1:].to_numpy(np.float64)
    mine = period_numbers(dates, series.spacing)
    row = np.searchsorted(theirs, mine)
    there = np.append(theirs, -1)[row] == mine
    return np.where(there[:, None], np.vstack([values, values[:1]])[row], np.nan)


def _iso(day: Any) -> str:
    return str(day)[:10]
