"""Progress of long work: a bar in a terminal, plain lines in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Item = TypeVar("Item")
Advance = Callable[..., None]  # of how many pieces, one if not said

SECONDS_BETWEEN_LINES = 10.0


def say(message: str) -> None:
    """Print one plain line at once."""
    print(message, flush=True)


def track(items: Iterable[Item], description: str, total: int | None = None) -> Iterator[Item]:
    """Yield the items while showing how many are done; see `counting`."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with counting(description, total) as advance:
        for item in items:
            yield item
            advance()


@contextmanager
def counting(description: str, total: int | None) -> Iterator[Advance]:
    """Give a function to call once a piece of work, or several, are done; show how many are.

    A terminal gets a bar with the time that remains; anything else (a log, a pipe) gets a line
    at the start, at most one every ten seconds, and one at the end.
    """
    shown = _bar if sys.stdout.isatty() else _lines
    with shown(description, total) as advance:
        yield advance


@contextmanager
def _bar(description: str, total: int | None) -> Iterator[Advance]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console()) as progress:
        task = progress.add_task(description, total=total)
        yield lambda pieces=1: progress.advance(task, pieces)


@contextmanager
def _lines(description: str, total: int | None) -> Iterator[Advance]:
    of = f" of {total}" if total is not None else ""
    started = last = time.monotonic()
    done = 0

    def advance(pieces: int = 1) -> None:
        nonlocal done, last
        done += pieces
        if time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            say(f"{description}: {done}{of}")

    say(f"{description}: started{of and f', 0{of}'}")
    yield advance
    say(f"{description}: done, {done}{of} in {time.monotonic() - started:.1f} s")
