"""Standard errors and intervals by resampling dates, and paired comparisons of models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from latentbeta.evaluation.ladder import ModelKey
from latentbeta.evaluation.measures import LOSSES, MEASURES, DateScores, every_measure
from latentbeta.evaluation.newey_west import mean_test
from latentbeta.evaluation.r_squared import Loss
from latentbeta.evaluation.resampling import Resamples, sample_itself
from latentbeta.evaluation.sample import Vector

Losses = Mapping[str, Loss]
COVERAGE = (2.5, 97.5)
DIFFERENCE_COLUMNS = (
    "model_a",
    "n_factors_a",
    "model_b",
    "n_factors_b",
    "measure",
    "difference",
    "se",
    "t",
    "diebold_mariano",
    "n_observations",
)


@dataclass(frozen=True, eq=False)
class Estimates:
    """One model's measures by name, on the test dates and on each draw of them.

    Attributes
    ----------
    point : dict of float
    draws : dict of (B,)
    """

    point: dict[str, float]
    draws: dict[str, Vector]


def estimate(scores: DateScores, resamples: Resamples, periods_per_year: int) -> Estimates:
    """Compute every measure on the test dates and on each draw."""
    itself = sample_itself(resamples.weights.shape[1])
    point = every_measure(scores, itself, periods_per_year)
    return Estimates(
        point={name: float(values[0]) for name, values in point.items()},
        draws=every_measure(scores, resamples, periods_per_year),
    )


def standard_error(draws: Vector) -> float:
    """Return the standard deviation over draws; NaN when most draws have no value."""
    known = _enough(draws)
    return float(known.std(ddof=1)) if len(known) else float("nan")


def interval(draws: Vector) -> tuple[float, float]:
    """Return the 2.5th and 97.5th percentile of the draws; NaN when most have no value."""
    known = _enough(draws)
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, COVERAGE)
    return float(low), float(high)


def compare(
    keys: tuple[ModelKey, ModelKey],
    losses: tuple[Losses, Losses],
    estimates: tuple[Estimates, Estimates],
) -> list[tuple[Any, ...]]:
    """Compare two models, measure by measure, on the pairs that both have.

    Parameters
    ----------
    keys, losses, estimates
        Of model a and model b.

    Returns
    -------
    list of tuple
        One row a measure, columns `DIFFERENCE_COLUMNS`: a less b, its standard error over the
        draws, their ratio t, the Diebold-Mariano statistic (positive: a errs less; measures
        that are not losses have none), and the number of (date, asset) or (date, portfolio)
        pairs it rests on.
    """
    a, b = estimates
    rows = []
    for name in MEASURES:
        difference = a.point[name] - b.point[name]
        se = standard_error(a.draws[name] - b.draws[name])
        t = difference / se if se > 0 else float("nan")
        against = _diebold_mariano_of(name, losses)
        observations = int(losses[0][name if name in LOSSES else "predictive_r2"].count.sum())
        rows.append((*keys[0], *keys[1], name, difference, se, t, against, observations))
    return rows


def diebold_mariano(error_a: Vector, error_b: Vector, count: Vector) -> float:
    """Test that two models err alike, on the cross-section's mean squared error per date.

    Parameters
    ----------
    error_a, error_b : (T,)
        Squared errors of models a and b, summed over the same pairs.
    count : (T,)
        Number of pairs; dates without any are left out.

    Returns
    -------
    float
        Mean of (error_b - error_a) / count over its standard error: positive when a errs less.
        NaN with fewer than ten dates or models that never differ.

    Notes
    -----
    Diebold and Mariano (1995) on cross-sectional means, as in Gu, Kelly and Xiu (2020), with the
    standard error of `latentbeta.evaluation.newey_west.mean_test`.
    """
    used = count > 0
    return mean_test((error_b[used] - error_a[used]) / count[used]).t


def _enough(draws: Vector) -> Vector:
    known = draws[np.isfinite(draws)]
    return known if len(known) > max(len(draws) / 2, 1) else known[:0]


def _diebold_mariano_of(name: str, losses: tuple[Losses, Losses]) -> float:
    if name not in LOSSES:
        return float("nan")
    a, b = (of_model[name] for of_model in losses)
    return diebold_mariano(a.error, b.error, a.count)
