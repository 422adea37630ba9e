"""Momentum and reversal: returns compounded over past windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentbeta.characteristics.sectors import sector_mean
from latentbeta.characteristics.windows import (
    MONTH,
    YEAR,
    Formations,
    daily_returns,
    gross_returns,
    least_days,
    over_last,
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
    return sector_mean(market, formations, "mom12m", mom12m)


def compounded(market: DailyMarket, formations: Formations, *, length: int, skip: int) -> Matrix:
    """Return the compounded total return of `length` days that end `skip` before a formation.

    Days without a quote count as zero, for the return of the next quote spans them. `length` is a
    number of whole months of 21 days, whose products the windows share.

    Returns
    -------
    (T, N) float64
        NaN where the window starts before the data or before the asset's first quote, holds a
        quote whose return is unknown, or has returns on fewer than two thirds of its days.
    """
    months = market.remembered("months", lambda: _months(market))
    first = formations - skip - length  # the day before the window
    growth = np.ones((len(formations), market.shape[1]))
    known = np.zeros(growth.shape, dtype=np.uint16)
    whole = np.repeat((first >= 0)[:, None], market.shape[1], axis=1)
    for age in range(skip + length - MONTH, skip - 1, -MONTH):
        rows = np.maximum(formations - age, 0)
        growth *= months.growth.take(rows, axis=0)
        known += months.known.take(rows, axis=0)
        whole &= ~months.broken.take(rows, axis=0)
    return np.where(whole & (known >= least_days(length)), growth - 1.0, np.nan)


@dataclass(frozen=True)
class _Months:
    """Of the 21 days that end on each day, (D, N) each.

    Attributes
    ----------
    growth : float
        ``Π(1 + r_d)`` over the known returns.
    known : uint8
        How many there are.
    broken : bool
        Whether a quote among them has an unknown return.
    """

    growth: Matrix
    known: NDArray[np.uint8]
    broken: NDArray[np.bool_]


def _months(market: DailyMarket) -> _Months:
    known = daily_returns(market).known[1:].view(np.uint8)
    return _Months(
        growth=over_last(gross_returns(market), MONTH, np.multiply),
        known=over_last(known, MONTH, np.add),
        broken=over_last(unknown_return(market), MONTH, np.logical_or),
    )
