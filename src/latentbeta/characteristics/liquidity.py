"""Liquidity: turnover, dollar volume, price impact, days without trade, and the spread.

Volume and shares are the raw ones of the same day, so a split changes neither turnover nor
dollar volume.
"""

from __future__ import annotations

import numpy as np

from latentbeta.characteristics.windows import (
    MONTH,
    Formations,
    deviation_of_known,
    mean_of_known,
    over_windows,
    ratio,
)
from latentbeta.data.market import DailyMarket, Matrix

LIU_DEFLATOR = 480_000.0  # Liu (2006), for windows of one month


def turn(market: DailyMarket, formations: Formations) -> Matrix:
    """Share turnover.

    Notes
    -----
    Mean of ``volume / shares`` over 63 days, each day with its own shares. Datar, Naik and
    Radcliffe (1998); GHZ turn, whose monthly sum is 21 times as large.
    """
    return over_windows(daily_turnover(market), formations, 3 * MONTH, mean_of_known)


def std_turn(market: DailyMarket, formations: Formations) -> Matrix:
    """Volatility of share turnover.

    Notes
    -----
    Standard deviation of daily ``volume / shares`` over 21 days. Chordia, Subrahmanyam and
    Anshuman (2001); GHZ std_turn.
    """
    return over_windows(daily_turnover(market), formations, MONTH, deviation_of_known)


def dolvol(market: DailyMarket, formations: Formations) -> Matrix:
    """Log of dollar volume.

    Notes
    -----
    Log of the mean of ``close · volume`` over days 22 to 42 back: the month before the last, as
    in GHZ. Chordia, Subrahmanyam and Anshuman (2001).
    """
    volume = over_windows(
        market.close * market.volume, formations, MONTH, mean_of_known, skip=MONTH
    )
    return _log(volume)


def std_dolvol(market: DailyMarket, formations: Formations) -> Matrix:
    """Volatility of dollar volume.

    Notes
    -----
    Standard deviation of ``log(close · volume)`` over the days with trade of the last 21.
    Chordia, Subrahmanyam and Anshuman (2001); GHZ std_dolvol.
    """
    daily = _log(market.close * market.volume)
    return over_windows(daily, formations, MONTH, deviation_of_known)


def ill(market: DailyMarket, formations: Formations) -> Matrix:
    """Illiquidity: price impact of a dollar traded.

    Notes
    -----
    Mean of ``|r| / (close · volume)`` over the days with trade of the last 21. Amihud (2002);
    GHZ ill.
    """
    daily = ratio(np.abs(market.total_return), market.close * market.volume)
    return over_windows(daily, formations, MONTH, mean_of_known)


def zerotrade(market: DailyMarket, formations: Formations) -> Matrix:
    """Days without trade, ties broken by turnover.

    Notes
    -----
    ``(z + min(1 / (480000 u), 1)) · 21 / n`` over the last 21 days: z days of zero volume and a
    turnover of u in n days with a quote. Liu (2006), GHZ zerotrade; the bound of one, which Liu's
    deflator is chosen to keep, also serves an asset that never traded.
    """
    return over_windows(daily_turnover(market), formations, MONTH, _adjusted_zero_days)


def baspread(market: DailyMarket, formations: Formations) -> Matrix:
    """Relative spread.

    Notes
    -----
    Mean of ``(high - low) / ((high + low) / 2)`` over 21 days: the daily range that GHZ and GKX
    use, not a spread estimated from it. Amihud and Mendelson (1989).
    """
    daily = ratio(market.high - market.low, (market.high + market.low) / 2)
    return over_windows(daily, formations, MONTH, mean_of_known)


def daily_turnover(market: DailyMarket) -> Matrix:
    """Return (D, N) shares traded over shares outstanding, both of the day."""
    return ratio(market.volume, market.shares)


def _adjusted_zero_days(turnover: Matrix) -> Matrix:
    days = np.isfinite(turnover).sum(axis=0)
    zeros = (turnover == 0).sum(axis=0)
    total = LIU_DEFLATOR * np.where(days > 0, mean_of_known(turnover) * days, np.nan)
    tie_break = np.divide(1.0, total, out=np.ones_like(total), where=total > 1.0)
    return (zeros + tie_break) * MONTH / np.maximum(days, 1)


def _log(values: Matrix) -> Matrix:
    return np.log(values, out=np.full(values.shape, np.nan), where=values > 0)
