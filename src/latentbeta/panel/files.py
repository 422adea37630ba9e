"""The panel's folder: panel.parquet, raw.parquet and summary.json."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.errors import DataError
from latentbeta.panel.build import BuiltPanel
from latentbeta.panel.panel import Panel
from latentbeta.storage import content_hash, folder_written_atomically, write_json, write_parquet

PANEL_FILE = "panel.parquet"
RAW_FILE = "raw.parquet"
FACTORS_FILE = "factors.parquet"
SUMMARY_FILE = "summary.json"

REQUIRED_COLUMNS = ("date", "formation", "asset", "return", "market_equity")
LEADING_COLUMNS = (*REQUIRED_COLUMNS, "sector")


def write_panel(built: BuiltPanel, folder: Path) -> None:
    """Write a panel's folder in one step: the old one stays until the new one is whole.

    `summary.json` holds the fields of the summary and `content_hash`, the SHA-256 of
    `panel.parquet`.
    """
    with folder_written_atomically(folder) as temporary:
        write_parquet(panel_table(built), temporary / PANEL_FILE)
        write_parquet(built.raw, temporary / RAW_FILE)
        if built.panel.factor_names:
            write_parquet(factor_table(built.panel), temporary / FACTORS_FILE)
        digest = content_hash(temporary / PANEL_FILE)
        write_json(asdict(built.summary) | {"content_hash": digest}, temporary / SUMMARY_FILE)


def panel_table(built: BuiltPanel) -> pd.DataFrame:
    """Return the panel as a table: the leading columns, then one a characteristic (float32)."""
    panel = built.panel
    leading = {
        "date": panel.dates[panel.date_index],
        "formation": built.formations[panel.date_index],
        "asset": pd.array(panel.assets[panel.asset_index], dtype="str"),
        "return": panel.R,
        "market_equity": panel.market_equity,
        "sector": pd.array(np.array([*panel.sector_names, None], object)[panel.sector], "str"),
    }
    ranked = {name: panel.Z[:, p] for p, name in enumerate(panel.characteristic_names)}
    return pd.DataFrame(leading | ranked)


def factor_table(panel: Panel) -> pd.DataFrame:
    """Return the observed factors as a table: date, then one column a factor."""
    return pd.DataFrame(
        {"date": panel.dates} | dict(zip(panel.factor_names, panel.F.T, strict=True))
    )


def read_panel(path: Path) -> Panel:
    """Read a panel from its folder, or from its `panel.parquet`.

    Observed factors are read from `factors.parquet` beside it, where there is one.

    Raises
    ------
    DataError
        When there is no such file, a leading column is missing, or the rows are not in order.
    """
    file = path / PANEL_FILE if path.is_dir() else path
    if not file.is_file():
        raise DataError(f"{file}: no such file; run the stage characteristics first")
    table = pd.read_parquet(file)
    missing = [column for column in REQUIRED_COLUMNS if column not in table.columns]
    if missing:
        raise DataError(f"{file}: column(s) {', '.join(missing)} missing; it is not a panel")
    return _panel(table, file, file.with_name(FACTORS_FILE))


def _panel(table: pd.DataFrame, file: Path, factors_file: Path) -> Panel:
    names = tuple(column for column in table.columns if column not in LEADING_COLUMNS)
    dates, date_index = np.unique(table["date"].to_numpy("datetime64[us]"), return_inverse=True)
    assets, asset_index = np.unique(table["asset"].to_numpy(dtype=np.str_), return_inverse=True)
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
    factors = pd.read_parquet(factors_file) if factors_file.is_file() else pd.DataFrame()
    return Panel(
        dates=dates,
        assets=assets,
        characteristic_names=names,
        offsets=np.append(0, np.cumsum(np.bincount(date_index, minlength=len(dates)))),
        asset_index=asset_index.astype(np.int64),
        Z=table[list(names)].to_numpy(dtype=np.float32, copy=True),
        R=table["return"].to_numpy(dtype=np.float64, copy=True),
        market_equity=table["market_equity"].to_numpy(dtype=np.float64, copy=True),
        sector_names=tuple(sector_names),
        sector=sector.astype(np.int64),
        factor_names=tuple(factors.columns[1:]),
        F=_observed_factors(factors, dates, factors_file),
    )


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
