"""Slow, plainly written forms of every characteristic: one asset and one date at a time."""

import math
import statistics

import numpy as np


def finite(values):
    return [float(v) for v in values if math.isfinite(v)]


def window(matrix, asset, day, length, skip=0):
    """Values of the window that lie inside the data, oldest first."""
    stop = day - skip
    return [float(matrix[d, asset]) for d in range(stop - length + 1, stop + 1) if d >= 0]


def cumulative(market, asset, day, length, skip=0):
    first, last = day - skip - length + 1, day - skip
    if first - 1 < 0:
        return math.nan
    growth, known = 1.0, 0
    for d in range(first, last + 1):
        r = market.total_return[d, asset]
        if math.isfinite(r):
            growth *= 1.0 + r
            known += 1
        elif math.isfinite(market.close[d, asset]):
            return math.nan
    return growth - 1.0 if 3 * known >= 2 * length else math.nan


def quoted(market, asset, day):
    return any(math.isfinite(market.close[d, asset]) for d in range(max(day - 4, 0), day + 1))


def sector_momentum(market, asset, day):
    if market.sector[asset] < 0:
        return math.nan
    peers = [n for n in range(market.shape[1]) if market.sector[n] == market.sector[asset]]
    known = finite(cumulative(market, n, day, 231, 21) for n in peers if quoted(market, n, day))
    return statistics.fmean(known) if known else math.nan


def mean_if_enough(values, length):
    known = finite(values)
    return statistics.fmean(known) if 3 * len(known) >= 2 * length else math.nan


def deviation_if_enough(values, length):
    known = finite(values)
    return statistics.stdev(known) if 3 * len(known) >= 2 * length else math.nan


def turnover(market, asset, day, length):
    volume = window(market.volume, asset, day, length)
    shares = window(market.shares, asset, day, length)
    return [v / s for v, s in zip(volume, shares, strict=True)]


def dollars(market, asset, day, length, skip=0):
    volume = window(market.volume, asset, day, length, skip)
    close = window(market.close, asset, day, length, skip)
    return [v * c for v, c in zip(volume, close, strict=True)]


def largest(market, asset, day):
    known = finite(window(market.total_return, asset, day, 21))
    return max(known) if len(known) >= 14 else math.nan


def log_size(market, asset, day):
    for d in range(day, max(day - 5, -1), -1):
        value = market.close[d, asset] * market.shares[d, asset]
        if math.isfinite(value):
            return math.log(value)
    return math.nan


def log_dollar_volume(market, asset, day):
    mean = mean_if_enough(dollars(market, asset, day, 21, 21), 21)
    return math.log(mean) if mean > 0 else math.nan


def price_impact(market, asset, day):
    returns = window(market.total_return, asset, day, 21)
    traded = dollars(market, asset, day, 21)
    pairs = zip(returns, traded, strict=True)
    return mean_if_enough([abs(r) / v for r, v in pairs if v > 0], 21)


def zero_days(market, asset, day):
    known = finite(turnover(market, asset, day, 21))
    if len(known) < 14:
        return math.nan
    total = 480_000 * sum(known)
    return (known.count(0.0) + (1 / total if total > 1 else 1.0)) * 21 / len(known)


def spread(market, asset, day):
    high, low = window(market.high, asset, day, 21), window(market.low, asset, day, 21)
    return mean_if_enough([2 * (h - x) / (h + x) for h, x in zip(high, low, strict=True)], 21)


def week(market, asset, day):
    """Return over the five days that end on `day`."""
    if day < 4:
        return math.nan
    growth, known = 1.0, 0
    for d in range(day - 4, day + 1):
        r = market.total_return[d, asset]
        if math.isfinite(r):
            growth *= 1.0 + r
            known += 1
        elif math.isfinite(market.close[d, asset]):
            return math.nan
    return growth - 1.0 if known >= 4 else math.nan


def weekly_table(market):
    """Every asset's week up to each day, and the mean of those known; worked out once a market."""
    if id(market) not in _TABLES:
        n_days, n_assets = market.shape
        own = [[week(market, n, d) for n in range(n_assets)] for d in range(n_days)]
        means = [statistics.fmean(known) if (known := finite(row)) else math.nan for row in own]
        _TABLES.clear()
        _TABLES[id(market)] = (market, own, means)
    return _TABLES[id(market)][1:]


_TABLES = {}  # by identity; the market is held so that no other can take its number


def weeks(market, asset, day, n_lags):
    """Rows (return, market, market a week before, ...) of the weeks that are known."""
    own, means = weekly_table(market)
    rows = []
    for k in range(156):
        end = day - 5 * k
        if end - 5 * n_lags < 4:
            break
        row = [own[end][asset], *[means[end - 5 * lag] for lag in range(n_lags + 1)]]
        if all(math.isfinite(v) for v in row):
            rows.append(row)
    return np.array(rows)


def least_squares(rows, n_regressors):
    """Return (coefficients, residuals) of the first column on a constant and the next ones."""
    design = np.column_stack([np.ones(len(rows)), rows[:, 1 : n_regressors + 1]])
    coefficients = np.linalg.lstsq(design, rows[:, 0])[0]
    return coefficients, rows[:, 0] - design @ coefficients


def moves(rows):
    """Whether there is a year of weeks, in which the market does not stand still."""
    return len(rows) >= 52 and np.ptp(rows[:, 1]) > 0


def slope(market, asset, day):
    rows = weeks(market, asset, day, 0)
    return least_squares(rows, 1)[0][1] if moves(rows) else math.nan


def residual_deviation(market, asset, day):
    rows = weeks(market, asset, day, 0)
    return statistics.stdev(least_squares(rows, 1)[1]) if moves(rows) else math.nan


def delay(market, asset, day):
    rows = weeks(market, asset, day, 4)
    if not moves(rows) or not np.ptp(rows[:, 0]):
        return math.nan
    total = np.var(rows[:, 0])
    restricted = 1 - np.var(least_squares(rows, 1)[1]) / total
    unrestricted = 1 - np.var(least_squares(rows, 5)[1]) / total
    return 1 - restricted / unrestricted


PLAIN = {
    "mom1m": lambda m, n, t: cumulative(m, n, t, 21),
    "mom6m": lambda m, n, t: cumulative(m, n, t, 105, 21),
    "mom12m": lambda m, n, t: cumulative(m, n, t, 231, 21),
    "mom36m": lambda m, n, t: cumulative(m, n, t, 504, 252),
    "chmom": lambda m, n, t: cumulative(m, n, t, 126) - cumulative(m, n, t, 126, 126),
    "indmom": sector_momentum,
    "maxret": largest,
    "turn": lambda m, n, t: mean_if_enough(turnover(m, n, t, 63), 63),
    "std_turn": lambda m, n, t: deviation_if_enough(turnover(m, n, t, 21), 21),
    "mvel1": log_size,
    "dolvol": log_dollar_volume,
    "std_dolvol": lambda m, n, t: deviation_if_enough(
        [math.log(v) for v in dollars(m, n, t, 21) if v > 0], 21
    ),
    "ill": price_impact,
    "retvol": lambda m, n, t: deviation_if_enough(window(m.total_return, n, t, 21), 21),
    "beta": slope,
    "betasq": lambda m, n, t: slope(m, n, t) ** 2,
    "idiovol": residual_deviation,
    "zerotrade": zero_days,
    "baspread": spread,
    "pricedelay": delay,
}
WEEKLY = {"beta", "betasq", "idiovol", "pricedelay"}
