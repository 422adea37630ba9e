"""The files of rows that snapshots share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from latentbeta.data.snapshots.manifest import RESTORE, Part
from latentbeta.data.snapshots.rows import Rows, content_of, joined, read_rows, write_rows
from latentbeta.errors import StoreError

Held = TypeVar("Held")

_MEND = (
    f"{RESTORE}; if the source still has those rows, delete the file and ingest again; or move the"
    " source's folder away: the store begins anew"
)


@dataclass(frozen=True)
class PartFiles:
    """Files named by what they hold: written once, never changed."""

    folder: Path

    def path(self, part: Part) -> Path:
        """Return where a part lies."""
        return self.folder / part.file

    def put(self, part: Part, rows: Rows) -> None:
        """Store a part where it is not stored yet."""
        path = self.path(part)
        if not path.exists():
            write_rows(rows, path)

    def rows(self, parts: Sequence[Part]) -> Rows:
        """Read the rows of some parts.

        Raises
        ------
        StoreError
            When a file is missing, unreadable, or holds other rows than its name says.
        """
        return joined([self._read(part) for part in parts])

    def assets(self, parts: Iterable[Part]) -> set[str]:
        """Read which assets have a row in some parts.

        Raises
        ------
        StoreError
            When a file is missing or unreadable.
        """
        names: set[str] = set()
        for part in parts:
            names.update(_opened(self.path(part), _assets_in))
        return names

    def flush(self) -> None:
        """Have the names of the files on the disk too."""
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _read(self, part: Part) -> Rows:
        path = self.path(part)
        rows = _opened(path, read_rows)
        if content_of(rows) != part.content:
            raise StoreError(f"{path}: its rows do not have the hash in its name; {_MEND}")
        return rows


def _assets_in(path: Path) -> list[str]:
    held = pq.read_table(path, columns=["asset"], read_dictionary=["asset"])
    names: list[str] = held["asset"].combine_chunks().dictionary.to_pylist()
    return names


def _opened(path: Path, read: Callable[[Path], Held]) -> Held:
    try:
        return read(path)
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        what = "missing" if isinstance(error, FileNotFoundError) else "damaged"
        raise StoreError(f"{path}: a file of the store is {what}; {_MEND}") from error
