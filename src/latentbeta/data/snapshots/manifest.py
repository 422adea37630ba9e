"""What a snapshot consists of, as its small JSON file says."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from latentbeta.errors import StoreError
from latentbeta.storage import read_json, write_json

Kind = Literal["first", "appended", "restated", "replaced"]
_NAME = re.compile(r"(\d{6})\.json")


@dataclass(frozen=True)
class Part:
    """One file of rows: those of a month that is over, or of a day of the last month.

    Attributes
    ----------
    period : str
        YYYY-MM or YYYY-MM-DD.
    content : str
        SHA-256 of its rows.
    rows : int
    """

    period: str
    content: str
    rows: int

    @property
    def file(self) -> str:
        """Name of the file; the same rows have the same name."""
        return f"{self.period}-{self.content[:16]}.parquet"

    @property
    def month(self) -> str:
        """The month that it lies in, YYYY-MM."""
        return self.period[:7]


@dataclass(frozen=True)
class Changes:
    """How many rows differ from those of the parent.

    Attributes
    ----------
    new : int
        Rows after the last day that was known.
    changed, removed, added : int
        Rows up to that day: with another value, no longer there, not there before.
    """

    new: int = 0
    changed: int = 0
    removed: int = 0
    added: int = 0

    @property
    def restate(self) -> bool:
        """Whether the known history is another one."""
        return bool(self.changed or self.removed or self.added)

    def __add__(self, other: Changes) -> Changes:
        pairs = zip(asdict(self).values(), asdict(other).values(), strict=True)
        return Changes(*(mine + theirs for mine, theirs in pairs))


@dataclass(frozen=True)
class Snapshot:
    """All price rows of a source as they were known at a moment.

    Attributes
    ----------
    number : int
        From 1, in the order in which they were made.
    parent : int or None
    kind : str
        first; appended: later days came, nothing else; restated: known history changed;
        replaced: fewer than half of the rows known before are as they were.
    source : str
        Path of the source, as in the settings.
    as_of : str or None
        The last date that was read then, YYYY-MM-DD; None: all there was.
    fetched_at : str
        When it was made, UTC. The only thing here that is not made of the rows.
    rows, assets : int
    first_date, last_date : str
    content : str
        SHA-256 over the parts' periods, contents and rows.
    changes : Changes
        Against the parent.
    restated_in : tuple of int
        Numbers of the snapshots since `first` or `replaced`, this one among them, that changed
        known history.
    parts : tuple of Part
        By period.
    """

    number: int
    parent: int | None
    kind: Kind
    source: str
    as_of: str | None
    fetched_at: str
    rows: int
    assets: int
    first_date: str
    last_date: str
    content: str
    changes: Changes
    restated_in: tuple[int, ...]
    parts: tuple[Part, ...]

    @property
    def last_day(self) -> dt.date:
        """The last date of its rows."""
        return dt.date.fromisoformat(self.last_date)


def content_of_parts(parts: tuple[Part, ...]) -> str:
    """SHA-256 that stands for all the rows of the parts."""
    lines = "".join(f"{part.period} {part.content} {part.rows}\n" for part in parts)
    return hashlib.sha256(lines.encode()).hexdigest()


def numbers_in(folder: Path) -> list[int]:
    """Numbers of the snapshots whose manifests lie in a folder, ascending."""
    if not folder.is_dir():
        return []
    matches = (_NAME.fullmatch(file.name) for file in folder.iterdir())
    return sorted(int(match[1]) for match in matches if match)


def manifest_path(folder: Path, number: int) -> Path:
    """Where a snapshot's manifest lies."""
    return folder / f"{number:06d}.json"


def write_manifest(snapshot: Snapshot, folder: Path) -> None:
    """Write a snapshot's manifest, atomically: with it the snapshot exists."""
    document = asdict(snapshot)
    # One line a part: a reader, and a comparison of two manifests, see what differs.
    document["parts"] = [f"{p.period} {p.content} {p.rows}" for p in snapshot.parts]
    write_json(document, manifest_path(folder, snapshot.number))


def read_manifest(folder: Path, number: int) -> Snapshot:
    """Read a snapshot's manifest.

    Raises
    ------
    StoreError
        When it is not there, or is not what `write_manifest` wrote.
    """
    path = manifest_path(folder, number)
    try:
        document = read_json(path)
        parts = tuple(_part(line) for line in document["parts"])
        changes = Changes(**document["changes"])
        given: dict[str, Any] = {"parts": parts, "changes": changes}
        given["restated_in"] = tuple(document["restated_in"])
        snapshot = Snapshot(**(document | given))
    except FileNotFoundError as error:
        raise StoreError(f"{path}: there is no such snapshot; `latentbeta snapshots`") from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StoreError(f"{path}: not a manifest of a snapshot ({error}); {RESTORE}") from error
    if content_of_parts(snapshot.parts) != snapshot.content:
        raise StoreError(f"{path}: its list of parts does not have its content hash; {RESTORE}")
    return snapshot


RESTORE = "get the file back with `dvc checkout data/snapshots` or from a copy"


def _part(line: str) -> Part:
    period, content, rows = line.split()
    return Part(period, content, int(rows))
