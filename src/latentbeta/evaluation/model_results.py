"""All that is measured of one model by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.evaluation.attribution import (
    attributions_of,
    long_short_weights,
    market_weights,
)
from latentbeta.evaluation.comparisons import Scored, scored_dates
from latentbeta.evaluation.deciles import deciles_of
from latentbeta.evaluation.ladder import ModelKey
from latentbeta.evaluation.measures import Context, score_dates
from latentbeta.evaluation.premia import premia_of
from latentbeta.evaluation.pricing_errors import pricing_error_measures, pricing_errors_of
from latentbeta.evaluation.published import Published
from latentbeta.evaluation.resampling import Resamples
from latentbeta.evaluation.rows import fold_metrics_of, metrics_of, plain, portfolios_of
from latentbeta.evaluation.sample import OutOfSample

TABLES = ("fold_metrics", "portfolios", "deciles", "pricing_errors", "premia", "attribution")


@dataclass(frozen=True, kw_only=True, eq=False)
class Sources:
    """What every model is measured with.

    Attributes
    ----------
    context : Context
    resamples : Resamples
    published : Published
    dates : (T,) datetime64[us]
        The test dates.
    folds : Series
        The fold of each test date, indexed by date.
    """

    context: Context
    resamples: Resamples
    published: Published
    dates: NDArray[np.datetime64]
    folds: pd.Series


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelResults:
    """One model's measures.

    Attributes
    ----------
    metrics : dict
        Its object of metrics.json.
    tables : dict of DataFrame
        Its rows of each of `TABLES`.
    scored : Scored
        What comparisons with other models need.
    """

    metrics: dict[str, Any]
    tables: dict[str, pd.DataFrame]
    scored: Scored


def results_of(key: ModelKey, sample: OutOfSample, sources: Sources) -> ModelResults:
    """Measure one model."""
    context, weights = sources.context, sources.resamples.weights
    scores = score_dates(sample, context, sources.published.series(key, "tangency"))
    scored = scored_dates(scores, sources.resamples, context.periods_per_year)
    sorted_, names = scores.portfolios, context.characteristics.names
    errors = pricing_errors_of(key, scores.managed, names)
    summed = plain(pricing_error_measures(errors, scores.managed, weights))
    deciles = deciles_of(
        key, sorted_, weights, cost=context.cost, periods_per_year=context.periods_per_year
    )
    weightings = {
        "market": market_weights(sample.realised),
        "long_short": long_short_weights(sample.realised, sorted_.places, sorted_.n_portfolios),
    }
    return ModelResults(
        metrics=metrics_of(key, scores, scored.estimates, sources.dates) | summed,
        tables={
            "fold_metrics": fold_metrics_of(key, scores, sources.folds),
            "portfolios": portfolios_of(key, sorted_, sources.dates),
            "deciles": deciles,
            "pricing_errors": errors,
            "premia": premia_of(key, sources.published.factors(key)),
            "attribution": attributions_of(
                key, weightings, sample.realised, sources.published, sources.dates
            ),
        },
        scored=scored,
    )
