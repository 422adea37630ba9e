"""A user's own panel: which files there are, and their rows, checked and dated by period."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.config import DataSettings, Rebalancing
from latentbeta.data.calendar import Dates, period_ends, period_numbers, sessions
from latentbeta.data.dates import DAYS_OR_MONTHS
from latentbeta.data.files import find_one, find_several, source_folder
from latentbeta.data.tables import Table, columns_of, find_columns, read_columns
from latentbeta.errors import DataError

LEADING = ("date", "asset", "return", "market_equity", "sector")
_ROLES = (*LEADING, "risk_free")
_RESERVED = (*_ROLES, "formation")
# A stamp may lie anywhere in its period, which the exchange's calendar must hold whole.
_MARGIN = np.timedelta64(45, "D")
_WORDS = {"daily": "day", "weekly": "week", "monthly": "month"}
# Half of the returns beyond 50 % either way: they are in percent.
_LARGEST_MEDIAN_RETURN = 0.5


@dataclass(frozen=True)
class GivenFiles:
    """The files of a user's own panel, and what may lie beside them."""

    panel: tuple[Path, ...]
    returns: Path | None
    risk_free: Path | None
    factors: Path | None


@dataclass(frozen=True)
class PeriodCalendar:
    """Return periods of an exchange, one an entry, ascending.

    Attributes
    ----------
    numbers : (E,) int
        Number of the period, as in `period_numbers`.
    ends : (E,) datetime64[us]
        Its last session.
    rebalancing : {"daily", "weekly", "monthly"}
    name : str
        The exchange's.
    """

    numbers: NDArray[np.int64]
    ends: Dates
    rebalancing: Rebalancing
    name: str


@dataclass(frozen=True)
class GivenRows:
    """Rows of one or several files.

    Attributes
    ----------
    frame : DataFrame
        period (number), end (datetime64[us], the period's last session), asset (categorical),
        and those of return, market_equity, sector, risk_free and the characteristics that are
        there; day, row and file say where it came from.
    not_read : tuple of str
        Columns that a pattern names and that hold no numbers.
    """

    frame: pd.DataFrame
    not_read: tuple[str, ...]


@dataclass(frozen=True)
class Horizon:
    """Up to when rows are read.

    Attributes
    ----------
    until : date or None
        Rows known later are left aside. None: a row known after `today` is an error.
    today : date
    lag : int
        0: a row is known when its period begins; else when it has ended.
    """

    until: dt.date | None
    today: dt.date
    lag: int

    @property
    def last(self) -> np.datetime64:
        """The last day that may be known."""
        return np.datetime64(self.until or self.today, "us")


def find_given_files(settings: DataSettings) -> GivenFiles:
    """Find the files that the settings name.

    Raises
    ------
    DataError
        When nothing is there, or when a pattern for one file matches several.
    """
    folder, wanted = source_folder(settings.path), settings.panel
    returns = find_one(folder, wanted.returns, "panel.returns")
    if wanted.returns is not None and returns is None:
        raise DataError(f"data.panel.returns: no file matches {wanted.returns}")
    risk_free = find_one(folder, settings.risk_free, "risk_free")
    factors = find_one(folder, settings.factors, "factors")
    if folder is None:
        return GivenFiles((settings.path,), returns, risk_free, factors)
    panel = find_several(folder, wanted.files, without=(returns, risk_free, factors))
    if not panel:
        raise DataError(f"{folder}: no CSV or Parquet file with a panel in it; set data.path")
    return GivenFiles(panel, returns, risk_free, factors)


def read_given(
    files: Iterable[Path], settings: DataSettings, rebalancing: Rebalancing, horizon: Horizon
) -> GivenRows:
    """Read the rows of a panel's files.

    Raises
    ------
    DataError
        Naming file, row, column and value: a file that cannot be read or has no rows, a missing
        column, a date or number that is none, a period without a session, an asset twice in a
        period, returns in percent.
    """
    paths = list(files)
    parts = [_read_file(path, settings, rebalancing, horizon) for path in paths]
    names = sorted({name for part in parts for name in part.frame["asset"].unique()})
    kind = pd.CategoricalDtype(names, ordered=True)
    frame = pd.concat(
        [
            part.frame.assign(asset=part.frame["asset"].astype(kind), file=number)
            for number, part in enumerate(parts)
        ],
        ignore_index=True,
    )
    if frame.empty:
        raise DataError(
            f"{paths[0].parent}: no row is known by {horizon.last}; set data.as_of to a later date"
        )
    order = np.lexsort((frame["asset"].cat.codes.to_numpy(), frame["period"].to_numpy()))
    frame = frame.iloc[order].reset_index(drop=True)
    _refuse_repeated(frame, paths, rebalancing)
    _refuse_percent(frame, paths)
    not_read = dict.fromkeys(name for part in parts for name in part.not_read)
    return GivenRows(frame, tuple(name for name in not_read if name not in frame))


