"""Every measure as a function of per-date sums, so that resampling dates costs one product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from latentbeta.evaluation.information_coefficient import (
    information_coefficient,
    rank_information_coefficient,
)
from latentbeta.evaluation.portfolios import SortedPortfolios, sharpe_ratio, sort_portfolios
from latentbeta.evaluation.r_squared import (
    Characteristics,
    Loss,
    asset_loss,
    managed_loss,
    pooled_r_squared,
)
from latentbeta.evaluation.sample import Matrix, OutOfSample, Vector

LOSSES = ("total_r2", "predictive_r2", "total_r2_managed", "predictive_r2_managed")
COEFFICIENTS = ("ic", "rank_ic")
RETURNS = {"long_short_sharpe": "long_short", "long_short_sharpe_vw": "long_short_vw"}
MEASURES = (*LOSSES, *COEFFICIENTS, *RETURNS)


@dataclass(frozen=True, kw_only=True, eq=False)
class Context:
    """What the measures need to know besides the predictions.

    Attributes
    ----------
    characteristics : Characteristics
        Of the test dates.
    market_equity : (T, N)
        Market value when each period began; NaN where not known.
    quantile : float
    periods_per_year : int
    """

    characteristics: Characteristics
    market_equity: Matrix
    quantile: float
    periods_per_year: int


@dataclass(frozen=True, kw_only=True, eq=False)
class DateScores:
    """What each test date contributes to each measure.

    Attributes
    ----------
    losses : dict of Loss
        One for each R².
    series : dict of (T,)
        ic, rank_ic, long_short, long_short_vw, turnover; NaN where a date has none.
    portfolios : SortedPortfolios
    """

    losses: dict[str, Loss]
    series: dict[str, Vector]
    portfolios: SortedPortfolios


class Moments(NamedTuple):
    """Mean and variance over (resampled) dates, (B,) each."""

    mean: Vector
    variance: Vector


def score_dates(sample: OutOfSample, context: Context) -> DateScores:
    """Reduce one model's predictions to what each date contributes."""
    realised, fitted, forecast = sample.realised, sample.fitted, sample.forecast
    portfolios = sort_portfolios(
        realised, forecast, context.market_equity, quantile=context.quantile
    )
    return DateScores(
        losses={
            "total_r2": asset_loss(realised, fitted),
            "predictive_r2": asset_loss(realised, forecast),
            "total_r2_managed": managed_loss(realised, fitted, context.characteristics),
            "predictive_r2_managed": managed_loss(realised, forecast, context.characteristics),
        },
        series={
            "ic": information_coefficient(realised, forecast),
            "rank_ic": rank_information_coefficient(realised, forecast),
            "long_short": portfolios.long_short,
            "long_short_vw": portfolios.long_short_vw,
        },
        portfolios=portfolios,
    )


def measure(name: str, scores: DateScores, weights: Matrix, periods_per_year: int) -> Vector:
    """Compute one measure on each (re)sample of the dates.

    Parameters
    ----------
    name : str
        One of `MEASURES`.
    weights : (B, T)
        How often each date occurs in each sample; a row of ones is the sample itself.

    Returns
    -------
    (B,)
        NaN where the measure does not exist.
    """
    if name in LOSSES:
        loss = scores.losses[name]
        return pooled_r_squared(weights @ loss.error, weights @ loss.scale)
    if name in COEFFICIENTS:
        return moments(scores.series[name], weights).mean
    both = moments(scores.series[RETURNS[name]], weights)
    return sharpe_ratio(both.mean, both.variance, periods_per_year)


def moments(series: Vector, weights: Matrix) -> Moments:
    """Mean and unbiased variance of a series over weighted dates, gaps left out.

    Parameters
    ----------
    series : (T,)
    weights : (B, T)
        Non-negative whole numbers.
    """
    known = np.isfinite(series)
    centre = series[known].mean() if known.any() else 0.0
    deviation = np.where(known, series - centre, 0.0)
    count = weights @ known.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = (weights @ deviation) / count
        variance = (weights @ deviation**2 - count * shift**2) / (count - 1)
    enough = count > 1
    return Moments(
        mean=np.where(count > 0, centre + shift, np.nan),
        variance=np.where(enough, np.maximum(variance, 0.0), np.nan),
    )


def every_measure(scores: DateScores, weights: Matrix, periods_per_year: int) -> dict[str, Vector]:
    """Compute all measures on each (re)sample of the dates: name to (B,)."""
    one: Callable[[str], Vector] = lambda name: measure(name, scores, weights, periods_per_year)  # noqa: E731
    return {name: one(name) for name in MEASURES}
