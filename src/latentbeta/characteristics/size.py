"""Size: market value of the date."""

from __future__ import annotations

import numpy as np

from latentbeta.characteristics.windows import Formations, last_known
from latentbeta.data.market import DailyMarket, Matrix


def market_equity(market: DailyMarket, formations: Formations) -> Matrix:
    """Return the market value at each formation: the raw close times the shares of that day.

    Returns
    -------
    (T, N) float64
        In currency; the latest of the last five sessions that has both, NaN where none has.
    """
    return last_known(formations, market.close, market.shares)


def mvel1(market: DailyMarket, formations: Formations) -> Matrix:
    """Log of market equity.

    Notes
    -----
    ``log(close · shares)``, both of the date. Banz (1981); GHZ mvel1.
    """
    value = market_equity(market, formations)
    return np.log(value, out=np.full(value.shape, np.nan), where=value > 0)
