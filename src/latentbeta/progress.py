"""Progress of long work: a bar in a terminal, plain lines in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Item = TypeVar("Item")

SECONDS_BETWEEN_LINES = 10.0


def say(message: str) -> None:
    """Print one plain line at once."""
    print(message, flush=True)


def track(items: Iterable[Item], description: str, total: int | None = None) -> Iterator[Item]:
    """Yield the items while showing how many are done.

    A terminal gets a bar with the time that remains; anything else (a log, a pipe) gets a line
    at the start, at most one every ten seconds, and one at the end.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    if sys.stdout.isatty():
        yield from _bar(items, description, total)
    else:
        yield from _lines(items, description, total)


def _bar(items: Iterable[Item], description: str, total: int | None) -> Iterator[Item]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console()) as progress:
        yield from progress.track(items, total=total, description=description)


def _lines(items: Iterable[Item], description: str, total: int | None) -> Iterator[Item]:
    of = f" of {total}" if total is not None else ""
    started = last = time.monotonic()
    say(f"{description}: started{of and f', 0{of}'}")
    done = 0
    for item in items:
        yield item
        done += 1
        if time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            say(f"{description}: {done}{of}")
    say(f"{description}: done, {done}{of} in {time.monotonic() - started:.1f} s")