def _read_file(
    path: Path, settings: DataSettings, rebalancing: Rebalancing, horizon: Horizon
) -> GivenRows:
    table, characteristics = _open(path, settings)
    days = table.dates(form=DAYS_OR_MONTHS)
    if np.isnat(days).any():
        table.fail(int(np.argmax(np.isnat(days))), "date", "every row needs its date")
    calendar = period_calendar(settings.calendar, rebalancing, days.min(), days.max())
    place = _place(table, days, calendar)
    known = calendar.ends[place - (horizon.lag == 0)]
    kept = known <= horizon.last
    if horizon.until is None and not kept.all():
        what = "is known" if horizon.lag == 0 else f"ends its {_WORDS[rebalancing]}"
        row = int(np.argmin(kept))
        table.fail(row, "date", f"{what} after today, {horizon.today}; correct it, or set as_of")
    read: dict[str, object] = {
        "period": calendar.numbers[place][kept],
        "end": calendar.ends[place][kept],
        "day": days[kept],
        "row": np.flatnonzero(kept) + 1,
        "asset": _assets(table, settings)[kept],
    }
    numeric = [name for name in characteristics if table.holds_numbers(name)]
    for name in ("return", "market_equity", "risk_free", *numeric):
        if name in table.names:
            read[name] = table.numbers(name, kept)
    if "sector" in table.names:
        read["sector"] = table.text("sector").astype(object)[kept]
    return GivenRows(pd.DataFrame(read), tuple(n for n in characteristics if n not in numeric))


def _open(path: Path, settings: DataSettings) -> tuple[Table, list[str]]:
    """Return the file's table, and the names of the columns that may be characteristics."""
    present, wanted = columns_of(path), settings.panel
    together = {f"asset {part}": (part,) for part in wanted.asset}
    plain = [name for name in wanted.characteristics if not _is_pattern(name)]
    if reserved := [name for name in plain if name in _RESERVED]:
        raise DataError(
            f"data.panel.characteristics: {', '.join(reserved)} has another meaning; give it"
            " another name in data.columns"
        )
    found = find_columns(
        path,
        present,
        settings.columns | together,
        required=("date", *(together or ("asset",)), *plain),
        optional=("return", "market_equity", "sector", "risk_free"),
    )
    if together:
        found.pop("asset", None)
    rest = [name for name in present if name not in found.values()]
    matched = [n for n in rest if _matches_any(n, wanted.characteristics) and n not in _RESERVED]
    names = found | {name: name for name in matched}
    table = read_columns(path, names, text=("date", "asset", "sector", *together))
    return table, [*plain, *matched]


def _is_pattern(name: str) -> bool:
    return bool(set(name) & set("*?["))


def _matches_any(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch(name.lower(), p.lower()) for p in patterns if _is_pattern(p))


def _assets(table: Table, settings: DataSettings) -> pd.Series:
    """Return each row's asset: one column, or several joined by a blank."""
    columns = [f"asset {part}" for part in settings.panel.asset] or ["asset"]
    parts = [table.text(column) for column in columns]
    for column, part in zip(columns, parts, strict=True):
        if (part.codes < 0).any():
            table.fail(int(np.argmax(part.codes < 0)), column, "every row needs its asset")
    joined = pd.Series(parts[0].astype(str))
    for part in parts[1:]:
        joined = joined + " " + pd.Series(part.astype(str))
    return joined.astype("category")


def period_calendar(
    name: str, rebalancing: Rebalancing, first: np.datetime64, last: np.datetime64
) -> PeriodCalendar:
    """Return the periods that hold the days from first to last, and one before them."""
    days = sessions(name, first - _MARGIN, last + _MARGIN)
    ends = period_ends(days, rebalancing, calendar=name)
    return PeriodCalendar(period_numbers(ends, rebalancing), ends, rebalancing, name)


def _place(table: Table, days: Dates, calendar: PeriodCalendar) -> NDArray[np.int64]:
    """Return the position of each row's period in the calendar."""
    numbers = period_numbers(days, calendar.rebalancing)
    place = np.searchsorted(calendar.numbers, numbers)
    there = np.append(calendar.numbers, -1)[place] == numbers
    if not there.all():
        word = _WORDS[calendar.rebalancing]
        table.fail(
            int(np.argmin(there)),
            "date",
            f"{calendar.name} has no session in its {word}; set data.calendar or rebalancing to"
            " what the rows follow",
        )
    return place


def _refuse_repeated(frame: pd.DataFrame, paths: list[Path], rebalancing: Rebalancing) -> None:
    codes, periods = frame["asset"].cat.codes.to_numpy(), frame["period"].to_numpy()
    twice = np.flatnonzero((codes[1:] == codes[:-1]) & (periods[1:] == periods[:-1]))
    if len(twice) == 0:
        return
    first, second = frame.iloc[twice[0]], frame.iloc[twice[0] + 1]
    same = (
        "the same date; delete one of them"
        if first["day"] == second["day"]
        else f"{first['day']:%Y-%m-%d}, in the same {_WORDS[rebalancing]}; keep one of them, or"
        " set rebalancing to how often an asset has a row"
    )
    raise DataError(
        f"{paths[second['file']]}: row {second['row']}, column 'date' holds"
        f" {second['day']:%Y-%m-%d} for {second['asset']!r}, yet row {first['row']} of"
        f" {paths[first['file']]} holds {same}"
    )


def _refuse_percent(frame: pd.DataFrame, paths: list[Path]) -> None:
    if "return" not in frame or frame["return"].isna().all():
        return
    if np.median(np.abs(frame["return"].dropna())) > _LARGEST_MEDIAN_RETURN:
        raise DataError(
            f"{paths[0]}: half of the returns lie beyond 50 % either way: give decimals, 0.01 for"
            " one percent"
        )
