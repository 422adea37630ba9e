"""The panel's folder: panel.parquet, ranks.npy, raw.parquet and summary.json."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from latentbeta.errors import DataError
from latentbeta.panel.build import BuiltPanel
from latentbeta.panel.panel import Panel
from latentbeta.panel.ranks import IDENTITY, RANKS_FILE, identity, map_ranks, write_ranks
from latentbeta.storage import (
    content_hash,
    folder_written_atomically,
    write_json,
    write_parquet,
    written_atomically,
)

PANEL_FILE = "panel.parquet"
RAW_FILE = "raw.parquet"
FACTORS_FILE = "factors.parquet"
SUMMARY_FILE = "summary.json"

REQUIRED_COLUMNS = ("date", "formation", "asset", "return", "market_equity")
LEADING_COLUMNS = (*REQUIRED_COLUMNS, "sector")

ROWS_AT_ONCE = 2**18  # a table of the panel is written in pieces of about so many rows


def write_panel(built: BuiltPanel, folder: Path) -> None:
    """Write a panel's folder in one step: the old one stays until the new one is whole.

    `summary.json` holds the fields of the summary, `content_hash`, the SHA-256 of
    `panel.parquet`, and what ties `ranks.npy` to it.
    """
    with folder_written_atomically(folder) as temporary:
        table, ranks = temporary / PANEL_FILE, temporary / RANKS_FILE
        rows = list(_pieces(built.panel))
        _write_pieces((_panel_rows(built, piece) for piece in rows), table)
        _write_pieces((built.raw.iloc[piece] for piece in rows), temporary / RAW_FILE)
        write_ranks(built.panel.Z, ranks)
        if built.panel.factor_names:
            write_parquet(factor_table(built.panel), temporary / FACTORS_FILE)
        hashes = {"content_hash": content_hash(table), IDENTITY: identity(table, ranks)}
        write_json(asdict(built.summary) | hashes, temporary / SUMMARY_FILE)


def panel_table(built: BuiltPanel) -> pd.DataFrame:
    """Return the panel as a table: the leading columns, then one a characteristic (float32)."""
    return _panel_rows(built, slice(0, built.panel.n_rows))


def _panel_rows(built: BuiltPanel, rows: slice) -> pd.DataFrame:
    panel = built.panel
    sectors = np.array([*panel.sector_names, None], object)
    leading = {
        "date": panel.dates[panel.date_index[rows]],
        "formation": built.formations[panel.date_index[rows]],
        "asset": pd.array(panel.assets[panel.asset_index[rows]], dtype="str"),
        "return": panel.R[rows],
        "market_equity": panel.market_equity[rows],
        "sector": pd.array(sectors[panel.sector[rows]], dtype="str"),
    }
    ranked = {name: panel.Z[rows, p] for p, name in enumerate(panel.characteristic_names)}
    return pd.DataFrame(leading | ranked)


def _pieces(panel: Panel) -> Iterator[slice]:
    """Yield runs of whole dates of at least `ROWS_AT_ONCE` rows; the last may have fewer."""
    start = 0
    for stop in panel.offsets[1:].tolist():
        if stop - start >= ROWS_AT_ONCE or stop == panel.n_rows > start:
            yield slice(start, stop)
            start = stop


def _write_pieces(pieces: Iterator[pd.DataFrame], path: Path) -> None:
    """Write tables of the same columns one below the other, one row group each."""
    with written_atomically(path) as temporary:
        writer: pq.ParquetWriter | None = None
        for piece in pieces:
            table = pa.Table.from_pandas(piece, preserve_index=False)
            writer = writer or pq.ParquetWriter(temporary, table.schema, compression="zstd")
            writer.write_table(table)
        if writer is not None:
            writer.close()


def factor_table(panel: Panel) -> pd.DataFrame:
    """Return the observed factors as a table: date, then one column a factor."""
    return pd.DataFrame(
        {"date": panel.dates} | dict(zip(panel.factor_names, panel.F.T, strict=True))
    )


def read_panel(path: Path) -> Panel:
    """Read a panel from its folder, or from its `panel.parquet`.

    The ranks are mapped into memory from `ranks.npy` beside it: no more of them is read than is
    used. Without that file they come from the table's columns. Observed factors are read from
    `factors.parquet`, where there is one.

    Raises
    ------
    DataError
        When there is no such file, a leading column is missing, the rows are not in order, or
        `ranks.npy` is not that of this panel.
    """
    file = path / PANEL_FILE if path.is_dir() else path
    if not file.is_file():
        raise DataError(f"{file}: no such file; run the stage characteristics first")
    columns = pq.read_schema(file).names
    missing = [column for column in REQUIRED_COLUMNS if column not in columns]
    if missing:
        raise DataError(f"{file}: column(s) {', '.join(missing)} missing; it is not a panel")
    names = tuple(column for column in columns if column not in LEADING_COLUMNS)
    leading = [column for column in LEADING_COLUMNS if column in columns]
    return _panel(pd.read_parquet(file, columns=leading), names, file)


def _panel(table: pd.DataFrame, names: tuple[str, ...], file: Path) -> Panel:
    dates, date_index = np.unique(table["date"].to_numpy("datetime64[us]"), return_inverse=True)
    asset_index, assets = pd.factorize(table["asset"], sort=True)
    # Strictly ascending (date, asset) pairs: sorted, and none twice.
    order = date_index.astype(np.int64) * len(assets) + asset_index
    if not (np.diff(order) > 0).all():
        row = int(np.argmin(np.diff(order) > 0)) + 1
        raise DataError(
            f"{file}: row {row} ({table['asset'].iloc[row]}, {table['date'].iloc[row]}) is out of"
            " order or there twice; run the stage characteristics again"
        )
    no_sector = pd.Series(index=table.index, dtype="str")
    sector, sector_names = pd.factorize(table.get("sector", no_sector), sort=True)
    factors_file = file.with_name(FACTORS_FILE)
    factors = pd.read_parquet(factors_file) if factors_file.is_file() else pd.DataFrame()
    return Panel(
        dates=dates,
        assets=assets.to_numpy(dtype=np.str_),
        characteristic_names=names,
        offsets=np.append(0, np.cumsum(np.bincount(date_index, minlength=len(dates)))),
        asset_index=asset_index.astype(np.int64),
        Z=_ranks(file, (len(table), len(names)), names),
        R=table["return"].to_numpy(dtype=np.float64, copy=True),
        market_equity=table["market_equity"].to_numpy(dtype=np.float64, copy=True),
        sector_names=tuple(sector_names),
        sector=sector.astype(np.int64),
        factor_names=tuple(factors.columns[1:]),
        F=_observed_factors(factors, dates, factors_file),
    )


def _ranks(file: Path, shape: tuple[int, int], names: tuple[str, ...]) -> NDArray[np.float32]:
    if file.with_name(RANKS_FILE).is_file():
        return map_ranks(file, shape)
    Z = np.empty(shape, dtype=np.float32)
    for p, name in enumerate(names):  # one column at a time, for memory
        Z[:, p] = pq.read_table(file, columns=[name])[name].to_numpy()
    return Z


def _observed_factors(
    factors: pd.DataFrame, dates: NDArray[np.datetime64], file: Path
) -> NDArray[np.float64]:
    if factors.empty:
        return np.empty((len(dates), 0))
    if not np.array_equal(factors["date"].to_numpy("datetime64[us]"), dates):
        raise DataError(
            f"{file}: its dates are not the panel's; run the stage characteristics again"
        )
    return factors.iloc[:, 1:].to_numpy(dtype=np.float64, copy=True)
