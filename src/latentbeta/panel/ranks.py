"""The panel's ranks as one array on disk that is mapped into memory, not read into it.

`ranks.npy` holds the characteristics of `panel.parquet`, (n, P) float32 in C order with the rows of
a date next to each other, so a slice by date is one contiguous piece of the file. Parquet is the
table that others read; this file is how a panel larger than memory is trained on.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentbeta.errors import DataError
from latentbeta.storage import read_json, written_atomically

RANKS_FILE = "ranks.npy"
IDENTITY = "ranks"  # the key in summary.json

_PIECE = 64 * 1024  # bytes
_PIECES = 64
_ROWS_AT_ONCE = 2**16


def write_ranks(Z: NDArray[np.float32], path: Path) -> None:
    """Write (n, P) ranks as a NumPy file, some rows at a time."""
    with written_atomically(path) as temporary, temporary.open("wb") as stream:
        header = {"descr": "<f4", "fortran_order": False, "shape": Z.shape}
        np.lib.format.write_array_header_1_0(stream, header)
        for start in range(0, len(Z), _ROWS_AT_ONCE):
            stream.write(np.ascontiguousarray(Z[start : start + _ROWS_AT_ONCE], "<f4").data)


def identity(table: Path, ranks: Path) -> dict[str, str]:
    """Return what ties a file of ranks to its table; summary.json records it."""
    return {table.name: fingerprint(table), ranks.name: fingerprint(ranks)}


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of a file's size, ends, and pieces between them.

    It reads 4 MiB of a file of any size. Another panel's file differs in nearly every piece; a
    single changed byte in a large file may escape, which `content_hash` is for.
    """
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as stream:
        for start in np.unique(np.linspace(0, max(size - _PIECE, 0), _PIECES).astype(np.int64)):
            stream.seek(int(start))
            digest.update(stream.read(_PIECE))
    return digest.hexdigest()


def map_ranks(table: Path, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Map the ranks beside a panel's table into memory, read-only.

    Parameters
    ----------
    table : Path
        The panel's Parquet file.
    shape : (n, P)
        What it holds.

    Raises
    ------
    DataError
        When the file is no such array, or summary.json does not say that it is this table's.
    """
    path, summary = table.with_name(RANKS_FILE), table.with_name("summary.json")
    remedy = f"delete {path.name} to read the ranks from {table.name}, or run the stage again"
    try:
        Z = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise DataError(f"{path}: not a whole NumPy array ({error}); {remedy}") from error
    if Z.shape != shape or Z.dtype != np.float32 or not Z.flags.c_contiguous:
        raise DataError(
            f"{path}: {Z.dtype} values of shape {Z.shape}, but {table.name} has {shape[0]:,} rows"
            f" and {shape[1]} characteristics; {remedy}"
        )
    recorded = read_json(summary).get(IDENTITY) if summary.is_file() else None
    if recorded != identity(table, path):
        raise DataError(
            f"{path}: does not belong to {table.name}: one of them is not the file that"
            f" {summary.name} was written with; {remedy}"
        )
    return Z
