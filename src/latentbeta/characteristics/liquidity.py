"""Liquidity: turnover, dollar volume, price impact, days without trade, and the spread.

Volume and shares are the raw ones of the same day, so a split changes neither turnover nor
dollar volume.
"""

from __future__ import annotations

import numpy as np

from latentbeta.characteristics.windows import (
    MONTH,
    Daily,
    Formations,
    Window,
    deviation_over,
    least_days,
    mean_over,
    ratio,
    total_over,
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
    return mean_over(_turnover(market), Window(formations, 3 * MONTH))


def std_turn(market: DailyMarket, formations: Formations) -> Matrix:
    """Volatility of share turnover.

    Notes
    -----
    Standard deviation of daily ``volume / shares`` over 21 days. Chordia, Subrahmanyam and
    Anshuman (2001); GHZ std_turn.
    """
    return deviation_over(_turnover(market), Window(formations, MONTH))


def dolvol(market: DailyMarket, formations: Formations) -> Matrix:
    """Log of dollar volume.

    Notes
    -----
    Log of the mean of ``close · volume`` over days 22 to 42 back: the month before the last, as
    in GHZ. Chordia, Subrahmanyam and Anshuman (2001).
    """
    daily = Daily.of(_dollars(market))
    return _log(mean_over(daily, Window(formations, MONTH, skip=MONTH)))


def std_dolvol(market: DailyMarket, formations: Formations) -> Matrix:
    """Volatility of dollar volume.

    Notes
    -----
    Standard deviation of ``log(close · volume)`` over the days with trade of the last 21.
    Chordia, Subrahmanyam and Anshuman (2001); GHZ std_dolvol.
    """
    daily = Daily.of(_log(_dollars(market)))
    return deviation_over(daily, Window(formations, MONTH))


def ill(market: DailyMarket, formations: Formations) -> Matrix:
    """Illiquidity: price impact of a dollar traded.

    Notes
    -----
    Mean of ``|r| / (close · volume)`` over the days with trade of the last 21. Amihud (2002);
    GHZ ill.
    """
    daily = Daily.of(ratio(np.abs(market.total_return), _dollars(market)))
    return mean_over(daily, Window(formations, MONTH))


def zerotrade(market: DailyMarket, formations: Formations) -> Matrix:
    """Days without trade, ties broken by turnover.

    Notes
    -----
    ``(z + min(1 / (480000 u), 1)) · 21 / n`` over the last 21 days: z days of zero volume and a
    turnover of u in n days with a quote. Liu (2006), GHZ zerotrade; the bound of one, which Liu's
    deflator is chosen to keep, also serves an asset that never traded.
    """
    daily, window = _turnover(market), Window(formations, MONTH)
    turnover, days = total_over(daily, window)
    zeros = np.zeros(days.shape)
    for values, known in window.days(daily):
        zeros += known & (values == 0)
    total = LIU_DEFLATOR * turnover
    tie_break = np.divide(1.0, total, out=np.ones_like(total), where=total > 1.0)
    enough = days >= least_days(MONTH)
    return np.where(enough, (zeros + tie_break) * MONTH / np.maximum(days, 1), np.nan)


def baspread(market: DailyMarket, formations: Formations) -> Matrix:
    """Relative spread.

    Notes
    -----
    Mean of ``(high - low) / ((high + low) / 2)`` over 21 days: the daily range that GHZ and GKX
    use, not a spread estimated from it. Amihud and Mendelson (1989).
    """
    daily = Daily.of(ratio(market.high - market.low, (market.high + market.low) / 2))
    return mean_over(daily, Window(formations, MONTH))


def _turnover(market: DailyMarket) -> Daily:
    """Shares traded over shares outstanding, both of the day."""
    return market.remembered("turnover", lambda: Daily.of(ratio(market.volume, market.shares)))


def _dollars(market: DailyMarket) -> Matrix:
    """(D, N) close times volume."""
    return market.remembered("dollars", lambda: market.close * market.volume)


def _log(values: Matrix) -> Matrix:
    return np.log(values, out=np.full(values.shape, np.nan), where=values > 0)
