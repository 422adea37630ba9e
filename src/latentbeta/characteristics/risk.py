"""Risk: volatility, the largest daily return, and weekly regressions on the market."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentbeta.characteristics.weekly import (
    LEAST_WEEKS,
    WEEK,
    Weekly,
    market_return,
    weekly_returns,
    weekly_rows,
)
from latentbeta.characteristics.windows import (
    MONTH,
    Formations,
    Mask,
    Window,
    daily_returns,
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
    return largest_over(daily_returns(market), Window(formations, MONTH))


def retvol(market: DailyMarket, formations: Formations) -> Matrix:
    """Return volatility.

    Notes
    -----
    Standard deviation of daily returns over 21 days. Ang, Hodrick, Xing and Zhang (2006); GHZ
    retvol.
    """
    return deviation_over(daily_returns(market), Window(formations, MONTH))


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
    weekly, followed = weekly_returns(market), market_return(market)
    result = np.full((len(formations), market.shape[1]), np.nan)
    for row, formation in enumerate(formations):
        rows = weekly_rows(int(formation), first=(N_LAGS + 1) * WEEK - 1)
        if len(rows) >= LEAST_WEEKS:
            lagged = np.stack([followed[rows - WEEK * lag] for lag in range(N_LAGS + 1)])
            result[row] = _delay(lagged, *_doubled(*weekly.of(rows)))[: market.shape[1]]
    return result


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
    return regressions(market_return(market), weekly_returns(market), formations)


def regressions(followed: Matrix, weekly: Weekly, formations: Formations) -> MarketRegression:
    """Regress weekly returns on the market's (D,), by sums over the weeks before a formation.

    The market's mean over its first year, which lies before any formation with 52 weeks, is
    taken off, so the sums are of the size of what varies.
    """
    x, offset = _centred(followed, LEAST_WEEKS * WEEK)
    count, total, squares, y_total, common, y_squares = _sums_over_weeks(x, weekly, formations)
    weeks = np.maximum(count, 1.0)
    variation = squares - total * total / weeks
    size = np.maximum(squares, squares + (2.0 * total + count * offset) * offset)
    common -= total * y_total / weeks
    usable = (count >= LEAST_WEEKS) & (variation > NEGLIGIBLE * size)
    slope = np.divide(common, variation, out=np.full(count.shape, np.nan), where=usable)
    residual = y_squares - y_total * y_total / weeks - slope * common
    close = usable & (residual < LITTLE_LEFT * y_squares)
    for row in np.flatnonzero(close.any(axis=1)):
        columns, rows = close[row], weekly_rows(int(formations[row]), first=WEEK - 1)
        y, known = (of_weeks[:, columns] for of_weeks in weekly.of(rows))
        at = slope[row, columns]
        level = (y_total[row, columns] - at * total[row, columns]) / weeks[row, columns]
        residual[row, columns] = _squared_residuals(x[rows], y, known, level=level, slope=at)
    return MarketRegression(slope, np.sqrt(residual / np.maximum(count - 1.0, 1.0)))


def _sums_over_weeks(x: Matrix, weekly: Weekly, formations: Formations) -> Matrix:
    """Add 1, x, x², y, x y, y² up over the known weeks before each formation. -> (6, T, N).

    A week's row holds three numbers an asset, so there is more than one and NumPy adds row to row:
    the order of a sum does not depend on how many assets there are.
    """
    y, known = weekly.values, weekly.known
    terms = np.empty((len(y), 3, y.shape[1]))  # zero where y is not known
    terms[:, 0] = y
    np.multiply(y, x[:, None], out=terms[:, 1])
    np.multiply(y, y, out=terms[:, 2])
    powers = np.stack([np.ones_like(x), x, x * x], axis=1)
    sums = np.zeros((len(formations), 6, y.shape[1]))
    for row, formation in enumerate(formations):
        rows = weekly_rows(int(formation), first=WEEK - 1)
        if len(rows) >= LEAST_WEEKS:
            weeks = slice(rows[0], rows[-1] + 1, WEEK)
            sums[row, :3] = _sums_where_known(powers[weeks], known[weeks])
            np.add.reduce(terms[weeks], axis=0, out=sums[row, 3:])
    return sums.swapaxes(0, 1)


def _sums_where_known(powers: Matrix, known: Mask) -> Matrix:
    """Add the market's powers (W, 3) up over each asset's known weeks (W, N). -> (3, N).

    Most assets are known in every week and share one sum.
    """
    sums = np.repeat(np.add.reduce(powers, axis=0)[:, None], known.shape[1], axis=1)
    gaps = ~known.all(axis=0)
    if gaps.any():
        sums[:, gaps] = np.add.reduce(powers[:, :, None] * known[:, None, gaps], axis=0)
    return sums


def _squared_residuals(
    x: Matrix, y: Matrix, known: Matrix, *, level: Matrix, slope: Matrix
) -> Matrix:
    """Add squared residuals up week by week, where a difference of sums would leave rounding."""
    residual = (y - (level + x[:, None] * slope)) * known
    total: Matrix = np.cumsum(residual * residual, axis=0)[-1]
    return total


def _doubled(y: Matrix, known: Matrix) -> tuple[Matrix, Matrix]:
    """Repeat a lone column of (W, N): NumPy adds it up in another order than several."""
    if y.shape[1] > 1:
        return y, known
    return np.repeat(y, 2, axis=1), np.repeat(known, 2, axis=1)


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


def _centred(x: Matrix, first: int | None = None) -> tuple[Matrix, float]:
    """Return (W,) values less the mean of the first ones, zero where not known, and the mean."""
    known = np.isfinite(x)
    few = x[:first][known[:first]]
    mean = float(few.mean()) if len(few) else 0.0
    return np.where(known, x - mean, 0.0), mean
