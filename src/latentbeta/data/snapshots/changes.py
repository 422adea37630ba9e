"""What differs between two states of the same days, row by row and cell by cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.data.snapshots.manifest import Changes
from latentbeta.data.snapshots.rows import VALUES, Rows

COLUMNS = ("what", "date", "asset", "column", "before", "after")


@dataclass(frozen=True, eq=False)
class Difference:
    """Places of the rows that differ.

    Attributes
    ----------
    before, after : Rows
    removed, added : (r,), (a,) int
        Rows of `before` that `after` lacks; rows of `after` that `before` lacks.
    changed : (c, 2) int
        Places in `before` and in `after` of the rows with another value.
    cells : (c, V) bool
        Which of VALUES differ in each.
    """

    before: Rows
    after: Rows
    removed: NDArray[np.int64]
    added: NDArray[np.int64]
    changed: NDArray[np.int64]
    cells: NDArray[np.bool_]

    def counts(self, last: np.datetime64) -> Changes:
        """Count the rows; `last` is the last day that was known."""
        new = int((self.after.days[self.added] > last).sum())
        return Changes(new, len(self.changed), len(self.removed), len(self.added) - new)

    def table(self, last: np.datetime64) -> pd.DataFrame:
        """Return what changed up to `last`: one row a cell, or a row that came or went.

        Returns
        -------
        DataFrame sorted by date, then asset
            what (changed, removed, added), date, asset, column, before, after; the last three
            are empty where a whole row came or went, a value is NaN where the cell is empty.
        """
        row, cell = np.nonzero(self.cells)
        old, new = self.changed[row].T
        added = self.added[self.after.days[self.added] <= last]
        parts = [
            _lines("removed", self.before, self.removed),
            _lines("added", self.after, added),
            _lines("changed", self.after, new).assign(
                column=np.array(VALUES, dtype=object)[cell],
                before=_values(self.before)[cell, old],
                after=_values(self.after)[cell, new],
            ),
        ]
        table = pd.concat(parts, ignore_index=True).astype({"column": "str"})
        return table.sort_values(["date", "asset"], kind="stable", ignore_index=True)


def difference(before: Rows, after: Rows) -> Difference:
    """Compare two states of the same days."""
    names = np.unique(np.concatenate([before.names, after.names]))
    _, old, new = np.intersect1d(
        _keys(before, names), _keys(after, names), assume_unique=True, return_indices=True
    )
    cells = np.empty((len(old), len(VALUES)), bool)
    for column, (one, other) in enumerate(zip(before.values, after.values, strict=True)):
        # Bits, not values: an empty cell equals an empty cell.
        cells[:, column] = one[old].view(np.int64) != other[new].view(np.int64)
    differ = cells.any(axis=1)
    return Difference(
        before,
        after,
        removed=np.setdiff1d(np.arange(len(before)), old, assume_unique=True),
        added=np.setdiff1d(np.arange(len(after)), new, assume_unique=True),
        changed=np.column_stack([old[differ], new[differ]]),
        cells=cells[differ],
    )


def _keys(rows: Rows, names: NDArray[np.object_]) -> NDArray[np.int64]:
    """One number for each asset and day."""
    days = rows.days.astype("datetime64[D]").astype(np.int64)
    return np.searchsorted(names, rows.names)[rows.codes] * np.int64(10_000_000) + days


def _lines(what: str, rows: Rows, places: NDArray[np.int64]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "what": what,
            "date": rows.days[places],
            "asset": rows.names[rows.codes[places]].astype(object),
            "column": "",
            "before": np.nan,
            "after": np.nan,
        },
        columns=list(COLUMNS),
    ).astype({"what": "str", "asset": "str", "before": "float64", "after": "float64"})


def _values(rows: Rows) -> NDArray[np.float64]:
    return np.stack(rows.values)
