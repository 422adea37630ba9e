"""A user's daily price files: which files there are, and their rows, checked one by one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.config import DataSettings
from latentbeta.data.archives import is_archive, members
from latentbeta.data.presets import Conversion, Preset
from latentbeta.data.tables import Columns, Table, is_table, read_table, stem
from latentbeta.errors import DataError

PRICES = ("open", "high", "low", "close")
OPTIONAL = {"dividend": 0.0, "split": 1.0, "shares": np.nan}  # and what stands in for them


@dataclass(frozen=True)
class SourceFiles:
    """The files of a source: prices, and what may lie beside them."""

    prices: tuple[Path, ...]
    sectors: Path | None
    risk_free: Path | None
    truth: Path | None
    factors: Path | None
    fundamentals: Path | None
    membership: Path | None


def find_files(settings: DataSettings) -> SourceFiles:
    """Find the files that the settings name.

    A path to one table is that table alone. In a folder, or a zip, prices are the files that
    match ``settings.prices``; where none does, every CSV or Parquet file but those of sectors,
    the risk-free rate, the observed factors, the fundamentals and the members.

    Raises
    ------
    DataError
        When nothing is there, or when a pattern for one file matches several.
    """
    folder = source_folder(settings.path)
    sectors = find_one(folder, settings.sectors, "sectors")
    risk_free = find_one(folder, settings.risk_free, "risk_free")
    factors = find_one(folder, settings.factors, "factors")
    fundamentals = find_one(folder, settings.fundamentals.file, "fundamentals.file")
    membership = find_one(folder, settings.membership, "membership")
    beside = (sectors, risk_free, factors, fundamentals, membership)
    prices = (
        (settings.path,)
        if folder is None
        else find_several(folder, settings.prices, without=beside)
    )
    if not prices:
        raise DataError(f"{folder}: no CSV or Parquet file with prices in it; set data.path")
    return SourceFiles(
        prices=prices,
        sectors=sectors,
        risk_free=risk_free,
        truth=_truth(folder, settings.truth),
        factors=factors,
        fundamentals=fundamentals,
        membership=membership,
    )


def _truth(folder: Path | None, name: str | None) -> Path | None:
    truth = folder / name if folder and name else None
    return truth if truth and truth.is_dir() else None


def source_folder(path: Path) -> Path | None:
    """Return `path` if it is a folder or a zip, None if it is a table.

    Raises
    ------
    DataError
        When nothing is there.
    """
    if not path.exists():
        raise DataError(f"{path}: no such file or folder; set data.path, or give DATA=path")
    return path if path.is_dir() or is_archive(path) else None


def find_several(folder: Path, pattern: str, *, without: Iterable[Path | None]) -> tuple[Path, ...]:
    """Return the folder's tables that match; where none does, all but those in `without`.

    Of a zip in the folder every table is taken.
    """
    apart = set(without)
    there = members(folder) if is_archive(folder) else sorted(folder.iterdir())
    files = [file for file in there if is_table(file) or is_archive(file)]
    named = [file for file in files if file.match(pattern)]
    chosen = named or [file for file in files if not {file, *_within(file)} & apart]
    return tuple(table for file in chosen for table in _within(file))


def _within(file: Path) -> tuple[Path, ...]:
    """Return the tables of a zip, or the one table itself."""
    return tuple(filter(is_table, members(file))) if is_archive(file) else (file,)


def find_one(folder: Path | None, pattern: str | None, setting: str) -> Path | None:
    """Return the one file that a setting below ``data`` names: a path, or a pattern in the folder.

    Raises
    ------
    DataError
        When the pattern matches several, or a name without wildcards none.
    """
    if pattern is None:
        return None
    if Path(pattern).is_file():
        there: Iterable[Path] = [Path(pattern)]
    elif folder is None or Path(pattern).is_absolute():
        there = []
    elif is_archive(folder):
        there = [file for file in members(folder) if file.match(pattern)]
    else:
        there = sorted(file for file in folder.glob(pattern) if file.is_file())
    found = [table for file in there for table in _within(file) if is_table(table)]
    if len(found) > 1:
        names = ", ".join(file.name for file in found)
        raise DataError(f"{folder}: data.{setting} matches {names}; name one of them")
    if not found and not set(pattern) & set("*?["):
        raise DataError(f"data.{setting}: there is no file {pattern}; set it to null to go without")
    return found[0] if found else None


def read_prices(
    files: Iterable[Path],
    columns: Columns,
    *,
    until: dt.date | None,
    today: dt.date,
    vendor: Preset | None = None,
) -> pd.DataFrame:
    """Read every price row dated up to `until`.

    Later rows are not looked at: a fault in them is no error. With no `until`, a date after
    `today` is one. A `vendor` has names and conversions of its own.

    Returns
    -------
    DataFrame sorted by asset, then date
        asset (categorical, ordered by name), date (datetime64[us]), open, high, low, close,
        volume, dividend, split, shares (float64, NaN where the cell is empty).

    Raises
    ------
    DataError
        Naming file, row, column and value: a file that cannot be read or has no rows, a
        missing column, a date or number that is none, a price that is not positive, a negative
        volume, dividend, split or number of shares, the same asset and date twice.
    """
    paths = list(files)
    vendor = vendor or Preset()
    parts = [_read_file(path, columns, vendor, until=until, today=today) for path in paths]
    merged = _concatenate(parts)
    if merged.empty:
        raise DataError(
            f"{paths[0].parent}: no price is dated {until} or before;"
            " set data.as_of to a later date"
        )
    order = np.lexsort((merged["date"].to_numpy(), merged["asset"].cat.codes.to_numpy()))
    merged = merged.iloc[order].reset_index(drop=True)
    _refuse_duplicates(merged, order, paths, [len(part) for part in parts])
    return merged.drop(columns="row")


def _read_file(
    path: Path, columns: Columns, vendor: Preset, *, until: dt.date | None, today: dt.date
) -> pd.DataFrame:
    table = read_table(
        path,
        vendor.names(columns),
        required=("date", *PRICES, "volume"),
        optional=("asset", *OPTIONAL),
    )
    days = table.dates()
    if np.isnat(days).any():
        table.fail(int(np.flatnonzero(np.isnat(days))[0]), "date", "every row needs its date")
    if until is None and (days > np.datetime64(today)).any():
        late = int(np.flatnonzero(days > np.datetime64(today))[0])
        table.fail(late, "date", f"lies after today, {today}; correct it, or set data.as_of")
    kept = np.ones(len(days), bool) if until is None else days <= np.datetime64(until)
    read = {"asset": _assets(table, columns, days)[kept].array, "date": days[kept]}
    read |= {
        name: _checked_numbers(table, name, kept, vendor.conversions.get(name))
        for name in (*PRICES, "volume", *OPTIONAL)
    }
    return pd.DataFrame(read | {"row": np.flatnonzero(kept) + 1})


def _assets(table: Table, columns: Columns, days: NDArray[np.datetime64]) -> pd.Series:
    """Return the asset of each row; a file of one asset without that column is named after it."""
    if "asset" not in table.names:
        if len(np.unique(days)) < len(days):
            repeated = int(np.flatnonzero(pd.Series(days).duplicated())[0])
            raise DataError(
                f"{table.path}: no column for 'asset' (looked for"
                f" {', '.join(columns.get('asset', ('asset',)))}), yet row {repeated + 1} repeats"
                f" the date {str(days[repeated])[:10]}: the file holds more than one asset;"
                " add the column's name to data.columns.asset"
            )
        return pd.Series([stem(table.path)] * len(days), dtype="category")
    assets = table.text("asset")
    if (assets.codes < 0).any():
        table.fail(int(np.flatnonzero(assets.codes < 0)[0]), "asset", "every row needs its asset")
    return pd.Series(assets)


def _checked_numbers(
    table: Table, name: str, kept: NDArray[np.bool_], convert: Conversion | None
) -> NDArray[np.float64]:
    if name not in table.names:
        return np.full(int(kept.sum()), OPTIONAL[name])
    values = table.numbers(name, kept)
    values = convert(values) if convert else values
    bad = values <= 0 if name in PRICES else values < 0
    if bad.any():
        row = int(np.flatnonzero(kept)[np.flatnonzero(bad)[0]])
        bound = "a price must be positive" if name in PRICES else f"{name} cannot be negative"
        table.fail(row, name, f"{bound}; correct the value, or leave the cell empty")
    if name == "split":
        return np.where(np.isnan(values) | (values == 0), 1.0, values)  # 0: some write "none" so
    if name == "shares":
        return np.where(values == 0, np.nan, values)
    return np.where(np.isnan(values), 0.0, values) if name == "dividend" else values


def _concatenate(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Stack the parts on one set of asset categories, ordered by name."""
    names = sorted({name for part in parts for name in part["asset"].unique()})
    kind = pd.CategoricalDtype(names, ordered=True)
    return pd.concat(
        [part.assign(asset=part["asset"].astype(kind)) for part in parts], ignore_index=True
    )


def _refuse_duplicates(
    prices: pd.DataFrame, order: NDArray[np.int64], paths: list[Path], lengths: list[int]
) -> None:
    codes, days = prices["asset"].cat.codes.to_numpy(), prices["date"].to_numpy()
    twice = np.flatnonzero((codes[1:] == codes[:-1]) & (days[1:] == days[:-1]))
    if len(twice) == 0:
        return
    first, second = int(twice[0]), int(twice[0]) + 1
    source = np.repeat(np.arange(len(paths)), lengths)[order]
    raise DataError(
        f"{paths[source[second]]}: row {prices['row'][second]}, column 'date' holds"
        f" {str(days[second])[:10]} for {prices['asset'][second]!r}, which row"
        f" {prices['row'][first]} of {paths[source[first]]} holds already; delete one of them"
    )
