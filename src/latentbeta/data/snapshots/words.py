"""Snapshots in words: for the log, the report and the command line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from latentbeta.data.snapshots.manifest import Changes, Snapshot
from latentbeta.data.snapshots.store import SnapshotStore

_HEAD = ("number", "made (UTC)", "kind", "rows", "assets", "first", "last", "as of", "content")


def counts_in_words(counts: Changes) -> str:
    """Return what happened to how many rows."""
    said = {
        "new": counts.new,
        "changed": counts.changed,
        "removed": counts.removed,
        "added to the past": counts.added,
    }
    some = ((count, name) for name, count in said.items() if count)
    return ", ".join(f"{n:,} {'row' if n == 1 else 'rows'} {name}" for n, name in some) or "none"


def news_in_words(snapshot: Snapshot, *, is_new: bool) -> str:
    """Return one line on what an ingest found."""
    if not is_new:
        return f"nothing new since snapshot {snapshot.number}"
    rows = counts_in_words(snapshot.changes)
    if snapshot.kind == "restated":
        see = f"`latentbeta snapshots --diff {snapshot.number}` lists them"
        return f"snapshot {snapshot.number}: the source restated its history: {rows}; {see}"
    if snapshot.kind == "replaced":
        return (
            f"snapshot {snapshot.number}: the source holds other data than snapshot"
            f" {snapshot.parent}, of whose rows fewer than half are as they were: {rows}"
        )
    return f"snapshot {snapshot.number}: {rows}, to {snapshot.last_date}"


def restated_notes(snapshots: Path, source: str) -> list[str]:
    """Return what a reader of results should know of the source's history; often nothing."""
    head = SnapshotStore(snapshots, source).head()
    if head is None or not head.restated_in:
        return []
    last = SnapshotStore(snapshots, source).known(head.restated_in[-1])
    times = len(head.restated_in)
    return [
        f"the source has restated its history {'once' if times == 1 else f'{times} times'} since"
        f" it was first read, last in snapshot {last.number}: {counts_in_words(last.changes)}"
    ]


def table_of(snapshots: Iterable[Snapshot]) -> list[str]:
    """Return a table of snapshots, one line each under a heading."""
    rows = [
        _HEAD,
        *(
            (
                f"{s.number}",
                s.fetched_at[:19].replace("T", " "),
                s.kind,
                f"{s.rows:,}",
                f"{s.assets:,}",
                s.first_date,
                s.last_date,
                s.as_of or "",
                s.content[:12],
            )
            for s in snapshots
        ),
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
