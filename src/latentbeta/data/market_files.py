"""From data/prices/ to aligned matrices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from latentbeta.data.market import DailyMarket
from latentbeta.errors import DataError

_MATRICES = ("total_return", "close", "high", "low", "volume", "shares")


def load_market(folder: Path) -> DailyMarket:
    """Load data/prices/ as aligned matrices.

    Parameters
    ----------
    folder : Path
        What `ingest` wrote.

    Returns
    -------
    DailyMarket
        Its days are the exchange's sessions from the first to the last price; its sector codes
        number the sectors by name.

    Raises
    ------
    DataError
        When the folder holds no ingested prices.
    """
    if not (folder / "prices.parquet").is_file():
        raise DataError(f"{folder}: no prices.parquet; run the ingest stage first")
    rates = pd.read_parquet(folder / "risk_free.parquet")
    listing = pd.read_parquet(folder / "assets.parquet")
    days = rates["date"].to_numpy().astype("datetime64[us]")
    assets = listing["asset"].to_numpy(dtype=str)
    table = pq.read_table(folder / "prices.parquet", columns=["date", "asset"])
    row = np.searchsorted(days, table["date"].to_numpy().astype("datetime64[us]"))
    names = table["asset"].combine_chunks().dictionary_encode()
    column = np.searchsorted(assets, names.dictionary.to_numpy(zero_copy_only=False).astype(str))
    cell = row * len(assets) + column[names.indices.to_numpy()]
    matrices = {
        name: _matrix(folder / "prices.parquet", name, cell, (len(days), len(assets)))
        for name in _MATRICES
    }
    place_late_delistings(matrices["total_return"], days, listing)
    sector, sector_names = pd.factorize(listing["sector"], sort=True)
    return DailyMarket(
        days=days,
        assets=assets,
        sector=sector.astype(np.int64),
        sector_names=tuple(sector_names),
        risk_free=rates["risk_free"].to_numpy(dtype=np.float64).copy(),
        **matrices,
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


def _matrix(
    path: Path, column: str, cell: NDArray[np.int64], shape: tuple[int, int]
) -> NDArray[np.float64]:
    """(D, N) values of one column, NaN where there is no row; one column at a time, for memory."""
    matrix = np.full(shape, np.nan)
    matrix.reshape(-1)[cell] = pq.read_table(path, columns=[column])[column].to_numpy()
    return matrix
