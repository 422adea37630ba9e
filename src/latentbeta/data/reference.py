"""What lies beside the prices: sectors and listings of assets, and the risk-free rate."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.data.tables import Columns, Table, read_table
from latentbeta.errors import DataError

# The daily rate at 1 % a day: a file in percent, or of yearly rates, is beyond it.
_LARGEST_DAILY_RATE = 0.01
# Rows this many days apart hold monthly rates, which would be taken as those of every day.
_LONGEST_GAP = 20


def read_assets(path: Path | None, columns: Columns, *, until: dt.date | None) -> pd.DataFrame:
    """Read the sectors file: one row an asset.

    A delisting dated after `until` is not known yet on that date, so it is left out.

    Returns
    -------
    DataFrame sorted by asset
        asset, name, sector (str, missing where unknown), listed, delisted (datetime64[us]),
        delisting_return (decimal). Empty when there is no file.

    Raises
    ------
    DataError
        As `read_table`; when an asset is there twice; when a delisting return has no date or is
        below -100 %.
    """
    if path is None:
        return _empty_assets()
    table = read_table(
        path,
        columns,
        required=("asset", "sector"),
        optional=("name", "listed", "delisted", "delisting_return"),
    )
    asset = table.text("asset")
    if (asset.codes < 0).any():
        table.fail(int(np.argmax(asset.codes < 0)), "asset", "every row needs its asset")
    repeated = pd.Series(asset.codes).duplicated().to_numpy()
    if repeated.any():
        table.fail(int(np.argmax(repeated)), "asset", "the asset is there already; delete one row")
    read = pd.DataFrame({"asset": asset.astype(str)})
    for name in ("name", "sector"):
        read[name] = table.text(name).astype(object) if name in table.names else None
    for name in ("listed", "delisted"):
        read[name] = table.dates(name) if name in table.names else np.datetime64("NaT", "us")
    read["delisting_return"] = _delisting_returns(table, read["delisted"].to_numpy())
    if until is not None:
        unknown = read["delisted"] > np.datetime64(until)
        read.loc[unknown, "delisted"] = pd.NaT
        read.loc[unknown, "delisting_return"] = np.nan
    return _typed(read).sort_values("asset", ignore_index=True)


def read_risk_free(
    path: Path | None, columns: Columns, sessions: NDArray[np.datetime64]
) -> tuple[NDArray[np.float64], int]:
    """Read the daily risk-free rate of each session.

    On a session that the file lacks the latest rate before it holds; before the first, zero.

    Returns
    -------
    (D,) float64, decimal
        Zeros when there is no file.
    int
        Sessions that the file lacks.

    Raises
    ------
    DataError
        As `read_table`; when a date is there twice, the rows are further apart than days, or a
        rate up to the last session is so large that it cannot be a daily decimal.
    """
    if path is None:
        return np.zeros(len(sessions)), 0
    table = read_table(path, columns, required=("date", "risk_free"), optional=())
    days = table.dates()
    needed = ~np.isnat(days) & (days <= sessions[-1])
    gaps = np.diff(np.sort(days[needed])).astype("timedelta64[D]").astype(np.float64)
    if len(gaps) and np.median(gaps) > _LONGEST_GAP:
        raise DataError(
            f"{path}: its rates are {np.median(gaps):g} days apart; beside daily prices the"
            " risk-free rate must be a daily one, or data.risk_free null"
        )
    rates = table.numbers("risk_free", needed)
    rows = np.flatnonzero(needed)
    if (np.abs(rates) > _LARGEST_DAILY_RATE).any():
        row = int(rows[np.argmax(np.abs(rates) > _LARGEST_DAILY_RATE)])
        table.fail(row, "risk_free", "beyond 1 % a day; give daily rates as decimals")
    repeated = pd.Series(days[needed]).duplicated().to_numpy()
    if repeated.any():
        table.fail(int(rows[np.argmax(repeated)]), "date", "the date is there already")
    series = pd.Series(rates, index=pd.DatetimeIndex(days[needed])).dropna().sort_index()
    missing = int((~np.isin(sessions, series.index.to_numpy())).sum())
    latest = series.reindex(sessions, method="ffill").fillna(0.0)
    return latest.to_numpy().astype(np.float64), missing


def _delisting_returns(table: Table, delisted: NDArray[np.datetime64]) -> NDArray[np.float64]:
    if "delisting_return" not in table.names:
        return np.full(len(delisted), np.nan)
    values = table.numbers("delisting_return", np.ones(len(delisted), bool))
    if (values < -1).any():
        table.fail(int(np.argmax(values < -1)), "delisting_return", "below -100 %: give decimals")
    undated = ~np.isnan(values) & np.isnat(delisted)
    if undated.any():
        row = int(np.argmax(undated))
        table.fail(row, "delisting_return", "needs the last day of the listing in `delisted`")
    return values


def _empty_assets() -> pd.DataFrame:
    return _typed(
        pd.DataFrame(columns=["asset", "name", "sector", "listed", "delisted", "delisting_return"])
    )


def _typed(assets: pd.DataFrame) -> pd.DataFrame:
    return assets.astype(
        {
            "asset": "str",
            "name": "str",
            "sector": "str",
            "listed": "datetime64[us]",
            "delisted": "datetime64[us]",
            "delisting_return": "float64",
        }
    )
