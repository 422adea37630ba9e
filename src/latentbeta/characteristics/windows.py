"""Statistics over windows of trading days that end at a formation, whatever the rebalancing.

Every helper reads the days of its window and no others, adds them up in one order, and never
mixes one asset's column with another's. So neither later days nor other assets can change a value,
not even its last bit. Sums run over the age of a day, all formations and assets at once: no loop
over either, and no reduction whose order could depend on how many there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentbeta.data.market import DailyMarket, Matrix

Formations = NDArray[np.int64]
Mask = NDArray[np.bool_]

MONTH = 21
YEAR = 252
LEAST_KNOWN = 2 / 3  # of a window's days; below it the statistic is missing
RECENT = 5  # sessions that a last quote stays good for


def least_days(length: int) -> int:
    """Return how many of a window's days must be known: two thirds, rounded up."""
    return math.ceil(length * LEAST_KNOWN - 1e-9)


@dataclass(frozen=True)
class Daily:
    """Daily values ready to be added up: a row of nothing first, for days before the data.

    Attributes
    ----------
    values : (D + 1, N)
        Zero where not known.
    known : (D + 1, N) bool
    """

    values: Matrix
    known: Mask

    @classmethod
    def of(cls, daily: Matrix) -> Daily:
        """Take (D, N) values, NaN where not known."""
        values = np.empty((len(daily) + 1, daily.shape[1]))
        known = np.empty(values.shape, dtype=bool)
        values[0], known[0] = 0.0, False
        values[1:] = daily
        if not np.isfinite(daily, out=known[1:]).all():
            np.copyto(values, 0.0, where=~known)
        return cls(values, known)

    def at(self, formations: Formations, age: int) -> tuple[Matrix, Mask]:
        """Return the values `age` days before each formation, and which are known. -> (T, N)."""
        rows = np.maximum(formations - age + 1, 0)
        return self.values.take(rows, axis=0), self.known.take(rows, axis=0)


@dataclass(frozen=True)
class Window:
    """The `length` days that end `skip` days before each formation."""

    formations: Formations
    length: int
    skip: int = 0

    @property
    def ages(self) -> range:
        """Ages of the days, the oldest first."""
        return range(self.skip + self.length - 1, self.skip - 1, -1)

    def days(self, daily: Daily) -> Iterator[tuple[Matrix, Mask]]:
        """Yield the values of all windows' oldest days, (T, N) and which are known; then on."""
        for age in self.ages:
            yield daily.at(self.formations, age)


def total_over(daily: Daily, window: Window) -> tuple[Matrix, NDArray[np.int64]]:
    """Return the sum of each window's known values, and how many there are. -> (T, N) both."""
    shape = len(window.formations), daily.values.shape[1]
    total, count = np.zeros(shape), np.zeros(shape, dtype=np.min_scalar_type(window.length))
    for values, known in window.days(daily):
        total += values
        count += known.view(np.uint8)
    return total, count.astype(np.int64)


def mean_over(daily: Daily, window: Window) -> Matrix:
    """Return the mean of each window's known values. -> (T, N).

    NaN where fewer than two thirds of the window's days are known.
    """
    total, count = total_over(daily, window)
    return np.where(count >= least_days(window.length), total / np.maximum(count, 1), np.nan)


def deviation_over(daily: Daily, window: Window) -> Matrix:
    """Return the standard deviation (n - 1) of each window's known values. -> (T, N).

    NaN where fewer than two thirds of the window's days are known.
    """
    total, count = total_over(daily, window)
    mean = total / np.maximum(count, 1)
    squares = np.zeros(mean.shape)
    for values, known in window.days(daily):
        np.subtract(values, mean, out=values, where=known)  # zero where not known
        squares += np.square(values, out=values)
    enough = count >= least_days(window.length)
    return np.sqrt(np.where(enough, squares / np.maximum(count - 1, 1), np.nan))


def largest_over(daily: Daily, window: Window) -> Matrix:
    """Return the largest known value of each window. -> (T, N).

    NaN where fewer than two thirds of the window's days are known.
    """
    shape = len(window.formations), daily.values.shape[1]
    largest = np.full(shape, -np.inf)
    count = np.zeros(shape, dtype=np.min_scalar_type(window.length))
    for values, known in window.days(daily):
        np.maximum(largest, values, out=largest, where=known)
        count += known.view(np.uint8)
    return np.where(count >= least_days(window.length), largest, np.nan)


def over_windows(
    daily: Matrix,
    formations: Formations,
    length: int,
    statistic: Callable[[Matrix], Matrix],
    *,
    skip: int = 0,
) -> Matrix:
    """Apply any statistic to the window of `length` days that ends `skip` days before a formation.

    It is called once a formation; sums, means and deviations are had faster from the functions
    above.

    Parameters
    ----------
    daily : (D, N)
        Daily values, NaN where not known.
    formations : (T,) int
        Positions of the formation days.
    length, skip : int
        In trading days.
    statistic : callable
        Takes (length, N) with NaN, returns (N,).

    Returns
    -------
    (T, N) float64
        NaN where fewer than two thirds of the window's days are known.
    """
    result = np.full((len(formations), daily.shape[1]), np.nan)
    for row, formation in enumerate(formations):
        stop = max(int(formation) - skip + 1, 0)
        window = daily[max(stop - length, 0) : stop]
        enough = np.isfinite(window).sum(axis=0) >= least_days(length)
        if enough.any():
            result[row] = np.where(enough, statistic(window), np.nan)
    return result


