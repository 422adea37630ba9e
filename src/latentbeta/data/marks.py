"""What a mark is: a rule, the rows it is set on, and what the rule looked at there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentbeta.data.contradictions import Mask, Vector

Rows = NDArray[np.int64]
Marks = tuple[str, Rows, Vector, NDArray[np.object_] | str]  # rule, rows, values, detail


def marked(rule: str, where: Mask, values: Vector, detail: str) -> Marks:
    """Mark the rows where a condition holds, all with the same detail."""
    rows = np.flatnonzero(where)
    return rule, rows, values[rows], detail
