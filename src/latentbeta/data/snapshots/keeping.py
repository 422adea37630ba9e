"""Ingest with memory: what the source says now is kept beside what it said before."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentbeta.config import DataSettings
from latentbeta.data.snapshots.manifest import Snapshot
from latentbeta.data.snapshots.store import SnapshotStore
from latentbeta.data.store import derived, read_source, write_prices
from latentbeta.storage import undo_killed_write


@dataclass(frozen=True)
class Ingested:
    """What an ingest left.

    Attributes
    ----------
    summary : dict
        As in summary.json.
    snapshot : Snapshot
        The newest of the source.
    is_new : bool
        Whether this ingest made it.
    """

    summary: dict[str, Any]
    snapshot: Snapshot
    is_new: bool


def ingest_and_keep(
    settings: DataSettings, out: Path, snapshots: Path, *, today: dt.date, now: dt.datetime
) -> Ingested:
    """Ingest as `latentbeta.data.store.ingest`, and commit the raw rows to the source's store.

    Rows are committed once all of data/prices/ could be made of them, and `out` is replaced after
    that: killed in between, the next ingest finds nothing new and makes the same `out`. No byte of
    `out` depends on what the store held before.

    Parameters
    ----------
    settings : DataSettings
    out : Path
        Replaced as by `latentbeta.data.store.ingest`.
    snapshots : Path
        Folder of all sources' stores.
    today : date
        A price dated after it is an error, unless `settings.as_of` says what is read.
    now : datetime
        With its zone.

    Raises
    ------
    DataError
        As `latentbeta.data.store.ingest`.
    StoreError
        As `SnapshotStore.commit`.
    """
    store = SnapshotStore(snapshots, settings.path.as_posix())
    with store.writing():
        undo_killed_write(out)
        files, raw = read_source(settings, today)
        made = derived(settings, files, raw)
        snapshot, is_new = store.commit(raw, until=settings.as_of, fetched_at=now)
        return Ingested(write_prices(made, out), snapshot, is_new)
