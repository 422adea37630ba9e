"""From a source of daily prices to data/prices/."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from latentbeta.config import DataSettings
from latentbeta.data.adjust import total_returns, with_delisting_returns
from latentbeta.data.calendar import sessions as exchange_sessions
from latentbeta.data.files import SourceFiles, find_files, read_prices
from latentbeta.data.flags import suspicious_rows
from latentbeta.data.fundamentals import (
    FUNDAMENTALS_FILE,
    read_fundamentals,
)
from latentbeta.data.membership import (
    MEMBERSHIP_FILE,
    read_membership,
)
from latentbeta.data.presets import preset
from latentbeta.data.quotes import usable_quotes
from latentbeta.data.reference import read_assets, read_risk_free
from latentbeta.data.series import Series, read_factors
from latentbeta.data.summary import Tables, facts_of_source, summary_of
from latentbeta.storage import (
    content_hash,
    folder_written_atomically,
    read_json,
    write_json,
    write_parquet,
)

COLUMNS = (
    "date",
    "asset",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "dividend",
    "split",
    "shares",
    "total_return",
)
FACTORS_FILE = "factors.parquet"


@dataclass(frozen=True)
class Derived:
    """All that data/prices/ will hold."""

    files: SourceFiles
    tables: Tables
    summary: dict[str, Any]


def ingest(settings: DataSettings, out: Path, today: dt.date) -> dict[str, Any]:
    """Read, check, adjust and store the prices of a source, up to the date `settings.as_of`.

    Parameters
    ----------
    settings : DataSettings
    out : Path
        Folder that is replaced, in one step, by prices.parquet, assets.parquet,
        risk_free.parquet, flags.parquet, summary.json and, where the source has them,
        factors.parquet, fundamentals.parquet, membership.parquet and truth/. After an error
        it is as it was.
    today : date
        A price dated after it is an error, unless `settings.as_of` says what is read.

    Returns
    -------
    dict
        The summary, as written to summary.json.

    Raises
    ------
    DataError
        Naming file, row, column and value of the first fault.
    """
    files, raw = read_source(settings, today)
    return write_prices(derived(settings, files, raw), out)


def read_source(settings: DataSettings, today: dt.date) -> tuple[SourceFiles, pd.DataFrame]:
    """Find a source's files and read its checked price rows, up to the date `settings.as_of`.

    Returns
    -------
    SourceFiles
    DataFrame
        As `latentbeta.data.files.read_prices` returns it.

    Raises
    ------
    DataError
        As `ingest`.
    """
    files = find_files(settings)
    columns, until = settings.columns, settings.as_of
    vendor = preset(settings.preset)
    return files, read_prices(files.prices, columns, until=until, today=today, vendor=vendor)


def derived(settings: DataSettings, files: SourceFiles, raw: pd.DataFrame) -> Derived:
    """Make the tables of data/prices/ from raw rows and the files beside them.

    Parameters
    ----------
    raw : DataFrame
        Rows up to `settings.as_of`, as `latentbeta.data.files.read_prices` returns them.

    Raises
    ------
    DataError
        As `ingest`.
    """
    tables = _tables(files, settings, raw)
    return Derived(files, tables, summary_of(settings, files, tables))


def write_prices(made: Derived, out: Path) -> dict[str, Any]:
    """Put what was derived in the place of data/prices/, in one step, and return its summary."""
    tables = made.tables
    with folder_written_atomically(out) as folder:
        for name in ("prices", "assets", "risk_free", "flags"):
            write_parquet(getattr(tables, name), folder / f"{name}.parquet")
        if tables.factors is not None:
            write_parquet(tables.factors.table, folder / FACTORS_FILE)
        if tables.fundamentals is not None:
            write_parquet(tables.fundamentals, folder / FUNDAMENTALS_FILE)
        if tables.membership is not None:
            write_parquet(tables.membership, folder / MEMBERSHIP_FILE)
        if made.files.truth is not None:
            shutil.copytree(made.files.truth, folder / "truth")
        summary = made.summary | {"content_hash": content_hash(folder / "prices.parquet")}
        write_json(summary, folder / "summary.json")
    return summary


def load_factors(folder: Path) -> Series | None:
    """Load the observed factors of data/prices/, None where the source has none."""
    if not (folder / FACTORS_FILE).is_file():
        return None
    spacing = read_json(folder / "summary.json")["factors"]["spacing"]
    return Series(pd.read_parquet(folder / FACTORS_FILE), spacing)


def _tables(files: SourceFiles, settings: DataSettings, raw: pd.DataFrame) -> Tables:
    columns, until = settings.columns, settings.as_of
    days = exchange_sessions(settings.calendar, raw["date"].min(), raw["date"].max())
    quotes = usable_quotes(raw, days, calendar=settings.calendar)
    days = days[quotes.session.min() : quotes.session.max() + 1]
    listing = read_assets(files.sectors, columns, until=until)
    rates, missing_rates = read_risk_free(files.risk_free, columns, days)
    returns = total_returns(quotes.prices, quotes.session)
    prices = quotes.prices.assign(
        total_return=with_delisting_returns(quotes.prices, returns.total_return, listing)
    )
    assets = _listed_assets(prices, listing)
    order = np.lexsort((prices["asset"].cat.codes.to_numpy(), prices["date"].to_numpy()))
    return Tables(
        prices=prices.iloc[order].astype({"asset": "str"})[list(COLUMNS)],
        assets=assets,
        risk_free=pd.DataFrame({"date": days, "risk_free": rates}),
        flags=suspicious_rows(prices, quotes.session, returns, assets),
        factors=observed_factors(settings, files.factors, last=days[-1]),
        fundamentals=_accounts(settings, files.fundamentals, last=days[-1]),
        membership=_members(settings, files.membership, last=days[-1]),
        facts=facts_of_source(files, quotes, missing_rates, unused=_without_price(listing, assets)),
    )


def observed_factors(
    settings: DataSettings, path: Path | None, *, last: np.datetime64
) -> Series | None:
    """Read the observed factors up to `last`, the last day of the data, where there is a file."""
    if path is None:
        return None
    until = dt.date.fromisoformat(str(last)[:10])
    return read_factors(path, settings.columns, settings.factor_columns, until=until)


def _accounts(
    settings: DataSettings, path: Path | None, *, last: np.datetime64
) -> pd.DataFrame | None:
    if path is None:
        return None
    return read_fundamentals(path, settings, until=dt.date.fromisoformat(str(last)[:10]))


def _members(
    settings: DataSettings, path: Path | None, *, last: np.datetime64
) -> pd.DataFrame | None:
    if path is None:
        return None
    return read_membership(path, settings.columns, until=dt.date.fromisoformat(str(last)[:10]))


def _listed_assets(prices: pd.DataFrame, listing: pd.DataFrame) -> pd.DataFrame:
    """One row for each asset that has a price, with its listing where that is known."""
    seen = prices.groupby("asset", observed=True)["date"].agg(["min", "max"]).reset_index()
    seen = seen.rename(columns={"min": "first_date", "max": "last_date"}).astype({"asset": "str"})
    merged = seen.merge(listing, on="asset", how="left")
    columns = ["asset", "name", "sector", "listed", "delisted", "delisting_return"]
    return merged[[*columns, "first_date", "last_date"]].sort_values("asset", ignore_index=True)


def _without_price(listing: pd.DataFrame, assets: pd.DataFrame) -> int:
    return int((~listing["asset"].isin(assets["asset"])).sum())
