"""Portfolios sorted on the forecast, and the best less the worst."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from latentbeta.evaluation.sample import Matrix, Vector

Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Holdings:
    """The sort held in one way of weighting, formed anew on every date.

    Attributes
    ----------
    returns : (T, Q + 1)
        Lowest forecasts first, then highest less lowest; NaN where a portfolio holds no asset.
    turnover : (T, Q + 1)
        Half of Σ|w - w⁻|: the share of a portfolio that is replaced on the date; of the
        long-short portfolio the mean of its ends. NaN where nothing was held before.
    traded : (T, Q + 1)
        Σ|w - w⁻|, all that is bought and sold; 1 where a portfolio is built from nothing. Of the
        long-short portfolio the sum of its ends.
    """

    returns: Matrix
    turnover: Matrix
    traded: Matrix

    def net_of(self, cost: float) -> Matrix:
        """(T, Q + 1) returns less `cost` for each unit of value that is bought or sold."""
        return self.returns - cost * self.traded


@dataclass(frozen=True, eq=False)
class SortedPortfolios:
    """A sort, equal- and value-weighted.

    Attributes
    ----------
    places : (T, N) int
        Portfolio of each asset, 0 for the lowest forecasts, -1 for none.
    n_portfolios : int
        Q.
    equal, value : Holdings
        The latter NaN where a portfolio holds no asset of known market value.
    """

    places: Places
    n_portfolios: int
    equal: Holdings
    value: Holdings

    @property
    def quantiles(self) -> Matrix:
        """(T, Q) equal-weighted returns."""
        return self.equal.returns[:, :-1]

    @property
    def long_short(self) -> Vector:
        """(T,) highest less lowest, equal-weighted."""
        return self.equal.returns[:, -1]

    @property
    def long_short_vw(self) -> Vector:
        """(T,) highest less lowest, value-weighted."""
        return self.value.returns[:, -1]

    @property
    def turnover(self) -> Vector:
        """(T,) of the equal-weighted long-short portfolio."""
        return self.equal.turnover[:, -1]


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
    groups = _Groups(places, n_portfolios)
    value = np.where(market_equity > 0, market_equity, 0.0)
    return SortedPortfolios(
        places=places,
        n_portfolios=n_portfolios,
        equal=_held(realised, np.ones(places.shape), groups),
        value=_held(realised, value, groups),
    )


def portfolio_of(forecast: Vector, n_portfolios: int) -> Places:
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


@dataclass(frozen=True, eq=False)
class _Groups:
    """Sums over (date, portfolio) pairs and their way back to the (date, asset) pairs."""

    places: Places
    n_portfolios: int

    @cached_property
    def held(self) -> NDArray[np.bool_]:
        return self.places >= 0

    @cached_property
    def number(self) -> Places:
        """Of the pair that each held (date, asset) pair belongs to."""
        dates = np.arange(len(self.places))[:, None]
        return np.asarray((dates * self.n_portfolios + self.places)[self.held])

    def total(self, values: Matrix) -> Matrix:
        """(T, N) to its (T, Q) sums."""
        size = len(self.places) * self.n_portfolios
        sums = np.bincount(self.number, weights=values[self.held], minlength=size)
        return sums.astype(np.float64).reshape(len(self.places), self.n_portfolios)

    def spread(self, values: Matrix) -> Matrix:
        """(T, Q) to (T, N): each asset gets its portfolio's value, 0 when it is in none."""
        matrix = np.zeros(self.places.shape)
        matrix[self.held] = values.reshape(-1)[self.number]
        return matrix

    def share(self, values: Matrix) -> Matrix:
        """(T, N) divided by its sum over the portfolio; 0 where that is 0."""
        total = self.total(values)
        inverse = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)
        return values * self.spread(inverse)


def _held(realised: Matrix, value: Matrix, groups: _Groups) -> Holdings:
    """Hold each portfolio with weights in proportion to `value`, both (T, N)."""
    known = np.isfinite(realised)
    gained = np.nan_to_num(realised)
    counted = groups.share(value * known)
    weight = groups.share(value)
    returns = np.where(groups.total(counted) > 0, groups.total(counted * gained), np.nan)
    turnover = _replaced(weight, groups.share(weight * (1 + gained)), groups)
    built = np.where(groups.total(weight) > 0, 1.0, np.nan)
    traded = np.where(np.isfinite(turnover), 2 * turnover, built)
    return Holdings(
        returns=_with_last(returns, returns[:, -1] - returns[:, 0]),
        turnover=_with_last(turnover, (turnover[:, -1] + turnover[:, 0]) / 2),
        traded=_with_last(traded, traded[:, -1] + traded[:, 0]),
    )


def _replaced(weight: Matrix, drifted: Matrix, groups: _Groups) -> Matrix:
    """Half the sum of |new weight - old weight drifted with its return|, (T, Q)."""
    stayed = np.zeros(weight.shape, dtype=bool)
    stayed[1:] = groups.held[1:] & (groups.places[1:] == groups.places[:-1])
    before = np.zeros(weight.shape)
    before[1:] = drifted[:-1]
    left = np.zeros(weight.shape)  # what a date's portfolio no longer holds on the next
    left[:-1] = np.where(stayed[1:], 0.0, drifted[:-1])
    bought_or_trimmed = groups.total(np.abs(weight - np.where(stayed, before, 0.0)))
    change = np.full(bought_or_trimmed.shape, np.nan)
    change[1:] = (bought_or_trimmed[1:] + groups.total(left)[:-1]) / 2
    held = groups.total(weight) > 0
    twice = np.zeros(held.shape, dtype=bool)
    twice[1:] = held[1:] & held[:-1]
    return np.where(twice, change, np.nan)


def _with_last(matrix: Matrix, last: Vector) -> Matrix:
    return np.column_stack([matrix, last])
