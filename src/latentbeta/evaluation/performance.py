"""What a series of portfolio returns amounts to."""

from __future__ import annotations

import numpy as np

from latentbeta.evaluation.sample import Matrix, Vector


def sharpe_ratio(mean: Vector, variance: Vector, periods_per_year: int) -> Vector:
    """Annualised ratio of mean to standard deviation; NaN where the returns do not vary.

    Notes
    -----
    Sharpe (1994); the returns are in excess of the risk-free rate, or of no net investment.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(variance > 0, mean / np.sqrt(variance), np.nan) * np.sqrt(periods_per_year)


def maximum_drawdown(returns: Matrix) -> Vector:
    """Largest fall of compounded wealth from its highest value so far.

    Parameters
    ----------
    returns : (…, T)
        Decimal, in the order of the dates (last axis); a date without a return (NaN) leaves
        wealth as it is.

    Returns
    -------
    (…,)
        Share of the peak that was lost, between 0 and 1, the beginning counted as a peak; NaN
        where no date has a return. A loss of all wealth is final.
    """
    wealth = np.cumprod(np.maximum(1.0 + np.nan_to_num(returns), 0.0), axis=-1)
    peak = np.maximum(np.maximum.accumulate(wealth, axis=-1), 1.0)
    fall = (1.0 - wealth / peak).max(axis=-1, initial=0.0)
    return np.where(np.isfinite(returns).any(axis=-1), fall, np.nan)
