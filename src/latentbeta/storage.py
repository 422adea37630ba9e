"""Files that are either whole or absent: atomic writes, deterministic bytes, content hashes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def written_atomically(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it replaces `path` in one step.

    A reader sees the old file or the new one, never a part; a crash leaves the old one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        _flush_to_disk(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def folder_written_atomically(path: Path) -> Iterator[Path]:
    """Give an empty folder beside `path`; on success it takes the place of `path`.

    The old folder stays until the new one is complete, so a failure leaves it untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    retired = temporary.with_name(temporary.name + ".old")
    try:
        yield temporary
        temporary.chmod(0o755)
        if path.exists():
            path.replace(retired)
        temporary.replace(path)
    finally:
        if retired.exists() and not path.exists():
            retired.replace(path)
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(retired, ignore_errors=True)


def undo_killed_write(path: Path) -> None:
    """Take away what a killed `folder_written_atomically` left beside `path`.

    Killed between its two steps, it left no folder at `path`: the old one goes back there. Nobody
    else may be writing `path` meanwhile.
    """
    for leftover in sorted(path.parent.glob(f".{path.name}.*")):
        if leftover.suffix == ".old" and not path.exists():
            leftover.replace(path)
        elif leftover.is_dir():
            shutil.rmtree(leftover)


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet, atomically; the same table gives the same bytes."""
    with written_atomically(path) as temporary:
        table.to_parquet(temporary, engine="pyarrow", index=False, compression="zstd")


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV, atomically."""
    write_text(table.to_csv(index=False, lineterminator="\n"), path)


def write_json(value: Any, path: Path) -> None:
    """Write a value as indented JSON with sorted keys, atomically. NaN is refused."""
    write_text(json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n", path)


def write_text(text: str, path: Path) -> None:
    """Write text as UTF-8, atomically."""
    with written_atomically(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def content_hash(path: Path) -> str:
    """Return the SHA-256 of a file, or of the names and contents of a folder's files."""
    digest = hashlib.sha256()
    for file in [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file()):
        digest.update(str(file.relative_to(path)).encode())
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _flush_to_disk(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
