"""Every measure as a function of per-date sums, so that resampling dates costs one product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from latentbeta.evaluation.information_coefficient import (
    information_coefficient,
    rank_information_coefficient,
)
from latentbeta.evaluation.managed import Characteristics, ManagedReturns, managed_returns
from latentbeta.evaluation.performance import maximum_drawdown, sharpe_ratio
from latentbeta.evaluation.portfolios import SortedPortfolios, sort_portfolios
from latentbeta.evaluation.r_squared import Loss, pooled_r_squared, squared_loss
from latentbeta.evaluation.resampling import Resamples
from latentbeta.evaluation.sample import Matrix, OutOfSample, Vector

LOSSES = ("total_r2", "predictive_r2", "total_r2_managed", "predictive_r2_managed")
COEFFICIENTS = ("ic", "rank_ic")
RETURNS = {
    "long_short_sharpe": "long_short",
    "long_short_sharpe_vw": "long_short_vw",
    "long_short_net_sharpe": "long_short_net",
    "long_short_net_sharpe_vw": "long_short_net_vw",
    "tangency_sharpe": "tangency",
}
MEASURES = (*LOSSES, *COEFFICIENTS, *RETURNS)
"""Models are compared on these; the higher the better."""
TURNOVERS = ("turnover", "turnover_vw")
DRAWDOWNS = {"long_short_drawdown": "long_short", "long_short_drawdown_vw": "long_short_vw"}


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
    cost : float
        Of buying or selling one unit of value, decimal.
    periods_per_year : int
    """

    characteristics: Characteristics
    market_equity: Matrix
    quantile: float
    cost: float
    periods_per_year: int


@dataclass(frozen=True, kw_only=True, eq=False)
class DateScores:
    """What each test date contributes to each measure.

    Attributes
    ----------
    losses : dict of Loss
        One for each R².
    series : dict of (T,)
        ic, rank_ic, turnover, turnover_vw, and the returns of long_short, long_short_vw, both
        net of costs, and tangency; NaN where a date has none.
    portfolios : SortedPortfolios
    managed : ManagedReturns
        Realised and fitted.
    """

    losses: dict[str, Loss]
    series: dict[str, Vector]
    portfolios: SortedPortfolios
    managed: ManagedReturns


class Moments(NamedTuple):
    """Mean and variance over (resampled) dates, (B,) or (B, m) each."""

    mean: Matrix
    variance: Matrix


def score_dates(sample: OutOfSample, context: Context, tangency: Vector) -> DateScores:
    """Reduce one model's predictions to what each date contributes.

    Parameters
    ----------
    tangency : (T,)
        Returns of the factors' tangency portfolio; NaN where there is none.
    """
    realised, fitted, forecast = sample.realised, sample.fitted, sample.forecast
    portfolios = sort_portfolios(
        realised, forecast, context.market_equity, quantile=context.quantile
    )
    explained = managed_returns(realised, fitted, context.characteristics)
    predicted = managed_returns(realised, forecast, context.characteristics)
    return DateScores(
        losses={
            "total_r2": squared_loss(realised, fitted),
            "predictive_r2": squared_loss(realised, forecast),
            "total_r2_managed": squared_loss(*explained),
            "predictive_r2_managed": squared_loss(*predicted),
        },
        series={
            "ic": information_coefficient(realised, forecast),
            "rank_ic": rank_information_coefficient(realised, forecast),
            "long_short": portfolios.long_short,
            "long_short_vw": portfolios.long_short_vw,
            "long_short_net": portfolios.equal.net_of(context.cost)[:, -1],
            "long_short_net_vw": portfolios.value.net_of(context.cost)[:, -1],
            "turnover": portfolios.turnover,
            "turnover_vw": portfolios.value.turnover[:, -1],
            "tangency": tangency,
        },
        portfolios=portfolios,
        managed=explained,
    )


def every_measure(
    scores: DateScores, resamples: Resamples, periods_per_year: int
) -> dict[str, Vector]:
    """Compute all measures on each (re)sample of the dates.

    Returns
    -------
    dict of (B,)
        `MEASURES`, `TURNOVERS` and `DRAWDOWNS` by name; NaN where one does not exist.
    """
    drawdowns = {
        name: maximum_drawdown(scores.series[series][resamples.order])
        for name, series in DRAWDOWNS.items()
    }
    return weighted_measures(scores, resamples.weights, periods_per_year) | drawdowns


def weighted_measures(
    scores: DateScores, weights: Matrix, periods_per_year: int
) -> dict[str, Vector]:
    """Compute the measures for which the order of the dates does not matter.

    Parameters
    ----------
    weights : (B, T)
        How often each date occurs in each sample; a row of ones is the sample itself.

    Returns
    -------
    dict of (B,)
        `MEASURES` and `TURNOVERS` by name.
    """
    losses = [scores.losses[name] for name in LOSSES]
    error = weights @ np.column_stack([loss.error for loss in losses])
    scale = weights @ np.column_stack([loss.scale for loss in losses])
    names = list(scores.series)
    of_series = moments(np.column_stack(list(scores.series.values())), weights)
    mean, variance = (dict(zip(names, part.T, strict=True)) for part in of_series)
    return (
        dict(zip(LOSSES, pooled_r_squared(error, scale).T, strict=True))
        | {name: mean[name] for name in (*COEFFICIENTS, *TURNOVERS)}
        | {
            name: sharpe_ratio(mean[series], variance[series], periods_per_year)
            for name, series in RETURNS.items()
        }
    )


def moments(series: Matrix, weights: Matrix) -> Moments:
    """Mean and unbiased variance of each series over weighted dates, gaps left out.

    Parameters
    ----------
    series : (T,) or (T, m)
    weights : (B, T)
        Non-negative whole numbers.
    """
    known = np.isfinite(series)
    filled = np.where(known, series, 0.0)
    centre = filled.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    deviation = np.where(known, filled - centre, 0.0)
    count = weights @ known.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = (weights @ deviation) / count
        variance = (weights @ deviation**2 - count * shift**2) / (count - 1)
    enough = count > 1
    return Moments(
        mean=np.where(count > 0, centre + shift, np.nan),
        variance=np.where(enough, np.maximum(variance, 0.0), np.nan),
    )
