"""From the scores of repetitions to means with Monte Carlo standard errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from latentbeta.monte_carlo.design import Case
from latentbeta.monte_carlo.published import published
from latentbeta.monte_carlo.study import MODELS, Cell, Scores

MEASURES = ("total_r2", "predictive_r2")
KEYS = ("case", "model", "n_factors", "repetition")


@dataclass(frozen=True)
class Estimate:
    """One number of the table, in percent.

    Attributes
    ----------
    mean : over repetitions
    se : its Monte Carlo standard error, sd / √repetitions; None for a single repetition
    published : of Table 6; None where it has no such cell
    """

    case: Case
    measure: str
    model: str
    n_factors: int
    repetitions: int
    mean: float
    se: float | None
    published: float | None


def score_table(results: dict[Cell, Scores]) -> pd.DataFrame:
    """Return one row a cell: case, model, n_factors, repetition, and both measures in percent."""
    cells = sorted(
        results, key=lambda c: (c.case, MODELS.index(c.model), c.n_factors, c.repetition)
    )
    columns = {key: [getattr(cell, key) for cell in cells] for key in KEYS}
    measures = {m: [100 * getattr(results[cell], m) for cell in cells] for m in MEASURES}
    return pd.DataFrame(columns | measures)


def summarise(scores: pd.DataFrame) -> list[Estimate]:
    """Return an estimate for each case, model, number of factors and measure, in that order."""
    # The keys of its groups are no narrower than Hashable to a type checker.
    groups: Any = scores.groupby(["case", "model", "n_factors"], sort=False)
    return [
        _estimate(case, measure, model, int(n_factors), cell[measure].to_numpy())
        for (case, model, n_factors), cell in groups
        for measure in MEASURES
    ]


def standard_error(values: np.ndarray) -> float | None:
    """Return sd / √n, with n - 1 in the variance; None for one value."""
    if len(values) < 2:
        return None
    return float(values.std(ddof=1) / np.sqrt(len(values)))


def _estimate(case: Case, measure: str, model: str, n_factors: int, values: np.ndarray) -> Estimate:
    return Estimate(
        case=case,
        measure=measure,
        model=model,
        n_factors=n_factors,
        repetitions=len(values),
        mean=float(values.mean()),
        se=standard_error(values),
        published=published(measure, case, model, n_factors),
    )
