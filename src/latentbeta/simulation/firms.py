"""What each listed firm is like, and how a day's return becomes a day's quotes.

The market has a fixed number of slots. A slot is empty or holds one asset; when an asset is
delisted another may be listed in its slot later. So the market never dies out, however long it
trades, and no listing or delisting depends on when the simulation ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentbeta.simulation.draws import DayDraws, Vector, asset_generator, autoregressive

Mask = NDArray[np.bool_]

QUARTER = 63  # sessions between dividends and between issues of shares
_DIVIDEND_YIELD = 0.005  # a quarter, of those who pay
_SHARE_OF_PAYERS = 0.6
_TURNOVER_LEVEL = np.log(0.005)  # shares traded a day, of those outstanding
_TURNOVER_SPREAD = 0.25  # of an asset's own level
_TURNOVER_DEVIATION = 0.7  # around that level
_TURNOVER_PERSISTENCE = 0.5 ** (1 / 189)
_VOLUME_NOISE = 0.35
_VOLATILITY_DEVIATION = 0.15  # of the log idiosyncratic volatility
_VOLATILITY_PERSISTENCE = 0.5 ** (1 / 126)
_LOWEST_RETURN = -0.9
_EQUITY_LEVEL = np.log(2e9)  # currency
_EQUITY_SPREAD = 1.3
# Growth of shares a quarter falls by this for each log point of size: small firms raise capital
# and large ones return it. Else the largest would become the market in a few decades.
_BUYBACK = 0.01


@dataclass
class Firms:
    """State of the n slots at the close of a day; changed in place from day to day.

    Attributes
    ----------
    generation : (n,) int
        How many assets the slot has held, less one; -1 before the first.
    listed : (n,) bool
    close : (n,)
        Currency; moves on days without a quote too.
    shares : (n,)
        Outstanding.
    turnover, volatility : (n,)
        Logs, around their levels; autoregressive.
    turnover_level, issuance, phase : (n,)
        An asset's own level of log turnover, log growth of its shares a quarter, and the session
        of the quarter on which it pays dividends and issues shares.
    pays : (n,) bool
        Whether it pays dividends.
    sector : (n,) int
    """

    generation: NDArray[np.int64]
    listed: Mask
    close: Vector
    shares: Vector
    turnover: Vector
    volatility: Vector
    turnover_level: Vector
    issuance: Vector
    phase: NDArray[np.int64]
    pays: Mask
    sector: NDArray[np.int64]

    @classmethod
    def none(cls, n_slots: int) -> Firms:
        """Return a market without a single asset."""

        def zeros() -> Vector:
            return np.zeros(n_slots)

        return cls(
            generation=np.full(n_slots, -1),
            listed=np.zeros(n_slots, bool),
            close=zeros(),
            shares=zeros(),
            turnover=zeros(),
            volatility=zeros(),
            turnover_level=zeros(),
            issuance=zeros(),
            phase=np.zeros(n_slots, np.int64),
            pays=np.zeros(n_slots, bool),
            sector=np.zeros(n_slots, np.int64),
        )

    def list_in(self, slots: Iterable[int], *, seed: int, n_sectors: int) -> None:
        """List a new asset in each of some empty slots, at its first close."""
        for slot in slots:
            self.generation[slot] += 1
            random = asset_generator(seed, slot, int(self.generation[slot]))
            normal, uniform = random.standard_normal(6), random.random(3)
            self.listed[slot] = True
            self.close[slot] = round(float(np.exp(np.log(30) + 0.5 * normal[0])), 2)
            equity = np.exp(_EQUITY_LEVEL + _EQUITY_SPREAD * normal[1])
            self.shares[slot] = max(round(float(equity / self.close[slot])), 1)
            self.turnover[slot] = _TURNOVER_DEVIATION * normal[2]
            self.volatility[slot] = _VOLATILITY_DEVIATION * normal[3]
            self.turnover_level[slot] = _TURNOVER_LEVEL + _TURNOVER_SPREAD * normal[4]
            self.issuance[slot] = 0.004 + 0.006 * normal[5]
            self.phase[slot] = int(uniform[0] * QUARTER)
            self.pays[slot] = uniform[1] < _SHARE_OF_PAYERS
            self.sector[slot] = int(uniform[2] * n_sectors)

    def move(self, draws: DayDraws) -> None:
        """Move turnover and volatility on by one day."""
        self.turnover = autoregressive(
            self.turnover, draws.turnover, _TURNOVER_PERSISTENCE, _TURNOVER_DEVIATION
        )
        self.volatility = autoregressive(
            self.volatility,
            draws.idiosyncratic_volatility,
            _VOLATILITY_PERSISTENCE,
            _VOLATILITY_DEVIATION,
        )

    def idiosyncratic_returns(self, draws: DayDraws, volatility: float) -> Vector:
        """(n,) returns whose variance is, on average over assets, `volatility` squared."""
        scale = np.exp(self.volatility - _VOLATILITY_DEVIATION**2)
        return np.maximum(volatility * scale * draws.idiosyncratic, _LOWEST_RETURN)

    def volumes(self, draws: DayDraws) -> Vector:
        """(n,) shares traded."""
        log_turnover = self.turnover_level + self.turnover + _VOLUME_NOISE * draws.volume
        return np.floor(self.shares * np.exp(log_turnover))


@dataclass(frozen=True)
class Actions:
    """Dividends (currency a new share) and splits (new for one old) that go ex on a day."""

    dividend: Vector
    split: Vector


def actions_due(firms: Firms, session: int, tradable: Mask) -> Actions:
    """Decide a day's dividends and splits from the state at the close before.

    Parameters
    ----------
    firms : Firms
    session : int
        Number of the day.
    tradable : (n,) bool
        Assets that are quoted today and were listed yesterday; the others have neither.
    """
    close = firms.close
    split = np.ones(len(close))
    split[tradable & (close > 120)] = 2.0
    split[tradable & (close > 240)] = 3.0
    split[tradable & (close < 3)] = 0.1
    pays = tradable & firms.pays & is_quarter_day(firms, session)
    dividend = np.where(pays, np.round(_DIVIDEND_YIELD * close / split, 2), 0.0)
    return Actions(dividend, split)


def is_quarter_day(firms: Firms, session: int) -> Mask:
    """(n,) whether the session is the one of the quarter on which an asset pays and issues."""
    return (session + firms.phase) % QUARTER == 0


def close_day(firms: Firms, returns: Vector, actions: Actions, session: int) -> None:
    """Set closes and shares from the day's total returns; a price is whole cents, at least one."""
    close = firms.close * (1 + np.maximum(returns, _LOWEST_RETURN)) / actions.split
    firms.close = np.maximum(np.round(close - actions.dividend, 2), 0.01)
    size = np.log(np.maximum(firms.close * firms.shares, 1.0)) - _EQUITY_LEVEL
    issued = np.exp(firms.issuance - _BUYBACK * size)
    growth = np.where(firms.listed & is_quarter_day(firms, session), issued, 1.0)
    firms.shares = np.maximum(np.round(firms.shares * actions.split * growth), 1.0)


def price_range(
    before: Vector, close: Vector, draws: DayDraws, volatility: float
) -> tuple[Vector, Vector, Vector]:
    """(n,) open, high and low around a previous close (in today's shares) and the day's close."""
    overnight = 0.4 * volatility * draws.opening
    opened = np.maximum(np.round(before * np.exp(overnight), 2), 0.01)
    span = 0.5 * volatility
    high = np.maximum(opened, close) * np.exp(span * np.abs(draws.upward))
    low = np.minimum(opened, close) * np.exp(-span * np.abs(draws.downward))
    high = np.maximum(np.round(high, 2), np.maximum(opened, close))
    low = np.maximum(np.minimum(np.round(low, 2), np.minimum(opened, close)), 0.01)
    return opened, high, low
