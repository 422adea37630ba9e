"""Reading one CSV or Parquet file as a table of text and numbers whose faults can be located."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from latentbeta.errors import DataError

CSV_SUFFIXES = (".csv", ".csv.gz")
PARQUET_SUFFIXES = (".parquet", ".pq")

# Words for "no value" in a column of dates or numbers; NA is a ticker as well.
_MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "#N/A")
_UNREADABLE = (OSError, ValueError, pa.ArrowException)

Columns = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Table:
    """Columns of one file under our names, as the file holds them; row i is data row i + 1."""

    path: Path
    frame: pd.DataFrame
    names: Mapping[str, str]  # our name: the file's

    def fail(self, row: int, column: str, reason: str) -> NoReturn:
        """Raise a DataError about the value in a row (from 0) of one of our columns."""
        value = self.frame[column].iloc[row]
        value = value.item() if isinstance(value, np.generic) else value
        shown = "nothing" if pd.isna(value) or not str(value).strip() else repr(value)
        raise DataError(
            f"{self.path}: row {row + 1}, column {self.names[column]!r} holds {shown}: {reason}"
        )

    def dates(self, column: str = "date") -> NDArray[np.datetime64]:
        """(n,) datetime64[us] days, NaT where the cell is empty."""
        values = self.frame[column]
        if isinstance(values.dtype, pd.DatetimeTZDtype):
            values = values.dt.tz_localize(None)
        if pd.api.types.is_datetime64_dtype(values):
            return values.to_numpy().astype("datetime64[D]").astype("datetime64[us]")
        codes, distinct = pd.factorize(_without_words(values))
        days = _days_of_text(pd.Series(distinct).astype(str).str.strip())
        if np.isnat(days).any():
            bad = int(np.flatnonzero(np.isin(codes, np.flatnonzero(np.isnat(days))))[0])
            self.fail(bad, column, "not a date; write it as YYYY-MM-DD")
        return np.append(days, np.datetime64("NaT"))[codes]  # code -1, no value, is the last

    def text(self, column: str) -> pd.Categorical:
        """(n,) trimmed text as categories, missing where the cell is empty."""
        codes, distinct = pd.factorize(self.frame[column])
        trimmed = pd.Series(distinct).astype(str).str.strip().to_numpy(dtype=object)
        recoded, names = pd.factorize(trimmed)
        recoded = np.where(trimmed == "", -1, recoded)
        kind = pd.CategoricalDtype(pd.Index(names, dtype=str))
        return pd.Categorical.from_codes(np.append(recoded, -1)[codes], dtype=kind)

    def numbers(self, column: str, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the values of some rows as float64, NaN where the cell is empty.

        Raises
        ------
        DataError
            When one of those rows holds text or infinity; other rows are not looked at.
        """
        cells = _without_words(self.frame[column][rows])
        values = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        bad = (np.isnan(values) & cells.notna().to_numpy()) | np.isinf(values)
        if bad.any():
            row = int(np.flatnonzero(rows)[np.flatnonzero(bad)[0]])
            self.fail(row, column, "not a number; write it with digits and a decimal point alone")
        return values


def read_table(
    path: Path, columns: Columns, *, required: Iterable[str], optional: Iterable[str]
) -> Table:
    """Read the columns of a file that we know.

    Parameters
    ----------
    path : Path
        ``.csv``, ``.csv.gz`` or ``.parquet``.
    columns : mapping
        Our name: the names it may have in the file; the first one that is there is taken,
        whatever its case. A name that is not in the mapping stands for itself.
    required, optional : our names

    Raises
    ------
    DataError
        When the file cannot be read, is empty, or lacks a required column.
    """
    try:
        if path.stat().st_size == 0:
            raise DataError(f"{path}: the file is empty; replace it or take it away")
        present = _header(path)
        names = _match(path, present, columns, tuple(required), tuple(optional))
        frame = _body(path, names)
    except _UNREADABLE as error:
        raise DataError(
            f"{path}: cannot be read ({type(error).__name__}: {error});"
            " it must be a whole CSV or Parquet file"
        ) from error
    if frame.empty:
        raise DataError(f"{path}: there is no row below the header; replace it or take it away")
    return Table(path, frame, names)


