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
    Formations,
    deviation_of_known,
    largest_known,
    over_windows,
    ratio,
)
from latentbeta.data.market import DailyMarket, Matrix

N_LAGS = 4
NEGLIGIBLE = 1e-10  # share of its variation below which a regressor adds nothing


def maxret(market: DailyMarket, formations: Formations) -> Matrix:
    """Largest daily return.

    Notes
    -----
    ``max r_d`` over the daily returns of 21 days. Bali, Cakici and Whitelaw (2011); GHZ maxret.
    """
    return over_windows(market.total_return, formations, MONTH, largest_known)


def retvol(market: DailyMarket, formations: Formations) -> Matrix:
    """Return volatility.

    Notes
    -----
    Standard deviation of daily returns over 21 days. Ang, Hodrick, Xing and Zhang (2006); GHZ
    retvol.
    """
    return over_windows(market.total_return, formations, MONTH, deviation_of_known)


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
    weekly = weekly_returns(market)
    followed = market_return(weekly)
    result = np.full((len(formations), market.shape[1]), np.nan)
    for row, formation in enumerate(formations):
        rows = weekly_rows(int(formation), first=(N_LAGS + 1) * WEEK - 1)
        if len(rows) >= LEAST_WEEKS:
            lagged = np.stack([followed[rows - WEEK * lag] for lag in range(N_LAGS + 1)])
            result[row] = _delay(lagged, weekly[rows])
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
    weekly = weekly_returns(market)
    followed = market_return(weekly)
    slope = np.full((len(formations), market.shape[1]), np.nan)
    deviation = slope.copy()
    for row, formation in enumerate(formations):
        rows = weekly_rows(int(formation), first=WEEK - 1)
        if len(rows) >= LEAST_WEEKS:
            slope[row], deviation[row] = _simple_regression(followed[rows], weekly[rows])
    return MarketRegression(slope, deviation)


def _simple_regression(x: Matrix, y: Matrix) -> tuple[Matrix, Matrix]:
    """Return slope and residual deviation of each column of y (W, N) on x (W,)."""
    known = np.isfinite(y) & np.isfinite(x)[:, None]
    count = known.sum(axis=0)
    x_centred, y_centred = _centred(x[:, None], known), _centred(y, known)
    variation = np.einsum("wn,wn->n", x_centred, x_centred)
    size = np.einsum("wn,wn->n", *[np.where(known, x[:, None], 0.0)] * 2)
    slope = np.full(len(count), np.nan)
    usable = (count >= LEAST_WEEKS) & (variation > NEGLIGIBLE * size)
    np.divide(np.einsum("wn,wn->n", x_centred, y_centred), variation, out=slope, where=usable)
    residual = y_centred - slope * x_centred
    return slope, np.sqrt(np.einsum("wn,wn->n", residual, residual) / np.maximum(count - 1, 1))


def _delay(lagged: Matrix, y: Matrix) -> Matrix:
    """Return the delay of each column of y (W, N) behind the market and its lags (L, W)."""
    known = np.isfinite(y) & np.isfinite(lagged.sum(axis=0))[:, None]
    columns = [_centred(x[:, None], known) for x in lagged] + [_centred(y, known)]
    unexplained = _residual_variation(_cross_products(columns))
    total, restricted, unrestricted = unexplained[0], unexplained[1], unexplained[-1]
    explained = total - unrestricted
    usable = (known.sum(axis=0) >= LEAST_WEEKS) & (explained > NEGLIGIBLE * total)
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


def _cross_products(columns: list[Matrix]) -> Matrix:
    """Return the sums of products of all pairs of V matrices (W, N) over W. -> (V, V, N)."""
    size = len(columns)
    products = np.empty((size, size, columns[0].shape[1]))
    for i in range(size):
        for j in range(i + 1):
            products[i, j] = products[j, i] = np.einsum("wn,wn->n", columns[i], columns[j])
    return products


def _centred(values: Matrix, known: NDArray[np.bool_]) -> Matrix:
    """Return values less their mean over the known rows, zero in the others. -> (W, N)."""
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(known, values - total / np.maximum(known.sum(axis=0), 1), 0.0)
