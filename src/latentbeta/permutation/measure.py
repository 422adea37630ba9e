"""What forecasts score on returns that nobody could forecast."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.config import EvaluationSettings
from latentbeta.evaluation.inference import standard_error
from latentbeta.evaluation.information_coefficient import (
    information_coefficient,
    rank_information_coefficient,
)
from latentbeta.evaluation.measures import moments
from latentbeta.evaluation.r_squared import pooled_r_squared, squared_loss
from latentbeta.evaluation.resampling import resampled_dates
from latentbeta.evaluation.sample import Matrix, OutOfSample, Predictions, Vector

MEASURES = ("predictive_r2", "gain", "ic", "rank_ic")
UNBIASED = ("gain", "ic", "rank_ic")  # zero on average where nothing can be forecast
STANDARD_ERRORS = 2.0


@dataclass(frozen=True)
class Score:
    """One measure on shuffled returns and its standard error; NaN where it does not exist."""

    value: float
    error: float

    @property
    def is_near_zero(self) -> bool:
        """Whether it is within two standard errors of zero, or does not exist."""
        return not abs(self.value) > STANDARD_ERRORS * self.error


def null_scores(
    predictions: pd.DataFrame, assets: NDArray[np.str_], settings: EvaluationSettings, seed: int
) -> dict[str, Score]:
    """Measure the predictions of one model.

    Parameters
    ----------
    predictions : DataFrame
        As in predictions.parquet, of one model with one number of factors.
    assets : (N,) str
        The panel's asset axis.
    settings, seed : of the bootstrap over dates, which are drawn one by one: shuffling has made
        them independent of each other

    Returns
    -------
    dict of Score
        ``predictive_r2``, ``ic``, ``rank_ic`` as `latentbeta.evaluation` has them, and ``gain``.

    Notes
    -----
    Predictive R² is ``gain - cost``: gain = 2 Σ forecast · return / Σ return², which is zero on
    average where nothing can be known, and cost = Σ forecast² / Σ return², the price of having
    said anything, which never is. R² under the null is below zero by the cost, and more factors
    cost more; a forecast that knew something would show in the gain.
    """
    table = Predictions(predictions, assets)
    (key,) = table.keys
    draws = resampled_dates(len(table.dates), draws=settings.bootstrap_draws, block=1.0, seed=seed)
    sample = table.sample(key)
    point = _scored(sample, np.ones((1, len(table.dates))))
    drawn = _scored(sample, draws.weights)
    return {name: Score(float(point[name][0]), standard_error(drawn[name])) for name in MEASURES}


def averaged(scores: Sequence[dict[str, Score]]) -> dict[str, Score]:
    """Average each measure over repetitions, which are independent of each other."""
    count = len(scores)
    return {
        name: Score(
            sum(each[name].value for each in scores) / count,
            math.sqrt(sum(each[name].error ** 2 for each in scores)) / count,
        )
        for name in MEASURES
    }


def record(model: str, n_factors: int, scores: Sequence[dict[str, Score]]) -> dict[str, Any]:
    """Return one object of null.json from each repetition's scores."""
    means = averaged(scores)
    numbers = {name: _plain(means[name].value) for name in MEASURES}
    errors = {f"{name}_se": _plain(means[name].error) for name in MEASURES}
    return {
        "model": model,
        "n_factors": n_factors,
        "repetitions": len(scores),
        **numbers,
        **errors,
        "within": all(means[name].is_near_zero for name in UNBIASED),
    }


def _scored(sample: OutOfSample, weights: Matrix) -> dict[str, Vector]:
    realised, forecast = sample.realised, sample.forecast
    loss = squared_loss(realised, forecast)
    size = np.where(sample.predicted, forecast**2, 0.0).sum(axis=1)
    scale = weights @ loss.scale
    r_squared = pooled_r_squared(weights @ loss.error, scale)
    return {
        "predictive_r2": r_squared,
        "gain": r_squared + (weights @ size) / scale,
        "ic": moments(information_coefficient(realised, forecast), weights).mean,
        "rank_ic": moments(rank_information_coefficient(realised, forecast), weights).mean,
    }


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
