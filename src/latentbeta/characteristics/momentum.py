"""Momentum and reversal: returns compounded over past windows."""

from __future__ import annotations

import numpy as np

from latentbeta.characteristics.windows import (
    MONTH,
    YEAR,
    Formations,
    least_days,
    mean_across_assets,
    quoted_lately,
    unknown_return,
)
from latentbeta.data.market import DailyMarket, Matrix


def mom1m(market: DailyMarket, formations: Formations) -> Matrix:
    """Return of the last month: short-term reversal.

    Notes
    -----
    ``Π(1 + r_d) - 1`` over the 21 days that end at the formation. Jegadeesh (1990); GHZ mom1m.
    """
    return compounded(market, formations, length=MONTH, skip=0)


def mom6m(market: DailyMarket, formations: Formations) -> Matrix:
    """Return of the last six months without the latest.

    Notes
    -----
    ``Π(1 + r_d) - 1`` over days 22 to 126 back (five months). Jegadeesh and Titman (1993);
    GHZ mom6m.
    """
    return compounded(market, formations, length=5 * MONTH, skip=MONTH)


def mom12m(market: DailyMarket, formations: Formations) -> Matrix:
    """Return of the last twelve months without the latest.

    Notes
    -----
    ``Π(1 + r_d) - 1`` over days 22 to 252 back (eleven months). Jegadeesh (1990); GHZ mom12m.
    """
    return compounded(market, formations, length=11 * MONTH, skip=MONTH)


def mom36m(market: DailyMarket, formations: Formations) -> Matrix:
    """Return of the last three years without the latest year: long-term reversal.

    Notes
    -----
    ``Π(1 + r_d) - 1`` over days 253 to 756 back (24 months). De Bondt and Thaler (1985);
    GHZ mom36m.
    """
    return compounded(market, formations, length=2 * YEAR, skip=YEAR)


def chmom(market: DailyMarket, formations: Formations) -> Matrix:
    """Change in six-month momentum.

    Notes
    -----
    Return over the last 126 days less the return over the 126 days before them. As in GHZ
    neither half skips its latest month, unlike mom6m. Gettleman and Marks (2006).
    """
    now = compounded(market, formations, length=6 * MONTH, skip=0)
    before = compounded(market, formations, length=6 * MONTH, skip=6 * MONTH)
    return now - before


def indmom(market: DailyMarket, formations: Formations) -> Matrix:
    """Momentum of the asset's sector.

    Notes
    -----
    Equal-weighted mean of mom12m over the sector's assets that are quoted at the formation, the
    asset itself included; NaN where the sector is not known. Moskowitz and Grinblatt (1999) in
    the twelve-month form of GHZ.
    """
    own = np.where(quoted_lately(market, formations), mom12m(market, formations), np.nan)
    result = np.full(own.shape, np.nan)
    for code in np.unique(market.sector[market.sector >= 0]):
        members = market.sector == code
        result[:, members] = mean_across_assets(own[:, members])[:, None]
    return result


def compounded(market: DailyMarket, formations: Formations, *, length: int, skip: int) -> Matrix:
    """Return the compounded total return of `length` days that end `skip` before a formation.

    Days without a quote count as zero, for the return of the next quote spans them.

    Returns
    -------
    (T, N) float64
        NaN where the window starts before the data or before the asset's first quote, holds a
        quote whose return is unknown, or has returns on fewer than two thirds of its days.
    """
    known = np.isfinite(market.total_return)
    wealth = np.cumprod(np.where(known, 1.0 + market.total_return, 1.0), axis=0)
    returns = np.cumsum(known, axis=0)
    breaks = np.cumsum(unknown_return(market), axis=0)

    stop = formations - skip
    inside = stop - length >= 0
    stop, start = stop[inside], (stop - length)[inside]
    usable = (returns[stop] - returns[start] >= least_days(length)) & (
        breaks[stop] == breaks[start]
    )
    usable &= wealth[start] > 0
    result = np.full((len(formations), market.shape[1]), np.nan)
    growth = np.divide(wealth[stop], wealth[start], out=np.full(usable.shape, np.nan), where=usable)
    result[inside] = growth - 1.0
    return result