def is_table(path: Path) -> bool:
    """Whether the file's name is one of a table that can be read."""
    name = path.name.lower()
    return not name.startswith(".") and name.endswith((*CSV_SUFFIXES, *PARQUET_SUFFIXES))


def stem(path: Path) -> str:
    """Return the file's name without the suffixes that say how it is stored."""
    for suffix in sorted((*CSV_SUFFIXES, *PARQUET_SUFFIXES), key=len, reverse=True):
        if path.name.lower().endswith(suffix):
            return path.name[: -len(suffix)]
    return path.stem


def _is_parquet(path: Path) -> bool:
    return path.name.lower().endswith(PARQUET_SUFFIXES)


def _header(path: Path) -> list[str]:
    if _is_parquet(path):
        return list(pq.read_schema(path).names)
    with pa.csv.open_csv(path) as reader:
        return list(reader.schema.names)


def _body(path: Path, names: Mapping[str, str]) -> pd.DataFrame:
    ours = {theirs: name for name, theirs in names.items()}
    if _is_parquet(path):
        table = pq.read_table(path, columns=list(ours))
    else:
        numbers = [theirs for theirs, name in ours.items() if name not in _TEXT]
        try:
            table = _csv(path, list(ours), dict.fromkeys(numbers, pa.float64()))
        except pa.ArrowInvalid as error:
            if "conversion error" not in str(error):
                raise
            # Text among the numbers: `Table.numbers` finds the row, if it is one that is asked for.
            table = _csv(path, list(ours), {})
    return table.to_pandas(ignore_metadata=True).rename(columns=ours)


def _csv(path: Path, columns: list[str], numbers: Mapping[str, pa.DataType]) -> pa.Table:
    """Read columns of a CSV file, as text but for those given; a row of another width fails."""
    options = pa.csv.ConvertOptions(
        include_columns=columns,
        column_types=dict.fromkeys(columns, pa.string()) | dict(numbers),
        null_values=list(_MISSING),
        strings_can_be_null=False,
    )
    return pa.csv.read_csv(path, convert_options=options)


_TEXT = ("asset", "sector", "name", "date", "listed", "delisted")


def _match(
    path: Path,
    present: list[str],
    columns: Columns,
    required: tuple[str, ...],
    optional: tuple[str, ...],
) -> dict[str, str]:
    by_name = {str(name).strip().lower(): name for name in reversed(present)}
    found: dict[str, str] = {}
    for ours in (*required, *optional):
        candidates = [alias.lower() for alias in columns.get(ours, (ours,))]
        match = next((by_name[alias] for alias in candidates if alias in by_name), None)
        if match is not None and present.count(match) > 1:
            raise DataError(f"{path}: several columns are called {match!r}; leave one of them")
        if match is not None:
            found[ours] = match
        elif ours in required:
            raise DataError(
                f"{path}: no column for {ours!r}: looked for {', '.join(candidates)}"
                f" and found {', '.join(map(str, present)) or 'none at all'};"
                f" add the file's own name to data.columns.{ours} in params.yaml"
            )
    return found


def _days_of_text(text: pd.Series) -> NDArray[np.datetime64]:
    """Days of YYYY-MM-DD (a time after it is dropped) or YYYYMMDD; NaT for anything else."""
    dashed = text.str.fullmatch(r"\d{4}-\d{2}-\d{2}([T ].*)?")
    plain = text.str.fullmatch(r"\d{8}")
    iso = text.str[:10].where(dashed)
    iso = iso.where(~plain, text.str[:4] + "-" + text.str[4:6] + "-" + text.str[6:8])
    parsed = pd.to_datetime(iso, format="%Y-%m-%d", errors="coerce")
    return parsed.to_numpy().astype("datetime64[us]")


def _without_words(cells: pd.Series) -> pd.Series:
    """Set the words for "no value" in a column of text to missing."""
    return cells.mask(cells.isin(_MISSING)) if pd.api.types.is_string_dtype(cells) else cells
