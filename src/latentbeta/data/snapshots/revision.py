"""How rows that a source has just given change what is known: month by month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.data.snapshots.changes import Difference, difference
from latentbeta.data.snapshots.manifest import Changes, Part, Snapshot
from latentbeta.data.snapshots.rows import Rows, content_of, joined, no_rows

LONGEST_LIST = 10_000  # lines of changes kept for people; all of them can be worked out again

Read = Callable[[Sequence[Part]], Rows]
Put = Callable[[Part, Rows], None]


@dataclass(frozen=True)
class Span:
    """The days that the rows speak about, both ends included; None: without end."""

    since: dt.date | None
    until: dt.date | None

    def holds(self, days: NDArray[np.datetime64]) -> NDArray[np.bool_]:
        """(n,) whether each day lies in it."""
        early = days < np.datetime64(self.since) if self.since else np.zeros(len(days), bool)
        late = days > np.datetime64(self.until) if self.until else np.zeros(len(days), bool)
        return ~(early | late)

    def covers(self, first: str, last: str) -> bool:
        """Whether it holds all days from one to another, YYYY-MM-DD."""
        return not (self.since and first < str(self.since)) and not (
            self.until and last > str(self.until)
        )

    def meets(self, month: str) -> bool:
        """Whether it holds a day of a month, YYYY-MM."""
        return not (self.since and month < str(self.since)[:7]) and not (
            self.until and month > str(self.until)[:7]
        )


@dataclass
class Revision:
    """The parts of the new state, and how it differs from the old one.

    Attributes
    ----------
    parts : list of Part
    changes : Changes
    listed : list of DataFrame
        The first LONGEST_LIST changes, or a few more, as `Difference.table` gives them.
    seen : set of str
        Assets of the old rows that were read.
    """

    parts: list[Part] = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)
    listed: list[pd.DataFrame] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def note(self, found: Difference, last: np.datetime64) -> None:
        """Take the changes of one month in."""
        counts = found.counts(last)
        self.changes += counts
        self.seen.update(found.before.names)
        if counts.restate and sum(map(len, self.listed)) < LONGEST_LIST:
            self.listed.append(found.table(last))


def revise(head: Snapshot | None, rows: Rows, span: Span, *, read: Read, put: Put) -> Revision:
    """Work out the state of the store after `rows`, which are all there is of the days in `span`.

    A month whose rows all lie in the span and have the hash that the head knows is not read.

    Parameters
    ----------
    head : Snapshot or None
    rows : Rows
        At least one.
    span : Span
    read : function
        Gives the rows of parts of the head.
    put : function
        Is given each part that `rows` have to do with, to store it where it is not stored yet.
    """
    known = parts_by_month(head.parts if head else ())
    last = last_day(head, rows, span)
    mine = dict(by_month(rows))
    touched = set(mine) | {month for month in known if span.meets(month)} | {last[:7]}
    if head:
        touched.add(head.last_date[:7])  # of the last month there is a part a day
    revision = Revision()
    last_known = np.datetime64(head.last_date if head else "0001-01-01")  # all are new
    for month in sorted({*known, *touched}):
        old = known.get(month, [])
        if month not in touched:
            revision.parts += old
            continue
        before, after = _states(month, old, mine.get(month, no_rows()), span, read)
        cut = list(cut_up(after, by_day=month == last[:7]))
        revision.parts += [part for part, _ in cut]
        for part, held in cut:
            put(part, held)
        if [part for part, _ in cut] != old:
            before = read(old) if before is None else before
            revision.note(difference(before, after), last_known)
    return revision


def _states(
    month: str, old: list[Part], given: Rows, span: Span, read: Read
) -> tuple[Rows | None, Rows]:
    """Return a month's rows before, None where they need not be read, and after."""
    if span.covers(f"{month}-01", f"{month}-31"):
        return None, given
    before = read(old)
    return before, joined([given, before.take(~span.holds(before.days))])


def last_day(head: Snapshot | None, rows: Rows, span: Span) -> str:
    """Return the last day of the new state, YYYY-MM-DD."""
    mine = str(rows.days.max())[:10]
    # What lies in the span and is not in the rows is gone; what lies after it stays.
    stays = head is not None and span.until is not None and head.last_date > str(span.until)
    return max(head.last_date, mine) if head is not None and stays else mine


def parts_by_month(parts: Sequence[Part]) -> dict[str, list[Part]]:
    """Group parts by their month."""
    months: dict[str, list[Part]] = {}
    for part in parts:
        months.setdefault(part.month, []).append(part)
    return months


def by_month(rows: Rows) -> Iterator[tuple[str, Rows]]:
    """Yield each month that has rows, with them."""
    yield from _grouped(rows, rows.days.astype("datetime64[M]"))


def cut_up(rows: Rows, *, by_day: bool) -> Iterator[tuple[Part, Rows]]:
    """Yield the parts that hold the rows of one month."""
    unit = "datetime64[D]" if by_day else "datetime64[M]"
    for period, held in _grouped(rows, rows.days.astype(unit)):
        yield Part(period, content_of(held), len(held)), held


def _grouped(rows: Rows, period: NDArray[np.datetime64]) -> Iterator[tuple[str, Rows]]:
    if len(rows) == 0:
        return
    order = np.argsort(period, kind="stable")
    starts = np.flatnonzero(np.append(True, period[order][1:] != period[order][:-1]))
    for start, end in zip(starts, np.append(starts[1:], len(order)), strict=True):
        yield str(period[order[start]]), rows.take(order[start:end])
