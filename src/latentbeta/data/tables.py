"""Reading one CSV or Parquet file as a table of text and numbers whose faults can be located."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from latentbeta.data.archives import first_line, readable
from latentbeta.data.dates import DAYS, DateForm
from latentbeta.errors import DataError

CSV_SUFFIXES = (".csv", ".csv.gz")
PARQUET_SUFFIXES = (".parquet", ".pq")

# Words for "no value" in a column of dates or numbers; NA is a ticker as well.
_MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "#N/A")
_UNREADABLE = (OSError, ValueError, EOFError, zlib.error, pa.ArrowException)

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

    def dates(self, column: str = "date", *, form: DateForm = DAYS) -> NDArray[np.datetime64]:
        """(n,) datetime64[us] days, NaT where the cell is empty; `form` says what is a date."""
        values = self.frame[column]
        if isinstance(values.dtype, pd.DatetimeTZDtype):
            values = values.dt.tz_localize(None)
        if pd.api.types.is_datetime64_dtype(values):
            return values.to_numpy().astype("datetime64[D]").astype("datetime64[us]")
        codes, distinct = pd.factorize(_without_words(values))
        days = form.days(_labels(pd.Series(distinct)).str.strip())
        if np.isnat(days).any():
            bad = int(np.flatnonzero(np.isin(codes, np.flatnonzero(np.isnat(days))))[0])
            self.fail(bad, column, f"not a date; write it as {form.written}")
        return np.append(days, np.datetime64("NaT"))[codes]  # code -1, no value, is the last

    def text(self, column: str) -> pd.Categorical:
        """(n,) trimmed text as categories, missing where the cell is empty."""
        codes, distinct = pd.factorize(self.frame[column])
        trimmed = _labels(pd.Series(distinct)).str.strip().to_numpy(dtype=object)
        recoded, names = pd.factorize(trimmed)
        recoded = np.where(trimmed == "", -1, recoded)
        kind = pd.CategoricalDtype(pd.Index(names, dtype=str))
        return pd.Categorical.from_codes(np.append(recoded, -1)[codes], dtype=kind)

    def holds_numbers(self, column: str) -> bool:
        """Whether the column is one of numbers: some cell is a number, or all are empty."""
        cells = _without_words(self.frame[column]).dropna()
        if not pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_string_dtype(cells):
            return False
        return cells.empty or bool(pd.to_numeric(cells, errors="coerce").notna().any())

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
        ``.csv``, ``.csv.gz`` or ``.parquet``, which may lie in a zip (`latentbeta.data.archives`).
    columns : mapping
        Our name: the names it may have in the file; the first one that is there is taken,
        whatever its case. A name that is not in the mapping stands for itself.
    required, optional : our names

    Raises
    ------
    DataError
        When the file cannot be read, is empty, or lacks a required column.
    """
    names = find_columns(path, columns_of(path), columns, required=required, optional=optional)
    return read_columns(path, names, text=_TEXT)


def columns_of(path: Path) -> list[str]:
    """Return the names of a file's columns, as it spells them.

    Raises
    ------
    DataError
        When the file is empty or cannot be read.
    """
    with _faults_named(path):
        source = readable(path)
        size = path.stat().st_size if isinstance(source, Path) else len(source.getbuffer())
        if size == 0:
            raise DataError(f"{path}: the file is empty; replace it or take it away")
        return _header(path, source)


def find_columns(
    path: Path,
    present: list[str],
    columns: Columns,
    *,
    required: Iterable[str],
    optional: Iterable[str],
    setting: str = "data.columns",
) -> dict[str, str]:
    """Return our name: the file's, of the columns that are there; see `read_table`.

    Parameters
    ----------
    present : list of str
        The file's columns.
    setting : str
        Where `columns` stands in params.yaml, for the message.

    Raises
    ------
    DataError
        When a required column is not there, or one is there twice.
    """
    return _match(path, present, columns, tuple(required), tuple(optional), setting)


def read_columns(path: Path, names: Mapping[str, str], *, text: Collection[str]) -> Table:
    """Read some columns of a file.

    Parameters
    ----------
    names : mapping
        Our name: the file's. Two of ours may be one of the file's.
    text : collection of our names
        Columns of a CSV file that are not numbers.

    Raises
    ------
    DataError
        When the file cannot be read or has no row.
    """
    with _faults_named(path):
        frame = _body(path, names, text)
    if frame.empty:
        raise DataError(f"{path}: there is no row below the header; replace it or take it away")
    return Table(path, frame, names)


@contextmanager
def _faults_named(path: Path) -> Iterator[None]:
    try:
        yield
    except _UNREADABLE as error:
        raise DataError(
            f"{path}: cannot be read ({type(error).__name__}: {error});"
            " it must be a whole CSV or Parquet file"
        ) from error


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


def _header(path: Path, source: Path | BytesIO) -> list[str]:
    if _is_parquet(path):
        return list(pq.read_schema(source).names)
    first = first_line(path, source)
    if not first.strip() or first.count(b'"') % 2:  # the header is not that line alone
        with pa.csv.open_csv(source) as reader:
            return list(reader.schema.names)
    return list(pa.csv.read_csv(BytesIO(first)).column_names)  # four times as fast


def _body(path: Path, names: Mapping[str, str], text: Collection[str]) -> pd.DataFrame:
    theirs = list(dict.fromkeys(names.values()))
    if _is_parquet(path):
        table = pq.read_table(readable(path), columns=theirs)
    else:
        words = {names[name] for name in text if name in names}
        numbers = [column for column in theirs if column not in words]
        try:
            table = _csv(path, theirs, dict.fromkeys(numbers, pa.float64()))
        except pa.ArrowInvalid as error:
            if "conversion error" not in str(error):
                raise
            # Text among the numbers: `Table.numbers` finds the row, if it is one that is asked for.
            table = _csv(path, theirs, {})
    frame = table.to_pandas(ignore_metadata=True)[list(names.values())]
    return frame.set_axis(list(names), axis=1)


def _csv(path: Path, columns: list[str], numbers: Mapping[str, pa.DataType]) -> pa.Table:
    """Read columns of a CSV file, as text but for those given; a row of another width fails."""
    options = pa.csv.ConvertOptions(
        include_columns=columns,
        column_types=dict.fromkeys(columns, pa.string()) | dict(numbers),
        null_values=list(_MISSING),
        strings_can_be_null=False,
    )
    return pa.csv.read_csv(readable(path), convert_options=options)


_TEXT = ("asset", "sector", "name", "date", "listed", "delisted")


def _match(
    path: Path,
    present: list[str],
    columns: Columns,
    required: tuple[str, ...],
    optional: tuple[str, ...],
    setting: str,
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
                f" add the file's own name to {setting}.{ours} in params.yaml"
            )
    return found


def _labels(values: pd.Series) -> pd.Series:
    """Return values as text; a whole number that a file stores with a fraction loses it."""
    if pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")
    return values.astype(str)


def _without_words(cells: pd.Series) -> pd.Series:
    """Set the words for "no value" in a column of text to missing."""
    return cells.mask(cells.isin(_MISSING)) if pd.api.types.is_string_dtype(cells) else cells
