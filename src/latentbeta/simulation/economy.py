"""What is common to all assets on a day: factor returns, their volatility, the risk-free rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentbeta.simulation.draws import DayDraws, Vector, autoregressive

DAYS_A_YEAR = 252

PREMIUM = np.array([0.06, 0.20, 0.18])  # a year
VOLATILITY = np.array([0.17, 0.16, 0.16])  # a year

_LOG_VOLATILITY_DEVIATION = 0.30  # of the factors' common volatility around its level
_LOG_VOLATILITY_PERSISTENCE = 0.5 ** (1 / 42)  # half-life of two months
_RATE_LEVEL = 0.02  # a year
_RATE_PERSISTENCE = 0.5 ** (1 / 504)
_RATE_DEVIATION = 0.01


@dataclass(frozen=True)
class Economy:
    """State of the economy at the close of a day.

    Attributes
    ----------
    log_volatility : float
        Of the factors, around its level.
    rate : float
        Risk-free, a year; may be below zero, what is earned is not.
    factors : (3,)
        Excess returns of the day, decimal.
    """

    log_volatility: float
    rate: float
    factors: Vector

    @property
    def risk_free(self) -> float:
        """Risk-free return of the next day, decimal, as it is quoted."""
        return round(max(self.rate, 0.0) / DAYS_A_YEAR, 8)


START = Economy(log_volatility=0.0, rate=_RATE_LEVEL, factors=np.zeros(3))


def next_economy(before: Economy, draws: DayDraws) -> Economy:
    """Move the economy on by one day."""
    log_volatility = autoregressive(
        before.log_volatility,
        draws.volatility,
        _LOG_VOLATILITY_PERSISTENCE,
        _LOG_VOLATILITY_DEVIATION,
    )
    # exp(2x) of a normal x has mean exp(2 var), so this keeps the mean variance at its level
    scale = np.exp(log_volatility - _LOG_VOLATILITY_DEVIATION**2)
    deviation = VOLATILITY / np.sqrt(DAYS_A_YEAR) * scale
    drift = autoregressive(
        before.rate - _RATE_LEVEL, draws.rate, _RATE_PERSISTENCE, _RATE_DEVIATION
    )
    return Economy(
        log_volatility=log_volatility,
        rate=_RATE_LEVEL + drift,
        factors=PREMIUM / DAYS_A_YEAR + deviation * draws.factor,
    )
