"""From data/prices/ to aligned matrices, of all assets or of some at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from latentbeta.data.fundamentals import Fundamentals
from latentbeta.data.market import MATRICES, DailyMarket, Market, Matrix, Memory
from latentbeta.errors import DataError

PRICES_FILE = "prices.parquet"


@dataclass(frozen=True, kw_only=True)
class StoredMarket(Memory):
    """Daily prices as they came, an asset's days next to each other: no room for days without.

    The matrices of a few assets are made when they are asked for (`columns`). Fields that are not
    described here are those of `DailyMarket`.

    Attributes
    ----------
    first_row : (N + 1,) int
        Rows ``first_row[n]:first_row[n + 1]`` are asset n's.
    session : (n,) int32
        Position of each row's day in `days`.
    rows : mapping of str to (n,) float64
        Values of each matrix, row by row.
    listing : DataFrame
        As in assets.parquet, one row an asset.
    """

    days: NDArray[np.datetime64]
    assets: NDArray[np.str_]
    sector: NDArray[np.int64]
    sector_names: tuple[str, ...]
    risk_free: Matrix
    first_row: NDArray[np.int64]
    session: NDArray[np.int32]
    rows: Mapping[str, NDArray[np.float64]]
    listing: pd.DataFrame
    fundamentals: Fundamentals | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(D, N)."""
        return len(self.days), len(self.assets)

    def columns(self, start: int, stop: int) -> DailyMarket:
        """Return assets start (included) to stop (not included); the market is their `whole`."""
        rows = slice(int(self.first_row[start]), int(self.first_row[stop]))
        width = stop - start
        column = np.repeat(np.arange(width), np.diff(self.first_row[start : stop + 1]))
        cell = self.session[rows].astype(np.int64) * width + column
        matrices = {}
        for name in MATRICES:
            matrices[name] = np.full((len(self.days), width), np.nan)
            matrices[name].reshape(-1)[cell] = self.rows[name][rows]
        place_late_delistings(matrices["total_return"], self.days, self.listing.iloc[start:stop])
        return DailyMarket(
            days=self.days,
            assets=self.assets[start:stop],
            sector=self.sector[start:stop],
            sector_names=self.sector_names,
            risk_free=self.risk_free,
            fundamentals=self.fundamentals and self.fundamentals.of_assets(start, stop),
            whole=self,
            **matrices,
        )

    def until(self, stop: int) -> Market:
        """Return the days before day `stop`."""
        kept = self.session < stop
        before = np.append(0, np.cumsum(kept))
        return replace(
            self,
            days=self.days[:stop],
            risk_free=self.risk_free[:stop],
            first_row=before[self.first_row],
            session=self.session[kept],
            rows={name: values[kept] for name, values in self.rows.items()},
        )


def load_market(folder: Path) -> DailyMarket:
    """Load data/prices/ as aligned matrices of all assets; see `open_market`."""
    market = open_market(folder)
    return replace(market.columns(0, market.shape[1]), whole=None)


def open_market(folder: Path) -> StoredMarket:
    """Load data/prices/ for matrices that are made some assets at a time.

    Parameters
    ----------
    folder : Path
        What `ingest` wrote.

    Returns
    -------
    StoredMarket
        Its days are the exchange's sessions from the first to the last price; its sector codes
        number the sectors by name.

    Raises
    ------
    DataError
        When the folder holds no ingested prices.
    """
    file = folder / PRICES_FILE
    if not file.is_file():
        raise DataError(f"{folder}: no prices.parquet; run the ingest stage first")
    rates = pd.read_parquet(folder / "risk_free.parquet")
    listing = pd.read_parquet(folder / "assets.parquet")
    days = rates["date"].to_numpy().astype("datetime64[us]")
    assets = listing["asset"].to_numpy(dtype=str)
    asset = _asset_of_rows(file, assets)
    order = np.argsort(asset, kind="stable")  # of one asset, in the order of the days
    sector, sector_names = pd.factorize(listing["sector"], sort=True)
    return StoredMarket(
        days=days,
        assets=assets,
        sector=sector.astype(np.int64),
        sector_names=tuple(sector_names),
        risk_free=rates["risk_free"].to_numpy(dtype=np.float64).copy(),
        first_row=np.append(0, np.cumsum(np.bincount(asset, minlength=len(assets)))),
        session=_session_of_rows(file, days)[order],
        rows={name: _column(file, name).to_numpy()[order] for name in MATRICES},
        listing=listing,
    )


def place_late_delistings(
    total_return: NDArray[np.float64], days: NDArray[np.datetime64], assets: pd.DataFrame
) -> None:
    """Put the return of a delisting after the last quote on its own day, a day without a quote.

    Parameters
    ----------
    total_return : (D, N), changed in place
    days : (D,)
    assets : DataFrame
        As in assets.parquet, one row a column of the matrix.
    """
    late = assets["delisting_return"].notna() & (assets["delisted"] > assets["last_date"])
    rows = np.searchsorted(days, assets["delisted"].to_numpy("datetime64[us]"))
    for column in np.flatnonzero(late & (rows < len(days))):
        total_return[rows[column], column] = assets["delisting_return"].iloc[column]


def _asset_of_rows(file: Path, assets: NDArray[np.str_]) -> NDArray[np.unsignedinteger]:
    """(n,) position of each row's asset, in the smallest type that holds it: such sort fastest."""
    position = pa.array(np.arange(len(assets)).astype(np.min_scalar_type(len(assets))))
    table = pq.ParquetFile(file, read_dictionary=["asset"]).read(columns=["asset"])
    chunks = []
    for chunk in table["asset"].chunks:
        names = chunk.dictionary.to_numpy(zero_copy_only=False).astype(str)
        known = position.take(pa.array(np.searchsorted(assets, names)))
        chunks.append(known.take(chunk.indices).to_numpy())
    return np.concatenate(chunks)


def _session_of_rows(file: Path, days: NDArray[np.datetime64]) -> NDArray[np.int32]:
    """(n,) position of each row's day; the rows are in the order of the days."""
    dates = _column(file, "date").to_numpy().astype("datetime64[us]")
    first = np.flatnonzero(np.append(True, dates[1:] != dates[:-1]))
    runs = np.diff(np.append(first, len(dates)))
    return np.repeat(np.searchsorted(days, dates[first]).astype(np.int32), runs)


def _column(file: Path, name: str) -> pa.ChunkedArray:
    """One column alone, for memory."""
    return pq.read_table(file, columns=[name])[name]
