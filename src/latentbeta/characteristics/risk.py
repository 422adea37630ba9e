"""Risk: volatility, the largest daily return, and weekly regressions on the market."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentbeta.characteristics.weekly import (
    LEAST_WEEKS,
    WEEK,
    market_return,
    weekly_returns,
    weekly_rows,
)
from latentbeta.characteristics.windows import (
    MONTH,
    Daily,
    Formations,
    Window,
    deviation_over,
    largest_over,
    ratio,
)
from latentbeta.data.market import DailyMarket, Matrix

N_LAGS = 4
NEGLIGIBLE = 1e-10  # share of its variation below which a regressor adds nothing
LITTLE_LEFT = 1e-4  # share of a return's size below which the residual is not had by subtraction


def maxret(market: DailyMarket, formations: Formations) -> Matrix:
    """Largest daily return.

    Notes
    -----
    ``max r_d`` over the daily returns of 21 days. Bali, Cakici and Whitelaw (2011); GHZ maxret.
    """
    return largest_over(market.total_return, Window(formations, MONTH))


def retvol(market: DailyMarket, formations: Formations) -> Matrix:
    """Return volatility.

    Notes
    -----
    Standard deviation of daily returns over 21 days. Ang, Hodrick, Xing and Zhang (2006); GHZ
    retvol.
    """
    return deviation_over(Daily.of(market.total_return), Window(formations, MONTH))


def beta(market: DailyMarket, formations: Formations) -> Matrix:
    """Market beta.

    Notes
    -----
    Slope of weekly returns on the equal-weighted market over 156 weeks, at least 52 of them
    known. Fama and MacBeth (1973); GHZ beta.
    """
    return market_regression(market, formations).slope


def betasq(market: DailyMarket, formations: Formations) -> Matrix:
    """Market beta squared.

    Notes
    -----
    ``beta²``. Fama and MacBeth (1973); GHZ betasq.
    """
    return market_regression(market, formations).slope ** 2


def idiovol(market: DailyMarket, formations: Formations) -> Matrix:
    """Idiosyncratic volatility.

    Notes
    -----
    Standard deviation (n - 1) of the residuals of beta's regression. Ali, Hwang and Trombley
    (2003); GHZ idiovol.
    """
    return market_regression(market, formations).residual_deviation


def pricedelay(market: DailyMarket, formations: Formations) -> Matrix:
    """Delay with which the price follows the market.

    Notes
    -----
    ``1 - R²_restricted / R²_unrestricted``: weekly returns on the market of the week, against
    on the market of the week and of the four before it, over 156 weeks, at least 52 of them
    known. Hou and Moskowitz (2005); GHZ pricedelay.
    """
    weekly, followed = _weekly(market), market_return(market)
    result = np.full((len(formations), weekly.values.shape[1]), np.nan)
    for row, formation in enumerate(formations):
        rows = weekly_rows(int(formation), first=(N_LAGS + 1) * WEEK - 1)
        if len(rows) >= LEAST_WEEKS:
            lagged = np.stack([followed[rows - WEEK * lag] for lag in range(N_LAGS + 1)])
            result[row] = _delay(lagged, *weekly.of(rows))
    return result[:, : market.shape[1]]


@dataclass(frozen=True)
class MarketRegression:
    """Weekly returns on the market: slopes and residual standard deviations, (T, N) each."""

    slope: Matrix
    residual_deviation: Matrix


def market_regression(market: DailyMarket, formations: Formations) -> MarketRegression:
    """Regress each asset's weekly returns on the equal-weighted market, per formation.

    The weeks are blocks of five sessions counted back from the formation, 156 at most. NaN
    where fewer than 52 are known or the market does not move.
    """
    return market.remembered(
        ("market regression", formations.tobytes()), lambda: _regressions(market, formations)
    )


def _regressions(market: DailyMarket, formations: Formations) -> MarketRegression:
    weekly, followed = _weekly(market), market_return(market)
    slope = np.full((len(formations), weekly.values.shape[1]), np.nan)
    deviation = slope.copy()
    for row, formation in enumerate(formations):
        rows = weekly_rows(int(formation), first=WEEK - 1)
        if len(rows) >= LEAST_WEEKS:
            x = followed[rows]
            slope[row], deviation[row] = _simple_regression(x, *weekly.of(rows))
    n_assets = market.shape[1]
    return MarketRegression(slope[:, :n_assets], deviation[:, :n_assets])


@dataclass(frozen=True)
class _Weekly:
    """Weekly returns ending on each day, (D, N) each, ready for sums of products.

    Attributes
    ----------
    values
        Zero where not known.
    known
        One where known, zero elsewhere: a weight.
    """

    values: Matrix
    known: Matrix

    def of(self, rows: NDArray[np.int64]) -> tuple[Matrix, Matrix]:
        """Return values and weights of weeks that are five days apart, as views. -> (W, N)."""
        weeks = slice(int(rows[0]), int(rows[-1]) + 1, WEEK)
        return self.values[weeks], self.known[weeks]


def _weekly(market: DailyMarket) -> _Weekly:
    return market.remembered("weekly", lambda: _filled(weekly_returns(market)))


def _filled(weekly: Matrix) -> _Weekly:
    """Split weekly returns into values and weights.

    A lone column is doubled: NumPy adds a single column up in another order than several, and
    a value must not depend on how many assets there are.
    """
    if weekly.shape[1] == 1:
        weekly = np.repeat(weekly, 2, axis=1)
    known = np.isfinite(weekly)
    return _Weekly(np.where(known, weekly, 0.0), known.astype(np.float64))


def _simple_regression(x: Matrix, y: Matrix, known: Matrix) -> tuple[Matrix, Matrix]:
    """Return slope and residual deviation of each column of y (W, N) on x (W,).

    The market's mean over the weeks is taken off first, so the sums are of the size of what
    varies; a column's own mean over the weeks it knows comes off the sums.
    """
    x, offset = _centred(x)
    powers = np.stack([np.ones_like(x), x, x * x])
    count, total, squares = np.einsum("vw,wn->vn", powers, known)
    y_total, products = np.einsum("vw,wn->vn", powers[:2], y)
    y_squares = np.einsum("wn,wn->n", y, y)
    weeks = np.maximum(count, 1.0)
    variation = squares - total * total / weeks
    size = np.maximum(squares, squares + (2.0 * total + count * offset) * offset)
    common = products - total * y_total / weeks
    slope = np.full(len(count), np.nan)
    usable = (count >= LEAST_WEEKS) & (variation > NEGLIGIBLE * size)
    np.divide(common, variation, out=slope, where=usable)
    residual = y_squares - y_total * y_total / weeks - slope * common
    close = np.flatnonzero(usable & (residual < LITTLE_LEFT * y_squares))
    level = (y_total - slope * total)[close] / weeks[close]
    residual[close] = _squared_residuals(
        x, y[:, close], known[:, close], level=level, slope=slope[close]
    )
    return slope, np.sqrt(residual / np.maximum(count - 1.0, 1.0))


def _squared_residuals(
    x: Matrix, y: Matrix, known: Matrix, *, level: Matrix, slope: Matrix
) -> Matrix:
    """Add squared residuals up week by week, where a difference of sums would leave rounding."""
    residual = (y - (level + x[:, None] * slope)) * known
    total: Matrix = np.cumsum(residual * residual, axis=0)[-1]
    return total


def _delay(lagged: Matrix, y: Matrix, known: Matrix) -> Matrix:
    """Return the delay of each column of y (W, N) behind the market and its lags (L, W)."""
    seen = np.isfinite(lagged.sum(axis=0))
    if not seen.all():  # weeks of a market in which no asset is known
        lagged, y, known = lagged[:, seen], y[seen], known[seen]
    products, count = _cross_products(np.stack([_centred(x)[0] for x in lagged]), y, known)
    unexplained = _residual_variation(products)
    total, restricted, unrestricted = unexplained[0], unexplained[1], unexplained[-1]
    explained = total - unrestricted
    usable = (count >= LEAST_WEEKS) & (explained > NEGLIGIBLE * total)
    return np.where(usable, ratio(restricted - unrestricted, explained), np.nan)


def _residual_variation(products: Matrix) -> Matrix:
    """Return the last variable's residual sum of squares as regressors enter one by one.

    Gaussian elimination of the cross products (V, V, N) takes the regressors out in order; what
    is left in the last corner is the residual variation. A regressor that those before it
    explain changes nothing.

    Returns
    -------
    (V, N)
        Row k: after the first k regressors.
    """
    remaining = products.copy()
    corners = [remaining[-1, -1].copy()]
    for k in range(len(products) - 1):
        pivot = remaining[k, k]
        usable = pivot > NEGLIGIBLE * products[k, k]
        weights = np.divide(
            remaining[k], pivot, out=np.zeros_like(remaining[k]), where=usable[None, :]
        )
        remaining = remaining - remaining[:, k][:, None] * weights[None, :]
        corners.append(remaining[-1, -1].copy())
    return np.stack(corners)


def _cross_products(x: Matrix, y: Matrix, known: Matrix) -> tuple[Matrix, Matrix]:
    """Return centred sums of products of L regressors (L, W) and y (W, N) over the known weeks.

    Returns
    -------
    (L + 1, L + 1, N), (N,)
        y comes last; and how many weeks are known.
    """
    first, second = np.triu_indices(len(x))
    weights = np.concatenate([np.ones((1, x.shape[1])), x, x[first] * x[second]])
    sums = np.einsum("vw,wn->vn", weights, known)
    with_y = np.einsum("vw,wn->vn", weights[: len(x) + 1], y)
    products = np.empty((len(x) + 1, len(x) + 1, y.shape[1]))
    products[first, second] = products[second, first] = sums[len(x) + 1 :]
    products[-1, :-1] = products[:-1, -1] = with_y[1:]
    products[-1, -1] = np.einsum("wn,wn->n", y, y)
    totals = np.concatenate([sums[1 : len(x) + 1], with_y[:1]])
    return products - totals[:, None] * totals[None, :] / np.maximum(sums[0], 1.0), sums[0]


def _centred(x: Matrix) -> tuple[Matrix, float]:
    """Return (W,) values less their mean, zero where not known, and the mean."""
    known = np.isfinite(x)
    mean = float(x[known].mean()) if known.any() else 0.0
    return np.where(known, x - mean, 0.0), mean
