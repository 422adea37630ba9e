"""Medians of repeated runs, and what a comparison is."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

REPEATS = 3


@dataclass(frozen=True)
class Comparison:
    """Our time for a piece of work beside a peer's, each in `unit` and once per repeat.

    Attributes
    ----------
    work, peer : str
    unit : str
        What one number is, such as "s" or "ms a member and epoch".
    ours, theirs : tuple of float
    note : str
        What a reader must know to read the ratio.
    """

    work: str
    peer: str
    unit: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    note: str

    @property
    def ratio(self) -> float:
        """How many times as long the peer takes, by the medians."""
        return statistics.median(self.theirs) / statistics.median(self.ours)


def seconds(function: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def alternating(
    *functions: Callable[[], object], repeats: int = REPEATS
) -> list[tuple[float, ...]]:
    """Time functions in turn, after a warm-up of each, so that load on the machine meets all."""
    for function in functions:
        function()
    rounds = [[seconds(function) for function in functions] for _ in range(repeats)]
    return [tuple(column) for column in zip(*rounds, strict=True)]


def scaled(times: tuple[float, ...], factor: float) -> tuple[float, ...]:
    """Multiply every time by a factor, for another unit."""
    return tuple(time * factor for time in times)
