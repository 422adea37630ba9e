"""Writing the one table of prices, from stored assets or from the result of a query."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from latentbeta.config import FetchSettings
from latentbeta.data.tables import Columns
from latentbeta.errors import SettingsError, SourceError
from latentbeta.progress import counting
from latentbeta.sources.downloads import Downloads, Record
from latentbeta.sources.protocol import ResultSource
from latentbeta.storage import written_atomically

_ROWS = 1_000_000  # of a row group


def name_for_ingest(name: str, columns: Columns) -> str:
    """Return the name under which `ingest` looks for one of our columns first."""
    return (columns.get(name) or (name,))[0]


def write_stored(
    store: Downloads, records: Iterable[Record], until: dt.date, out: Path, columns: Columns
) -> None:
    """Write the stored rows of assets up to a date as one Parquet file, asset by asset.

    Raises
    ------
    SourceError
        When there is no row at all.
    """
    last = pa.scalar(pd.Timestamp(until), pa.timestamp("us"))

    def parts() -> Iterator[pa.Table]:
        for record in records:
            if record.rows:
                table = store.table(record.asset)
                table = table.filter(pc.less_equal(table["date"], last))
                if not len(table):
                    continue
                names = pa.array([record.asset] * len(table), pa.string())
                yield _named(table.add_column(1, "asset", names), columns)

    _write(parts(), out)


def _named(table: pa.Table, columns: Columns) -> pa.Table:
    names = [name_for_ingest(name, columns) for name in table.column_names]
    return table.rename_columns(names).replace_schema_metadata(None)


def _write(parts: Iterable[pa.Table], out: Path) -> None:
    """Write tables of one schema one after another, in groups of about a million rows."""
    waiting: list[pa.Table] = []
    n_waiting = 0
    writer: pq.ParquetWriter | None = None
    with written_atomically(out) as temporary:
        try:
            for part in parts:
                writer = writer or pq.ParquetWriter(temporary, part.schema, compression="zstd")
                waiting.append(part)
                n_waiting += len(part)
                if n_waiting >= _ROWS:
                    writer.write_table(pa.concat_tables(waiting))
                    waiting, n_waiting = [], 0
            if writer is not None and waiting:
                writer.write_table(pa.concat_tables(waiting))
        finally:
            if writer is not None:
                writer.close()
        if writer is None:
            raise SourceError("not one price came; see the assets and dates that `fetch` asks for")


def write_result(
    query: ResultSource, asked: FetchSettings, until: dt.date, out: Path, columns: Columns
) -> list[Record]:
    """Write the whole result of a query, and return a record of each asset in it.

    Raises
    ------
    SettingsError
        When the result names no asset.
    SourceError
        When there is no row at all.
    """
    seen: list[pd.DataFrame] = []

    def parts() -> Iterator[pa.Table]:
        with counting("fetch from the database, rows", None) as advance:
            for batch in query.batches(asked.start, until):
                if "asset" not in batch:
                    raise SettingsError("fetch.sql.query: it gives no column for 'asset'")
                seen.append(batch.groupby("asset")["date"].agg(["size", "min", "max"]))
                advance(len(batch))
                if len(batch):
                    yield _named(pa.Table.from_pandas(batch, preserve_index=False), columns)

    _write(parts(), out)
    found = pd.concat(seen).groupby(level=0).agg({"size": "sum", "min": "min", "max": "max"})
    return [
        Record(
            asset=str(asset),
            status="fetched",
            attempts=1,
            rows=int(row["size"]),
            first_date=f"{row['min']:%Y-%m-%d}",
            last_date=f"{row['max']:%Y-%m-%d}",
            error=None,
            fetched_at="",
            start=asked.start.isoformat(),
            through=until.isoformat(),
        )
        for asset, row in found.iterrows()
    ]
