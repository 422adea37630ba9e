"""Medians of repeated runs, and the two kinds of row that the table of benchmarks has.

A benchmark is a module of this folder with a public function without arguments that
`benchmarks.run` knows by name. ``compare_*()`` returns a list of `Comparison`: our time beside a
peer's in the same run. ``measure_*()`` returns a list of `Measured`: one number beside what it has
to reach, such as seconds or peak GB. Either carries its floor and its goal, if it has them, and a
note that a reader needs; `standing` says which is reached.
"""

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
    floor, goal : float or None
        Ratios that are to be reached; None where nothing was asked.
    """

    work: str
    peer: str
    unit: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    note: str
    floor: float | None = None
    goal: float | None = None

    @property
    def ratio(self) -> float:
        """How many times as long the peer takes, by the medians."""
        return statistics.median(self.theirs) / statistics.median(self.ours)

    @property
    def standing(self) -> str:
        """Goal, floor or short."""
        return standing(self.ratio, self.floor, self.goal)


@dataclass(frozen=True)
class Measured:
    """One number beside what it has to reach.

    Attributes
    ----------
    work : str
    unit : str
        What the number is, such as "s", "peak GB" or "% of the matrix rate".
    value : float
    floor, goal : float or None
        A goal below the floor means that less is better: seconds, memory. None where nothing was
        asked.
    note : str
        What a reader must know to read the number.
    """

    work: str
    unit: str
    value: float
    floor: float | None
    goal: float | None
    note: str

    @property
    def standing(self) -> str:
        """Goal, floor or short."""
        return standing(self.value, self.floor, self.goal)


Row = Comparison | Measured


def standing(value: float, floor: float | None, goal: float | None) -> str:
    """Say whether a number reaches the goal, the floor alone, or falls short of both.

    Less is better where the goal lies below the floor. Empty where nothing was asked.
    """
    if floor is None or goal is None:
        return ""
    sign = 1 if goal >= floor else -1
    if sign * value >= sign * goal:
        return "goal"
    return "floor" if sign * value >= sign * floor else "short"


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
