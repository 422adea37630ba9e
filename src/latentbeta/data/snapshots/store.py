"""An append-only store of the raw rows of one source, as they were known at each ingest."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import filelock
import numpy as np
import pandas as pd

from latentbeta.data.snapshots.changes import COLUMNS, difference
from latentbeta.data.snapshots.manifest import (
    Kind,
    Snapshot,
    content_of_parts,
    numbers_in,
    read_manifest,
    write_manifest,
)
from latentbeta.data.snapshots.parts import PartFiles
from latentbeta.data.snapshots.revision import (
    LONGEST_LIST,
    Revision,
    Span,
    last_day,
    parts_by_month,
    revise,
)
from latentbeta.data.snapshots.rows import Rows, frame_of, rows_of
from latentbeta.errors import DataError, StoreError
from latentbeta.storage import write_csv

_UNFINISHED = ("*/.*.parquet.*", "*/.*.csv.*", ".*.json.*")


@dataclass(frozen=True)
class SnapshotStore:
    """The snapshots of one source.

    Below `folder`: a manifest a snapshot (000001.json, …), their rows in parts/, of which a part
    that did not change belongs to many, and in changes/ what each `restated` one changed. No file
    is changed or deleted once it is there.

    Attributes
    ----------
    root : Path
        Folder of all sources' stores.
    source : str
        Path of the source, as in the settings.
    """

    root: Path
    source: str

    @property
    def folder(self) -> Path:
        """Where this source's snapshots lie: its name, and eight digits of its path's hash."""
        stem = re.sub(r"[^A-Za-z0-9_.]+", "-", Path(self.source).name).strip("-.") or "source"
        return self.root / f"{stem}-{hashlib.sha256(self.source.encode()).hexdigest()[:8]}"

    @property
    def _parts(self) -> PartFiles:
        return PartFiles(self.folder / "parts")

    def snapshots(self) -> list[Snapshot]:
        """Return all of them, oldest first."""
        return [read_manifest(self.folder, number) for number in numbers_in(self.folder)]

    def head(self) -> Snapshot | None:
        """Return the newest one, None where there is none."""
        numbers = numbers_in(self.folder)
        return read_manifest(self.folder, numbers[-1]) if numbers else None

    def known(self, at: int | dt.date | None = None) -> Snapshot:
        """Return the snapshot of a number, the newest up to the end of a day (UTC), or the head.

        Raises
        ------
        StoreError
            When there is none.
        """
        if isinstance(at, int):
            return read_manifest(self.folder, at)
        made = self.snapshots() if at else [found for found in [self.head()] if found]
        early = [s for s in made if at is None or s.fetched_at[:10] <= str(at)]
        if not early:
            when = f" made up to {at}" if at else ""
            raise StoreError(f"{self.folder}: there is no snapshot of {self.source}{when}")
        return early[-1]

    def read(
        self, as_of: dt.date | None = None, known_at: int | dt.date | None = None
    ) -> pd.DataFrame:
        """Read the rows dated up to `as_of`, as they were known at a snapshot.

        Parameters
        ----------
        as_of : date or None
            None: all.
        known_at : int, date or None
            See `known`.

        Returns
        -------
        DataFrame sorted by asset, then date
            As `latentbeta.data.files.read_prices` returns it.

        Raises
        ------
        StoreError
            When there is no such snapshot, or a file of it is missing or damaged.
        DataError
            When no row is dated up to `as_of`.
        """
        snapshot = self.known(known_at)
        if as_of is None:
            return frame_of(self._parts.rows(snapshot.parts))
        parts = [part for part in snapshot.parts if part.period <= str(as_of)[: len(part.period)]]
        rows = self._parts.rows(parts)
        rows = rows.take(rows.days <= np.datetime64(as_of))
        if len(rows) == 0:
            raise DataError(f"{self.source}: no price is dated {as_of} or before")
        return frame_of(rows)

    def commit(
        self,
        prices: pd.DataFrame,
        *,
        since: dt.date | None = None,
        until: dt.date | None = None,
        fetched_at: dt.datetime,
    ) -> tuple[Snapshot, bool]:
        """Take in all that the source says of the days from `since` to `until`.

        Of other days it says nothing: what is known of them stays. So the whole history of a
        source has no `since`, and a delivery of one day is both.

        Parameters
        ----------
        prices : DataFrame
            As `latentbeta.data.files.read_prices` returns it; no row lies outside those days.
        since, until : date or None
            Both included; None: without end.
        fetched_at : datetime
            With its zone.

        Returns
        -------
        Snapshot
            The head.
        bool
            Whether it is new. Where the rows say nothing new, nothing is written.

        Raises
        ------
        StoreError
            When another process is writing, or a file that is needed is missing or damaged.
        DataError
            When there is no row, one outside the days, or an asset has two rows on a day.
        """
        rows, span = rows_of(prices), Span(since, until)
        if len(rows) == 0 or not span.holds(rows.days).all():
            raise DataError(f"{self.source}: a snapshot takes rows from {since} to {until} alone")
        with self.writing():
            head = self.head()
            self._clear_leftovers(after=head.number if head else 0)
            revision = revise(head, rows, span, read=self._parts.rows, put=self._parts.put)
            if head is not None and tuple(revision.parts) == head.parts:
                return head, False
            snapshot = self._snapshot(head, rows, span, revision, fetched_at)
            if snapshot.kind == "restated":
                listed = pd.concat(revision.listed, ignore_index=True).head(LONGEST_LIST)
                write_csv(_dated(listed), self.changes_file(snapshot.number))
            self._parts.flush()
            write_manifest(snapshot, self.folder)
        return snapshot, True

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keep other processes from writing to any source's store; held already, it is held on.

        Raises
        ------
        StoreError
            When another process does.
        """
        # Beside the folder, which DVC keeps versions of. The system frees it when its holder dies.
        path = self.root.parent / f".{self.root.name}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with filelock.FileLock(path, timeout=0, is_singleton=True):
                yield
        except filelock.Timeout as error:
            raise StoreError(f"{self.root}: another process is writing; let it end") from error

    def changes(self, number: int) -> pd.DataFrame:
        """Every difference between the history known at a snapshot and at the one before.

        Returns
        -------
        DataFrame sorted by date, then asset
            what (changed, removed, added), date, asset, column, before, after; days after the
            last one known before are not in it. Empty for a first snapshot.

        Raises
        ------
        StoreError
            As `read`.
        """
        snapshot = self.known(number)
        before = self.known(snapshot.parent).parts if snapshot.parent else snapshot.parts
        old, new = parts_by_month(before), parts_by_month(snapshot.parts)
        months = sorted(m for m in {*old, *new} if old.get(m) != new.get(m))
        last = np.datetime64(self.known(snapshot.parent or number).last_date)
        tables = [
            difference(
                self._parts.rows(old.get(month, ())), self._parts.rows(new.get(month, ()))
            ).table(last)
            for month in months
        ]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)

    def changes_file(self, number: int) -> Path:
        """Where the first LONGEST_LIST lines of a restated snapshot's changes lie."""
        return self.folder / "changes" / f"{number:06d}.csv"

    def _snapshot(
        self,
        head: Snapshot | None,
        rows: Rows,
        span: Span,
        revision: Revision,
        fetched_at: dt.datetime,
    ) -> Snapshot:
        parts, number = tuple(revision.parts), head.number + 1 if head else 1
        kind = _kind(head, revision)
        before = head.restated_in if head and kind in ("appended", "restated") else ()
        return Snapshot(
            number=number,
            parent=head.number if head else None,
            kind=kind,
            source=self.source,
            as_of=str(span.until) if span.until else None,
            fetched_at=fetched_at.astimezone(dt.UTC).isoformat(timespec="seconds"),
            rows=sum(part.rows for part in parts),
            assets=self._count_assets(head, rows, span, revision),
            first_date=str(self._parts.rows(parts[:1]).days.min())[:10],
            last_date=last_day(head, rows, span),
            content=content_of_parts(parts),
            changes=revision.changes,
            restated_in=(*before, number) if kind == "restated" else before,
            parts=parts,
        )

    def _count_assets(
        self, head: Snapshot | None, rows: Rows, span: Span, revision: Revision
    ) -> int:
        if head is None or span.covers(head.first_date, head.last_date):
            return len(rows.names)
        if not revision.changes.removed and revision.seen.issuperset(rows.names):
            return head.assets
        return len(self._parts.assets(revision.parts))

    def _clear_leftovers(self, *, after: int) -> None:
        """Delete what a killed writer left of a snapshot that was to follow `after`.

        Its finished parts stay: they are named by what they hold, and found when it comes to them.
        """
        for pattern in _UNFINISHED:
            for file in self.folder.glob(pattern):
                file.unlink()
        self.changes_file(after + 1).unlink(missing_ok=True)


def _kind(head: Snapshot | None, revision: Revision) -> Kind:
    if head is None:
        return "first"
    if not revision.changes.restate:
        return "appended"
    same = head.rows - revision.changes.changed - revision.changes.removed
    return "restated" if 2 * same >= head.rows else "replaced"


def _dated(changes: pd.DataFrame) -> pd.DataFrame:
    return changes.assign(date=changes["date"].dt.strftime("%Y-%m-%d"))
