"""Excess returns over return periods, from daily total returns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentbeta.characteristics.windows import daily_returns, unknown_return
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
    over = periods.ends < len(market.days)
    lengths = np.where(over, periods.ends - periods.formations, 0)
    daily, unknown = daily_returns(market), unknown_return(market)
    shape = len(lengths), market.shape[1]
    grown, days_after_last = np.ones(shape), np.zeros(shape, dtype=np.int64)
    seen, broken = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for step in range(lengths.max(initial=0)):
        inside = step < lengths
        days = np.where(inside, periods.formations + 1 + step, 0)
        values, known = daily.at(np.where(inside, days, -1), age=0)
        grown *= values + 1.0
        days_after_last += inside[:, None]
        np.copyto(days_after_last, 0, where=known)
        seen |= known
        broken |= unknown.take(days, axis=0) & inside[:, None]
    to_end = _risk_free_to_end(market.risk_free, periods.ends, lengths)
    whole = np.take_along_axis(to_end, lengths[:, None], axis=1)
    excess = grown * np.take_along_axis(to_end, days_after_last, axis=1) - whole
    return np.where(seen & ~broken, excess, np.nan)


def _risk_free_to_end(
    risk_free: Matrix, ends: NDArray[np.int64], lengths: NDArray[np.int64]
) -> Matrix:
    """Return what one grows to over a period's last k days, k = 0, 1, … -> (T, longest + 1)."""
    to_end = np.ones((len(ends), lengths.max(initial=0) + 1))
    for k in range(1, to_end.shape[1]):
        days = np.where(k <= lengths, ends - k + 1, 0)
        to_end[:, k] = to_end[:, k - 1] * (1.0 + risk_free[days])
    return to_end
