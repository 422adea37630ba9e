"""Excess returns over return periods, from daily total returns."""

from __future__ import annotations

import numpy as np

from latentbeta.characteristics.windows import unknown_return
from latentbeta.data.market import DailyMarket, Matrix
from latentbeta.panel.periods import Periods


def period_returns(market: DailyMarket, periods: Periods) -> Matrix:
    """Return each asset's return in excess of the risk-free rate over each period.

    The days of a period are those after its formation, up to its end. What a day means:

    - a known return is compounded; the last one of a delisted asset holds its delisting return;
    - a day without a quote, with a quote later in the period, counts as zero: the return of that
      quote spans the gap;
    - from an asset's last quote in the period on, be it delisted or merely not quoted, what it is
      worth earns the risk-free rate, so the excess earned up to then is carried to the end;
    - a quote whose own return is unknown makes the period's return unknown.

    Whether the asset is quoted again after the period plays no part.

    Returns
    -------
    (T, N) float64
        Decimal; NaN where unknown, where the period has no known return at all, and in a period
        that ends ahead of the data.
    """
    broken = unknown_return(market)
    result = np.full((len(periods.dates), market.shape[1]), np.nan)
    for row, (formation, end) in enumerate(zip(periods.formations, periods.ends, strict=True)):
        if end < len(market.days):
            days = slice(int(formation) + 1, int(end) + 1)
            excess = _excess(market.total_return[days], market.risk_free[days])
            result[row] = np.where(broken[days].any(axis=0), np.nan, excess)
    return result


def _excess(total_return: Matrix, risk_free: Matrix) -> Matrix:
    """Compound (d, N) daily returns, then the risk-free rate from each asset's last on. -> (N,)."""
    known = np.isfinite(total_return)
    grown = np.where(known, 1.0 + total_return, 1.0).prod(axis=0)
    # to_end[k]: growth of the risk-free rate over the last k days
    to_end = np.append(1.0, np.cumprod(1.0 + risk_free[::-1]))
    days_after_last = np.argmax(known[::-1], axis=0)
    excess = grown * to_end[days_after_last] - to_end[-1]
    return np.where(known.any(axis=0), excess, np.nan)
