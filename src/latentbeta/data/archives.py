"""Tables inside zip files: a member is named by a path that goes on below the archive's."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path

from latentbeta.errors import DataError

SUFFIX = ".zip"
_UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError)


def is_archive(path: Path) -> bool:
    """Whether the name is that of a zip file."""
    return path.name.lower().endswith(SUFFIX) and not path.name.startswith(".")


def members(archive: Path) -> tuple[Path, ...]:
    """Return the files in a zip, sorted, each as ``archive.zip/folder/name``.

    What archives hold beside the data (folders, names that begin with a dot or an underscore) is
    left out.

    Raises
    ------
    DataError
        When the archive cannot be read, or names a file from the root of a disk.
    """
    inside = [Path(name) for name in _opened(archive).namelist() if not name.endswith("/")]
    if outside := next((path for path in inside if path.is_absolute()), None):
        raise DataError(f"{archive}: holds {outside}, a path from the root; pack the files anew")
    shown = (path for path in inside if not any(part[0] in "._" for part in path.parts))
    return tuple(archive / path for path in sorted(shown))


def readable(path: Path) -> Path | io.BytesIO:
    """Return what a reader can be given: the path itself, or the bytes of a zip's member.

    Raises
    ------
    DataError
        When the member cannot be read.
    """
    archive = next((parent for parent in path.parents if is_archive(parent)), None)
    if archive is None or archive.is_dir():
        return path
    zipped = _opened(archive)
    try:
        content = zipped.read(path.relative_to(archive).as_posix())
        packed = path.name.lower().endswith(".gz")
        return io.BytesIO(gzip.decompress(content) if packed else content)
    except _UNREADABLE as error:
        raise _damaged(path, error) from error


def first_line(path: Path, source: Path | io.BytesIO) -> bytes:
    """Return the first line of a text file that `readable` gave."""
    if isinstance(source, io.BytesIO):
        line = source.readline()
        source.seek(0)
        return line
    opened = gzip.open if path.name.lower().endswith(".gz") else open
    with opened(source, "rb") as stream:
        return bytes(stream.readline())


def _opened(archive: Path) -> zipfile.ZipFile:
    try:
        about = archive.stat()
        return _zip_file(archive, about.st_mtime_ns, about.st_size)
    except _UNREADABLE as error:
        raise _damaged(archive, error) from error


@lru_cache(maxsize=2)  # the list of members is read once, not once a member
def _zip_file(archive: Path, _changed: int, _size: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(archive)


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path}: cannot be read ({type(error).__name__}: {error}); it must be a whole zip of CSV"
        " or Parquet files, without a password"
    )
