"""Factors and the risk-free rate of Ken French's library, as files beside the prices."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from latentbeta.config import FetchSettings
from latentbeta.data.tables import Columns
from latentbeta.errors import AbsentError, SourceError
from latentbeta.progress import say
from latentbeta.sources.ken_french import (
    RISK_FREE,
    FactorTable,
    KenFrenchLibrary,
    factor_table,
)
from latentbeta.sources.table import name_for_ingest
from latentbeta.storage import write_csv, write_parquet, written_atomically


@dataclass(frozen=True)
class FactorRecord:
    """How the last request for a data set ended; one that failed is used as it was stored."""

    name: str
    status: Literal["fetched", "failed"]
    first_date: str
    last_date: str
    error: str | None


@dataclass(frozen=True)
class FetchedFactors:
    """Tables in the order of the settings, and how they came."""

    tables: tuple[FactorTable, ...]
    records: tuple[FactorRecord, ...]


def fetch_factors(asked: FetchSettings, folder: Path, until: dt.date) -> FetchedFactors:
    """Ask for the data sets that the settings name; keep each as it came.

    Parameters
    ----------
    asked : FetchSettings
    folder : Path
        Where the files are kept.
    until : date
        Later rows are left out.

    Raises
    ------
    SourceError
        When one cannot be had and none is stored, or the sets mix days and months.
    """
    if not asked.factors:
        return FetchedFactors((), ())
    library = KenFrenchLibrary(asked.requests)
    found = [_one(library, name, folder / f"{name}.zip", until) for name in asked.factors]
    tables = tuple(table for table, _ in found)
    if len({table.is_daily for table in tables}) > 1:
        raise SourceError("fetch.factors: name data sets of days or of months, not both")
    return FetchedFactors(tables, tuple(record for _, record in found))


def _one(
    library: KenFrenchLibrary, name: str, path: Path, until: dt.date
) -> tuple[FactorTable, FactorRecord]:
    error = None
    try:
        content = library.fetch(name)
    except AbsentError as absent:
        raise SourceError(f"fetch.factors: {name}: {absent}") from None
    except SourceError as failure:
        if not path.is_file():
            raise SourceError(f"fetch.factors: {name}: {failure}") from None
        error = str(failure)
        say(f"{name}: {error}; the stored one is used")
    else:
        with written_atomically(path) as temporary:
            temporary.write_bytes(content)
    table = factor_table(path.read_bytes())
    kept = table.frame[table.frame["date"] <= pd.Timestamp(until)].reset_index(drop=True)
    if kept.empty:
        raise SourceError(f"fetch.factors: {name} has no row up to {until}")
    first, last = kept["date"].iloc[0], kept["date"].iloc[-1]
    record = FactorRecord(
        name, "failed" if error else "fetched", f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}", error
    )
    return FactorTable(kept, table.is_daily), record


def write_factors(factors: FetchedFactors, folder: Path, columns: Columns) -> None:
    """Write factors.parquet, and risk_free.csv where the rate is daily.

    Of a column that several sets have, the first set's is taken.
    """
    if not factors.tables:
        return
    merged = factors.tables[0].frame
    for table in factors.tables[1:]:
        new = [name for name in table.frame.columns if name == "date" or name not in merged]
        merged = merged.merge(table.frame[new], on="date", how="outer", sort=True)
    if RISK_FREE in merged and factors.tables[0].is_daily:
        rates = merged[["date", RISK_FREE]].dropna()
        names = [name_for_ingest(name, columns) for name in ("date", "risk_free")]
        write_csv(rates.set_axis(names, axis=1), folder / "risk_free.csv")
    merged = merged.drop(columns=RISK_FREE, errors="ignore")
    dated = merged.rename(columns={"date": name_for_ingest("date", columns)})
    write_parquet(dated, folder / "factors.parquet")
