"""From a source on the network, or a database, to data/fetched in the layout of a user's files."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock
import pandas as pd

from latentbeta.config import FetchSettings, Settings
from latentbeta.data.calendar import last_closed_session
from latentbeta.errors import SettingsError, SourceError
from latentbeta.sources.asset_list import asset_list
from latentbeta.sources.download import download
from latentbeta.sources.downloads import Downloads, Record
from latentbeta.sources.factors import FetchedFactors, fetch_factors, write_factors
from latentbeta.sources.protocol import PriceSource, ResultSource
from latentbeta.sources.table import name_for_ingest, write_result, write_stored
from latentbeta.sources.update import Wanted
from latentbeta.storage import (
    folder_written_atomically,
    undo_killed_write,
    write_csv,
    write_json,
    write_parquet,
)

LayOut = Callable[[Path], list[Record]]

_SHOWN = 5  # failures that an error message names


@dataclasses.dataclass(frozen=True)
class Places:
    """Folders of the stage.

    Attributes
    ----------
    out : Path
        Replaced in one step.
    downloads : Path
        What was fetched so far; only added to.
    cache : Path
        What clients keep for themselves.
    """

    out: Path
    downloads: Path
    cache: Path


def fetch(settings: Settings, places: Places, now: dt.datetime) -> dict[str, Any]:
    """Bring prices, factors and the risk-free rate up to date, and lay them out for `ingest`.

    Parameters
    ----------
    settings : Settings
        Sections fetch and data. Up to `data.as_of`; without one, up to the last session that has
        closed.
    places : Places
        `out` is replaced by prices.parquet, sectors.csv, risk_free.csv, factors.parquet (each
        where it is known), manifest.parquet (one row an asset, as `Record`) and manifest.json.
    now : datetime
        With its zone.

    Returns
    -------
    dict
        manifest.json: what was asked, how many assets came, which did not and why.

    Raises
    ------
    SettingsError
        When `fetch` does not say what is to be fetched.
    SourceError
        When too large a share of the assets failed, nothing came, or another process is
        fetching. What was fetched is stored
        and is not asked for again; `out` stays as it was.
    """
    asked = settings.fetch
    until = settings.data.as_of or last_closed_session(settings.data.calendar, now)
    if until < asked.start:
        raise SettingsError(f"fetch.start: {asked.start} lies after the last day to fetch, {until}")
    source = _source(settings, places)
    with _alone(places):
        undo_killed_write(places.out)
        factors = fetch_factors(asked, places.downloads / "ken_french", until)
        return _laid_out(_asked(source, settings, places, until), factors, settings, places, until)


@contextmanager
def _alone(places: Places) -> Iterator[None]:
    """Keep other processes from fetching; the system frees the lock when its holder dies."""
    path = places.downloads.parent / f".{places.downloads.name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(path, timeout=0):
            yield
    except filelock.Timeout as error:
        raise SourceError(f"{places.downloads}: another process is fetching; let it end") from error


def _laid_out(
    lay_out: LayOut, factors: FetchedFactors, settings: Settings, places: Places, until: dt.date
) -> dict[str, Any]:
    """Replace the folder, and return its manifest."""
    with folder_written_atomically(places.out) as folder:
        records = lay_out(folder)
        write_factors(factors, folder, settings.data.columns)
        write_parquet(_manifest(records), folder / "manifest.parquet")
        summary = _summary(settings.fetch, until, records) | {
            "factors": [dataclasses.asdict(record) for record in factors.records]
        }
        write_json(summary, folder / "manifest.json")
    return summary


def _source(settings: Settings, places: Places) -> PriceSource | ResultSource:
    """Return what the settings name; clients are imported where they are needed."""
    asked = settings.fetch
    if asked.prices is None:
        raise SettingsError("fetch.prices: name what is to be fetched from, yahoo or sql")
    if asked.prices == "yahoo":
        from latentbeta.sources.yahoo import YahooSource

        return YahooSource(asked.requests, places.cache / "yfinance")
    from latentbeta.sources.sql import SqlQuery, SqlSource

    query = SqlQuery(asked.sql, settings.data.columns)
    return SqlSource(query) if query.by_asset else query


def _asked(
    source: PriceSource | ResultSource, settings: Settings, places: Places, until: dt.date
) -> LayOut:
    """Ask for what is missing, and return what writes the prices into a folder."""
    asked, columns = settings.fetch, settings.data.columns
    if isinstance(source, ResultSource):
        result = source
        return lambda folder: write_result(result, asked, until, folder / "prices.parquet", columns)
    listed = asset_list(asked.assets, columns)
    store = Downloads(places.downloads / source.name)
    records = download(
        source,
        listed["asset"].tolist(),
        Wanted(asked.start, until, asked.overlap),
        store,
        threads=asked.requests.threads,
        stop_after=asked.requests.stop_after,
    )
    refuse_too_many_failures(records, asked.largest_failed_share)

    def lay_out(folder: Path) -> list[Record]:
        write_stored(store, records, until, folder / "prices.parquet", columns)
        if "sector" in listed:
            named = listed.rename(columns=lambda name: name_for_ingest(name, columns))
            write_csv(named, folder / "sectors.csv")
        return records

    return lay_out


def refuse_too_many_failures(records: list[Record], largest_share: float) -> None:
    """Stop a run whose source failed for more than a share of the assets.

    Raises
    ------
    SourceError
        Naming the first of them, and why.
    """
    failed = [record for record in records if record.status == "failed"]
    if len(failed) > largest_share * len(records):
        shown = "; ".join(f"{record.asset}: {record.error}" for record in failed[:_SHOWN])
        raise SourceError(
            f"{len(failed)} of {len(records)} assets failed, more than fetch.largest_failed_share"
            f" ({largest_share:g}) allows; the others are stored, start again for the rest. {shown}"
        )


def _manifest(records: list[Record]) -> pd.DataFrame:
    table = pd.DataFrame([dataclasses.asdict(record) for record in records])
    texts = [field.name for field in dataclasses.fields(Record) if field.type != "int"]
    return table.astype(dict.fromkeys(texts, "str"))


def _summary(asked: FetchSettings, until: dt.date, records: list[Record]) -> dict[str, Any]:
    by_status = {
        status: [record for record in records if record.status == status]
        for status in ("fetched", "absent", "failed")
    }
    return {
        "prices": asked.prices,
        "start": asked.start.isoformat(),
        "until": until.isoformat(),
        "assets": {status: len(found) for status, found in by_status.items()},
        "requests": sum(record.attempts for record in records),
        "absent": {record.asset: record.error for record in by_status["absent"]},
        "failed": {record.asset: record.error for record in by_status["failed"]},
        "without_rows": [record.asset for record in by_status["fetched"] if record.rows == 0],
    }
