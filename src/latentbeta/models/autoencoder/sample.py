"""The rows that networks are trained on, gathered chunk by chunk in the order of an epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentbeta.models.autoencoder.backend import backend

# Of one chunk, however long the panel. Several processes' chunks have to share the last cache.
CHUNK_BYTES = 2**24
LEAST_BATCHES = 8  # a chunk, for each starts a program: batches may be large
ALIGNMENT = 64  # bytes


@dataclass(frozen=True)
class Sample:
    """What networks are trained on; returns and portfolios are scaled to order one.

    Attributes
    ----------
    data : arrays by name, row by row, maybe mapped from a file. Where one is called ``date``,
        ``X`` is by date instead, and ``date`` says which of its rows belongs to each row.
    training, validation : rows of the data
    """

    data: dict[str, NDArray[Any]]
    training: NDArray[np.int64]
    validation: NDArray[np.int64]

    def sources(self) -> dict[str, tuple[NDArray[Any], NDArray[Any] | None]]:
        """Return each array that networks read, and what leads from a row to its place there."""
        date = self.data.get("date")
        return {
            name: (values, date if name == "X" else None)
            for name, values in self.data.items()
            if name != "date"
        }


class Chunk(NamedTuple):
    """Some rows as a backend's arrays: `n_rows` of them, then zeros up to a shared length."""

    arrays: dict[str, Any]
    n_rows: int


def chunks(sample: Sample, rows: NDArray[np.int64], block: int) -> Iterator[Chunk]:
    """Gather rows in their order; every chunk but the last holds as many whole blocks.

    Few rows are padded to a power of four of blocks, so that folds of an expanding sample share
    one compiled program: compiling another takes longer than many epochs' zeros. Gathering is left
    to NumPy: XLA would copy number by number.
    """
    sources = sample.sources()
    row_bytes = sum(values[:1].nbytes for values, _ in sources.values())
    most = max(LEAST_BATCHES, CHUNK_BYTES // (block * row_bytes))
    length = block * min(capacity(math.ceil(len(rows) / block)), most)
    for start in range(0, len(rows), length):
        yield _gathered(sources, rows[start : start + length], length)


def capacity(length: int) -> int:
    """Return the smallest power of four from four that is not below a length."""
    return 4 ** math.ceil(max(length - 1, 1).bit_length() / 2)


def _gathered(
    sources: dict[str, tuple[NDArray[Any], NDArray[Any] | None]],
    rows: NDArray[np.int64],
    length: int,
) -> Chunk:
    shared, arrays = backend().shared, {}
    for name, (values, lead) in sources.items():
        padded = _aligned((length, *values.shape[1:]), values.dtype)
        places = rows if lead is None else lead[rows]
        # "clip" writes in place where "raise" would fill a copy first; no row is out of range.
        np.take(values, places, axis=0, out=padded[: len(rows)], mode="clip")
        padded[len(rows) :] = 0
        arrays[name] = shared(padded)
    return Chunk(arrays, len(rows))


def _aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return an array, not filled, that begins where XLA's programs expect theirs to begin."""
    n_bytes = math.prod(shape) * dtype.itemsize
    memory = np.empty(n_bytes + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + n_bytes].view(dtype).reshape(shape)
