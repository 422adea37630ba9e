"""What `latentbeta snapshots` prints and writes."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from latentbeta.data.snapshots.manifest import Snapshot
from latentbeta.data.snapshots.store import SnapshotStore
from latentbeta.data.snapshots.words import counts_in_words, table_of
from latentbeta.errors import SettingsError, StoreError
from latentbeta.storage import write_parquet

MOST_LINES = 100  # of changes on a screen


def store_in(root: Path, source: Path, kind: str) -> SnapshotStore:
    """Return the store of a source of daily prices, or of a panel (which has none).

    Raises
    ------
    StoreError
        When nothing of the source has been kept.
    """
    store = SnapshotStore(root, source.as_posix())
    if kind == "panel":
        raise StoreError(f"{source}: a panel of your own has no snapshots, daily prices have")
    if store.head() is None:
        raise StoreError(f"no snapshot of {source} yet: `latentbeta ingest` makes the first")
    return store


def listing(store: SnapshotStore) -> str:
    """Return all snapshots, one line each."""
    return "\n".join([f"{store.source}, in {store.folder}", *table_of(store.snapshots())])


def list_as_json(store: SnapshotStore) -> str:
    """Return all snapshots as JSON: the manifests without their parts."""
    found = [_document(snapshot) for snapshot in store.snapshots()]
    return json.dumps({"source": store.source, "snapshots": found}, indent=2)


def changes(store: SnapshotStore, number: int) -> str:
    """Return what a snapshot changed in history known before: counts, and the first lines."""
    snapshot, table = store.known(number), store.changes(number)
    head = f"snapshot {number}, {snapshot.kind}: {counts_in_words(snapshot.changes)}"
    if table.empty:
        return head
    shown = table.head(MOST_LINES).assign(date=table["date"].dt.strftime("%Y-%m-%d"))
    rest = f"\n… and {len(table) - MOST_LINES:,} more" if len(table) > MOST_LINES else ""
    return f"{head}\n{shown.to_string(index=False, na_rep='')}{rest}"


def changes_as_json(store: SnapshotStore, number: int) -> str:
    """Return all that a snapshot changed in history known before, as JSON."""
    table = store.changes(number)
    lines = json.loads(table.to_json(orient="records", date_format="iso", double_precision=15))
    return json.dumps(_document(store.known(number)) | {"lines": lines}, indent=2)


def written(store: SnapshotStore, path: Path, *, known_at: str | None, as_of: str | None) -> str:
    """Write the rows that were known at a snapshot, and say which.

    Raises
    ------
    SettingsError
        When a date is none.
    StoreError, DataError
        As `SnapshotStore.read`.
    """
    moment = int(known_at) if known_at and known_at.isdecimal() else _date(known_at)
    rows = store.read(_date(as_of), moment)
    write_parquet(rows.astype({"asset": "str"}), path)
    return f"{path}: {len(rows):,} rows of snapshot {store.known(moment).number}"


def _document(snapshot: Snapshot) -> dict[str, Any]:
    return {name: value for name, value in asdict(snapshot).items() if name != "parts"}


def _date(text: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError as error:
        raise SettingsError(f"{text}: not a date; write it as 2024-01-31") from error
