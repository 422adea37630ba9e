"""Which model is ahead of which, and by how much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from latentbeta.evaluation.ladder import ModelKey
from latentbeta.report.inputs import Record
from latentbeta.report.words import CLASSICAL, Column, is_known

CLEAR = 2.0  # standard errors


@dataclass(frozen=True)
class Difference:
    """How much model a scores above model b on a measure, and over its standard error."""

    value: float
    t: float


@dataclass(frozen=True)
class Contest:
    """The best classical model against the best network, number of factors by number of factors.

    Attributes
    ----------
    classical, networks : tuple of int
        The numbers of factors at which each side is ahead.
    clear : tuple of int
        Those of them at which the lead is beyond two standard errors.
    """

    classical: tuple[int, ...]
    networks: tuple[int, ...]
    clear: tuple[int, ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """Every number of factors at which the two met."""
        return tuple(sorted(self.classical + self.networks))


def best(metrics: list[Record], measure: str) -> Record | None:
    """Return the model with the highest value of a measure; None when none has one."""
    known = [record for record in metrics if is_known(record.get(measure))]
    return max(known, key=lambda record: record[measure], default=None)


def key_of(record: Record) -> ModelKey:
    """Return which model a record of metrics.json is about."""
    return ModelKey(record["model"], record["n_factors"])


def counterpart(metrics: list[Record], key: ModelKey, model: str) -> ModelKey | None:
    """Return another model with as many factors; if it has one number of them only, with that."""
    counts = [record["n_factors"] for record in metrics if record["model"] == model]
    if key.n_factors in counts:
        return ModelKey(model, key.n_factors)
    return ModelKey(model, counts[0]) if len(counts) == 1 else None


def difference(table: pd.DataFrame, a: ModelKey, b: ModelKey, measure: str) -> Difference | None:
    """Look up how much `a` scores above `b`.

    Returns
    -------
    Difference or None
        None when the two were not compared, or one has no such measure.
    """
    if table.empty:
        return None
    rows = table[table["measure"] == measure]
    for one, other, sign in ((a, b, 1), (b, a, -1)):
        is_one = (rows["model_a"] == one.model) & (rows["n_factors_a"] == one.n_factors)
        is_other = (rows["model_b"] == other.model) & (rows["n_factors_b"] == other.n_factors)
        for row in rows[is_one & is_other].itertuples():
            value, t = sign * float(str(row.difference)), sign * float(str(row.t))
            return Difference(value, t) if np.isfinite(value) else None
    return None


def best_value(records: list[dict[str, Any]], column: Column) -> float | None:
    """Return the best value of a measure; None when no record has one."""
    known = [r[column.measure] for r in records if is_known(r.get(column.measure))]
    pick = max if column.better == "high" else min
    return pick(known, default=None)


def factor_counts(metrics: list[Record]) -> list[int]:
    """Return the numbers of factors that occur, ascending."""
    return sorted({record["n_factors"] for record in metrics})


def contest(metrics: list[Record], differences: pd.DataFrame, measure: str) -> Contest:
    """Set the best classical model against the best network at each number of factors."""
    ahead: dict[bool, list[int]] = {True: [], False: []}
    clear = []
    for count in factor_counts(metrics):
        records = [record for record in metrics if record["n_factors"] == count]
        sides = {
            side: best([r for r in records if (r["model"] in CLASSICAL) == side], measure)
            for side in (True, False)
        }
        first, second = sides[True], sides[False]
        if first is None or second is None:
            continue
        winner, loser = (first, second) if first[measure] >= second[measure] else (second, first)
        ahead[winner is first].append(count)
        gap = difference(differences, key_of(winner), key_of(loser), measure)
        if gap is not None and gap.t > CLEAR:
            clear.append(count)
    return Contest(tuple(ahead[True]), tuple(ahead[False]), tuple(clear))
