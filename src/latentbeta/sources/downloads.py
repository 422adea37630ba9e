"""What was fetched so far: one file an asset, whole or absent, outside DVC's outputs.

A file holds the asset's rows and, in its metadata, the record of how they came. A run that was
killed loses the assets it was at, none that was finished.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from latentbeta.errors import DataError
from latentbeta.sources.protocol import COLUMNS
from latentbeta.storage import written_atomically

Status = Literal["fetched", "absent", "failed"]
_RECORD = b"latentbeta"


@dataclass(frozen=True)
class Record:
    """How the last request for an asset ended.

    Attributes
    ----------
    asset : str
    status : {"fetched", "absent", "failed"}
        Absent: the source has no such asset, and is not asked again. Failed: it is, next time;
        rows fetched before are kept.
    attempts : int
        Requests that the last time took.
    rows : int
    first_date, last_date : str or None
        Of the rows.
    error : str or None
        Why not, in words.
    fetched_at : str
        When the last answer came, UTC.
    start, through : str or None
        First and last date that the rows cover, whether or not there is a row on them.
    """

    asset: str
    status: Status
    attempts: int
    rows: int
    first_date: str | None
    last_date: str | None
    error: str | None
    fetched_at: str
    start: str | None
    through: str | None


@dataclass(frozen=True)
class Download:
    """An asset's rows, and how they came."""

    rows: pd.DataFrame
    record: Record


class Downloads:
    """The finished assets of one source.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, asset: str) -> Path:
        """Return where an asset is kept; any name gives a file name."""
        return self.folder / f"{quote(asset, safe='')}.parquet"

    def record(self, asset: str) -> Record | None:
        """Return an asset's record, None if it was never asked for."""
        path = self.path(asset)
        if not path.is_file():
            return None
        return Record(**json.loads(_readable(path, pq.read_schema).metadata[_RECORD]))

    def table(self, asset: str) -> pa.Table:
        """Return an asset's rows."""
        table: pa.Table = _readable(self.path(asset), pq.read_table)
        return table.replace_schema_metadata(None)

    def load(self, asset: str) -> Download | None:
        """Return an asset's rows with its record, None if it was never asked for."""
        record = self.record(asset)
        return None if record is None else Download(self.table(asset).to_pandas(), record)

    def save(self, download: Download) -> None:
        """Put an asset's rows and record in the place of what was there, in one step."""
        table = pa.Table.from_pandas(download.rows[list(COLUMNS)], preserve_index=False)
        record = json.dumps(dataclasses.asdict(download.record), sort_keys=True)
        with written_atomically(self.path(download.record.asset)) as temporary:
            pq.write_table(table.replace_schema_metadata({_RECORD: record.encode()}), temporary)


def answered(
    asset: str, rows: pd.DataFrame, *, attempts: int, start: str, through: str
) -> Download:
    """Return rows that came, with their record."""
    record = Record(
        asset=asset,
        status="fetched",
        attempts=attempts,
        rows=len(rows),
        first_date=None if rows.empty else f"{rows['date'].iloc[0]:%Y-%m-%d}",
        last_date=None if rows.empty else f"{rows['date'].iloc[-1]:%Y-%m-%d}",
        error=None,
        fetched_at=utc_now(),
        start=start,
        through=through,
    )
    return Download(rows, record)


def unanswered(
    asset: str, held: Download | None, *, status: Status, attempts: int, error: str
) -> Download:
    """Return what was there before, with a record of why nothing came."""
    before = held or answered(asset, no_rows(), attempts=0, start="", through="")
    record = dataclasses.replace(
        before.record,
        status=status,
        attempts=attempts,
        error=error,
        fetched_at=utc_now(),
        start=before.record.start or None,
        through=before.record.through or None,
    )
    return Download(before.rows, record)


def no_rows() -> pd.DataFrame:
    """Return rows of an asset that has none."""
    numbers = dict.fromkeys(COLUMNS[1:], "float64")
    return pd.DataFrame(columns=list(COLUMNS)).astype({"date": "datetime64[us]"} | numbers)


def utc_now() -> str:
    """Return the time, to the second."""
    return dt.datetime.now(tz=dt.UTC).isoformat(timespec="seconds")


def _readable(path: Path, read: Callable[[Path], Any]) -> Any:
    try:
        return read(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"{path}: cannot be read ({type(error).__name__}); delete it, it is fetched anew"
        ) from error
