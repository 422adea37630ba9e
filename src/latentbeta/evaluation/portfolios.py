"""Portfolios sorted on the forecast, and the best less the worst."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentbeta.evaluation.sample import Matrix, Vector


@dataclass(frozen=True, eq=False)
class SortedPortfolios:
    """Returns of portfolios formed anew on every date.

    Attributes
    ----------
    quantiles : (T, Q)
        Equal-weighted returns, lowest forecasts first; NaN where there was no sort.
    long_short, long_short_vw : (T,)
        Highest less lowest, equal- and value-weighted; the latter NaN where an end of the sort
        holds no asset of known market value.
    turnover : (T,)
        Share of an end of the sort that is replaced on the date, mean of both ends; NaN on
        the first.
    """

    quantiles: Matrix
    long_short: Vector
    long_short_vw: Vector
    turnover: Vector


def sort_portfolios(
    realised: Matrix, forecast: Matrix, market_equity: Matrix, *, quantile: float
) -> SortedPortfolios:
    """Sort on the forecast, date by date, and hold each portfolio for the period.

    Parameters
    ----------
    realised, forecast, market_equity : (T, N)
        Market value is that of the formation date. NaN where not known.
    quantile : float
        Share of the assets in each end, at most one half.

    Notes
    -----
    Assets are chosen on the forecast alone, for whether a return will be known is not known
    when the portfolio is formed; an asset without a return drops out of its portfolio's mean.
    A date is not sorted when it has fewer assets than portfolios or all forecasts are equal.
    """
    n_portfolios = round(1 / quantile)
    places = np.stack([portfolio_of(row, n_portfolios) for row in forecast])
    value = np.where(market_equity > 0, market_equity, 0.0)
    held = [places == q for q in range(n_portfolios)]
    quantiles = np.column_stack(
        [_portfolio_return(realised, place.astype(float)) for place in held]
    )
    low, high = held[0], held[-1]
    return SortedPortfolios(
        quantiles=quantiles,
        long_short=quantiles[:, -1] - quantiles[:, 0],
        long_short_vw=_portfolio_return(realised, high * value)
        - _portfolio_return(realised, low * value),
        turnover=(_replaced(realised, high) + _replaced(realised, low)) / 2,
    )


def portfolio_of(forecast: Vector, n_portfolios: int) -> np.ndarray:
    """Return each asset's portfolio, 0 for the lowest forecasts, -1 for none.

    Parameters
    ----------
    forecast : (N,)
        Ties go by place on the asset axis.
    """
    places = np.full(len(forecast), -1)
    known = np.flatnonzero(np.isfinite(forecast))
    if len(known) < max(n_portfolios, 2) or np.ptp(forecast[known]) == 0:
        return places
    order = known[np.argsort(forecast[known], kind="stable")]
    places[order] = np.arange(len(order)) * n_portfolios // len(order)
    return places


def sharpe_ratio(mean: Vector, variance: Vector, periods_per_year: int) -> Vector:
    """Annualised ratio of mean to standard deviation; NaN where the returns do not vary."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(variance > 0, mean / np.sqrt(variance), np.nan) * np.sqrt(periods_per_year)


def _portfolio_return(realised: Matrix, weight: Matrix) -> Vector:
    weight = np.where(np.isfinite(realised), weight, 0.0)
    total = weight.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (weight * np.nan_to_num(realised)).sum(axis=1) / total
    return np.where(total > 0, mean, np.nan)


def _replaced(realised: Matrix, held: np.ndarray) -> Vector:
    """Half the sum of |new weight - old weight drifted with its return|, equal weights."""
    size = held.sum(axis=1, keepdims=True)
    weight = held / np.maximum(size, 1)
    drifted = weight * (1 + np.nan_to_num(realised))
    total = drifted.sum(axis=1, keepdims=True)
    drifted = drifted / np.where(total > 0, total, 1.0)
    change = np.abs(weight[1:] - drifted[:-1]).sum(axis=1) / 2
    sorted_twice = (size[1:, 0] > 0) & (size[:-1, 0] > 0)
    return np.concatenate([[np.nan], np.where(sorted_twice, change, np.nan)])[: len(held)]
