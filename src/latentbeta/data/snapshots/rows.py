"""Rows of raw prices as arrays: one order, one hash of their content, one Parquet file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from latentbeta.errors import DataError
from latentbeta.storage import written_atomically

VALUES = ("open", "high", "low", "close", "volume", "dividend", "split", "shares")
COLUMNS = ("asset", "date", *VALUES)
_SCHEMA = pa.schema(
    [
        pa.field("asset", pa.dictionary(pa.int32(), pa.string())),
        pa.field("date", pa.timestamp("us")),
        *(pa.field(name, pa.float64()) for name in VALUES),
    ]
)


@dataclass(frozen=True, eq=False)
class Rows:
    """Price rows, sorted by asset, then date; none twice.

    Attributes
    ----------
    names : (A,) object
        Assets that have a row, sorted.
    codes : (n,) int32
        Place of each row's asset in `names`.
    days : (n,) datetime64[us]
    values : tuple of (n,) float64
        One array each of VALUES; every NaN has the same bits, and no zero is negative.
    """

    names: NDArray[np.object_]
    codes: NDArray[np.int32]
    days: NDArray[np.datetime64]
    values: tuple[NDArray[np.float64], ...]

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, chosen: NDArray[Any]) -> Rows:
        """Return some rows, by a mask or by ascending places, with the assets that they have."""
        codes = self.codes[chosen]
        present = np.zeros(len(self.names), bool)
        present[codes] = True
        renumbered = (np.cumsum(present) - 1).astype(np.int32)
        return Rows(
            self.names[present],
            renumbered[codes],
            self.days[chosen],
            tuple(column[chosen] for column in self.values),
        )


def rows_of(prices: pd.DataFrame) -> Rows:
    """Take the rows of a table in any order.

    Parameters
    ----------
    prices : DataFrame
        asset (text or categorical), date, and VALUES, such as `latentbeta.data.files.read_prices`
        returns it.

    Raises
    ------
    DataError
        When an asset has two rows on a date.
    """
    asset = pd.Categorical(prices["asset"])
    order = np.argsort(asset.categories.to_numpy(dtype=object))
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    codes, days = rank[asset.codes], prices["date"].to_numpy().astype("datetime64[us]")
    columns = [prices[name].to_numpy(np.float64) for name in VALUES]
    same = codes[1:] == codes[:-1]
    if not ((codes[1:] > codes[:-1]) | (same & (days[1:] > days[:-1]))).all():
        place = np.lexsort((days, codes))
        codes, days, columns = codes[place], days[place], [column[place] for column in columns]
    rows = Rows(
        asset.categories.to_numpy(dtype=object)[order],
        codes,
        days,
        tuple(_one_bit_pattern(column) for column in columns),
    )
    _refuse_twice(rows)
    return rows if len(np.unique(codes)) == len(order) else rows.take(np.ones(len(codes), bool))


def frame_of(rows: Rows) -> pd.DataFrame:
    """Return rows as `latentbeta.data.files.read_prices` does."""
    kind = pd.CategoricalDtype(pd.Index(rows.names, dtype="str"), ordered=True)
    columns: dict[str, Any] = {
        "asset": pd.Categorical.from_codes(rows.codes, dtype=kind),
        "date": rows.days,
    }
    return pd.DataFrame(columns | dict(zip(VALUES, rows.values, strict=True)))


def no_rows() -> Rows:
    """Return none at all."""
    return Rows(
        np.empty(0, object),
        np.empty(0, np.int32),
        np.empty(0, "datetime64[us]"),
        tuple(np.empty(0) for _ in VALUES),
    )


def joined(parts: list[Rows]) -> Rows:
    """Put rows together that have no asset and date in common."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return no_rows()
    names = np.unique(np.concatenate([part.names for part in parts]))
    codes = np.concatenate(
        [np.searchsorted(names, part.names).astype(np.int32)[part.codes] for part in parts]
    )
    days = np.concatenate([part.days for part in parts])
    order = np.lexsort((days, codes))
    columns = (
        np.concatenate(column)[order] for column in zip(*(p.values for p in parts), strict=True)
    )
    return Rows(names, codes[order], days[order], tuple(columns))


def content_of(rows: Rows) -> str:
    """SHA-256 of the rows' content: it does not depend on how a file holds them."""
    head = {"columns": COLUMNS, "assets": rows.names.tolist(), "rows": len(rows)}
    digest = hashlib.sha256(json.dumps(head, separators=(",", ":")).encode())
    for column in (rows.codes.astype("<i4"), rows.days.astype("<M8[us]").view("<i8")):
        digest.update(np.ascontiguousarray(column).data)
    for values in rows.values:
        digest.update(np.ascontiguousarray(values, dtype="<f8").data)
    return digest.hexdigest()


def write_rows(rows: Rows, path: Path) -> None:
    """Write rows as one Parquet file, atomically; the same rows give the same bytes."""
    assets = pa.DictionaryArray.from_arrays(pa.array(rows.codes), pa.array(rows.names, pa.string()))
    table = pa.Table.from_arrays([assets, pa.array(rows.days), *rows.values], schema=_SCHEMA)
    with written_atomically(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", use_dictionary=["asset"])


def read_rows(path: Path) -> Rows:
    """Read what `write_rows` wrote.

    Raises
    ------
    OSError, ArrowException, KeyError, ValueError
        When the file is not there or is not such a file.
    """
    table = pq.read_table(path, use_threads=False, read_dictionary=["asset"])
    asset = table["asset"].combine_chunks()
    return Rows(
        asset.dictionary.to_numpy(zero_copy_only=False),
        asset.indices.to_numpy(),
        table["date"].to_numpy(),
        tuple(table[name].to_numpy() for name in VALUES),
    )


def _one_bit_pattern(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give equal values equal bits."""
    return np.where(np.isnan(column), np.nan, column + 0.0)


def _refuse_twice(rows: Rows) -> None:
    same = (rows.codes[1:] == rows.codes[:-1]) & (rows.days[1:] == rows.days[:-1])
    if same.any():
        row = int(np.argmax(same))
        raise DataError(
            f"asset {rows.names[rows.codes[row]]!r} has two rows on {str(rows.days[row])[:10]};"
            " give one of them"
        )