def mean_of_known(window: Matrix) -> Matrix:
    """Return the mean of each column's known values; NaN where there is none. (W, N) -> (N,)."""
    known = np.isfinite(window)
    count = known.sum(axis=0)
    total = np.where(known, window, 0.0).sum(axis=0)
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)


def over_last(daily: NDArray[Any], length: int, combine: np.ufunc) -> NDArray[Any]:
    """Combine each day with the `length` - 1 before it; those before the data are left out.

    Parameters
    ----------
    daily : (D, N)
    length : int
    combine : ufunc
        Of two values, such as `np.add`; associative but for rounding.

    Returns
    -------
    (D, N)

    Notes
    -----
    Runs of 1, 2, 4, … days are put together, so the work grows with log(length), and the order
    depends on nothing but the length.
    """
    run, size, done = daily, 1, 0
    result: NDArray[Any] | None = None
    while done < length:
        if size > 1:
            run = _with_earlier(run, run, size // 2, combine)
        if length & size:
            result = run if result is None else _with_earlier(result, run, done, combine)
            done += size
        size *= 2
    return daily if result is None else result


def _with_earlier(
    later: NDArray[Any], earlier: NDArray[Any], by: int, combine: np.ufunc
) -> NDArray[Any]:
    """Combine each row with the one `by` rows before it; the first ones stay as they are."""
    result = np.empty_like(later, order="C")
    result[:by] = later[:by]
    combine(earlier[: max(len(later) - by, 0)], later[by:], out=result[by:])
    return result


def mean_across_assets(values: Matrix) -> Matrix:
    """Return the equal-weighted mean over the assets that are known. (D, N) -> (D,).

    The sum runs in the order of the assets, so that a column of NaN for an asset that is not
    listed yet leaves every bit as it was.
    """
    return AcrossAssets().with_assets(values).mean()


@dataclass(frozen=True)
class AcrossAssets:
    """Sums (D,) over the assets so far, one after another, and how many of them are known."""

    total: Matrix | float = 0.0
    count: NDArray[np.int64] | int = 0

    def with_assets(self, values: Matrix) -> AcrossAssets:
        """Add the next assets, (D, n) with NaN where not known."""
        known = np.isfinite(values)
        return self.with_known(np.where(known, values, 0.0), known)

    def with_known(self, values: Matrix, known: Mask) -> AcrossAssets:
        """Add the next assets, (D, n) with zero where not known, and which are known."""
        total = np.zeros(len(values)) + self.total
        for asset in values.T:  # one by one: `sum` would add up in pairs
            total += asset
        return AcrossAssets(total, self.count + np.count_nonzero(known, axis=1))

    def mean(self) -> Matrix:
        """Return the mean, NaN where no asset is known."""
        count = np.asarray(self.count)
        return np.where(count > 0, self.total / np.maximum(count, 1), np.nan)


def daily_returns(market: DailyMarket) -> Daily:
    """Return the days' total returns."""
    return market.remembered("daily returns", lambda: Daily.of(market.total_return))


def gross_returns(market: DailyMarket) -> Matrix:
    """Return (D, N) one plus the day's total return, one where it is not known."""
    return market.remembered("gross returns", lambda: daily_returns(market).values[1:] + 1.0)


def unknown_return(market: DailyMarket) -> Mask:
    """Return (D, N) whether an asset has a quote whose return is not known.

    So it is on an asset's first day, and after a gap that the source could not bridge. A day
    without a quote is not among them: the return of the next quote spans it.
    """
    return market.remembered(
        "unknown return", lambda: np.isfinite(market.close) & ~daily_returns(market).known[1:]
    )


def last_known(formations: Formations, *factors: Matrix) -> Matrix:
    """Return the latest known product of the last five sessions at each formation. -> (T, N).

    The factors are (D, N) values of the same day, NaN where not known.
    """
    result = np.full((len(formations), factors[0].shape[1]), np.nan)
    for age in range(RECENT):
        missing = np.flatnonzero(~np.isfinite(result).all(axis=1) & (formations >= age))
        days = formations[missing] - age
        known, value = result[missing], math.prod(daily[days] for daily in factors)
        result[missing] = np.where(np.isfinite(known), known, value)
    return result


def quoted_lately(market: DailyMarket, formations: Formations) -> Mask:
    """Return (T, N) whether an asset has a quote in the last five sessions at a formation."""
    return np.isfinite(last_known(formations, market.close))


def ratio(numerator: Matrix, denominator: Matrix) -> Matrix:
    """Divide where the denominator is positive, NaN elsewhere."""
    with np.errstate(all="ignore"):
        result: Matrix = np.divide(numerator, denominator)
    np.copyto(result, np.nan, where=~(denominator > 0))
    return result
