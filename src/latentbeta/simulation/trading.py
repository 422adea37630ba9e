"""The market from its first session to its last, day by day."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentbeta.config import Rebalancing, SimulationSettings
from latentbeta.data.calendar import Dates, next_period_end, period_ends
from latentbeta.data.market import DailyMarket
from latentbeta.progress import track
from latentbeta.simulation.betas import CHARACTERISTICS, WINDOW, ranks_at_end, true_betas
from latentbeta.simulation.draws import DayDraws, day_draws, start_generator
from latentbeta.simulation.economy import START, Economy, next_economy
from latentbeta.simulation.firms import (
    Actions,
    Firms,
    Mask,
    actions_due,
    close_day,
    price_range,
)
from latentbeta.simulation.tape import QUOTES, FormedBetas, Listing, Tape

_LISTED_AT_START = 0.88
_LISTING_HAZARD = 1 / 500  # a day, of an empty slot
_DELISTING_HAZARD = 0.04 / 252  # a day, of a listed asset
_MEAN_GAP = 3  # days; a gap takes from one to five
_SHARE_OF_MERGERS = 0.75  # the rest of the delistings are failures


def trade(
    settings: SimulationSettings,
    days: Dates,
    *,
    rebalancing: Rebalancing,
    calendar: str,
    seed: int,
) -> Tape:
    """Let the market trade on the given sessions.

    Excess total return of an asset on a day = β' f + ε; β is set at the end of each period from
    the characteristics of the quotes so far, and held over the next.
    """
    ends = np.isin(days, period_ends(days, rebalancing, calendar=calendar))
    following = np.append(days[ends], next_period_end(calendar, days[-1], rebalancing))
    market = _Market(settings, seed, Tape.blank(days, settings.n_assets))
    market.open(following[0])
    period = 0
    for session in track(range(len(days)), "simulated market, days"):
        market.trade_day(session)
        if ends[session]:
            period += 1
            market.form_betas(session, following[period])
    return market.tape


class _Market:
    """The state that a day hands to the next, and the tape it is written on."""

    def __init__(self, settings: SimulationSettings, seed: int, tape: Tape) -> None:
        n_slots = settings.n_assets
        self.settings = settings
        self.seed = seed
        self.tape = tape
        self.firms = Firms.none(n_slots)
        self.economy: Economy = START
        self.betas = np.tile(_BETAS_OF_THE_UNKNOWN, (n_slots, 1))
        self.last_quote = np.full(n_slots, np.nan)
        self.gap_left = np.zeros(n_slots, np.int64)
        self.listing_of: dict[int, int] = {}  # slot: place of its latest asset in the listings

    def open(self, first_period_end: np.datetime64) -> None:
        """List the assets of the first day."""
        present = start_generator(self.seed).random(len(self.betas)) < _LISTED_AT_START
        self._list(np.flatnonzero(present), self.tape.days[0])
        self._write_betas(first_period_end)

    def trade_day(self, session: int) -> None:
        """Trade one day, from the listings in its morning to the delistings at its close."""
        day = self.tape.days[session]
        draws = day_draws(self.seed, day, len(self.betas))
        risk_free = self.economy.risk_free
        self.economy = next_economy(self.economy, draws)
        seasoned = self.firms.listed.copy()
        if session > 0:
            self._list(np.flatnonzero(~seasoned & (draws.listing < _LISTING_HAZARD)), day)
        else:
            seasoned[:] = False
        leaving = seasoned & (draws.delisting < _DELISTING_HAZARD)
        quoted = self.firms.listed & ~(self._in_gap(draws) & seasoned & ~leaving)
        self._move_prices(session, draws, risk_free, seasoned, quoted)
        self.tape.risk_free[session] = risk_free
        self.tape.factors[session] = self.economy.factors
        self._delist(np.flatnonzero(leaving), day, draws)

    def form_betas(self, session: int, date: np.datetime64) -> None:
        """Set the betas of the period that ends at `date` from the quotes up to a session."""
        self.betas = true_betas(ranks_at_end(self._window(session)))
        self._write_betas(date)

    def _move_prices(
        self, session: int, draws: DayDraws, risk_free: float, seasoned: Mask, quoted: Mask
    ) -> None:
        firms, volatility = self.firms, self.settings.idiosyncratic_volatility
        firms.move(draws)
        returns = risk_free + self.betas @ self.economy.factors
        returns += firms.idiosyncratic_returns(draws, volatility)
        actions = actions_due(firms, session, seasoned & quoted)
        before = np.where(seasoned, firms.close, np.round(firms.close, 2)) / actions.split
        close_day(firms, np.where(seasoned, returns, 0.0), actions, session)
        opened, high, low = price_range(before, firms.close, draws, volatility)
        values = (
            *(opened, high, low, firms.close, firms.volumes(draws)),
            *(actions.dividend, actions.split, firms.shares),
        )
        for name, value in zip(QUOTES, values, strict=True):
            self.tape.quotes[name][session] = np.where(quoted, value, np.nan)
        self.tape.generation[session] = np.where(firms.listed, firms.generation, -1)
        self._write_returns(session, actions, quoted)

    def _write_returns(self, session: int, actions: Actions, quoted: Mask) -> None:
        value = actions.split * (self.firms.close + actions.dividend)
        self.tape.total_return[session] = np.where(quoted, value / self.last_quote - 1, np.nan)
        self.last_quote = np.where(quoted, self.firms.close, self.last_quote)

    def _in_gap(self, draws: DayDraws) -> Mask:
        """Whether each slot is without a quote today; a gap may begin on any day."""
        begins = (self.gap_left == 0) & (draws.gap < self.settings.gap_rate / _MEAN_GAP)
        length = 1 + np.floor(draws.gap_length * (2 * _MEAN_GAP - 1)).astype(np.int64)
        self.gap_left = np.where(begins, length, self.gap_left)
        inside = self.gap_left > 0
        self.gap_left = np.maximum(self.gap_left - 1, 0)
        return inside

    def _list(self, slots: NDArray[np.int64], day: np.datetime64) -> None:
        self.firms.list_in(slots.tolist(), seed=self.seed, n_sectors=self.settings.n_sectors)
        self.betas[slots] = _BETAS_OF_THE_UNKNOWN
        self.last_quote[slots] = np.nan
        for slot in slots.tolist():
            generation, sector = int(self.firms.generation[slot]), int(self.firms.sector[slot])
            self.listing_of[slot] = len(self.tape.listings)
            self.tape.listings.append(Listing(slot, generation, sector, day))

    def _delist(self, slots: NDArray[np.int64], day: np.datetime64, draws: DayDraws) -> None:
        self.firms.listed[slots] = False
        for slot in slots.tolist():
            place = self.listing_of[slot]
            self.tape.listings[place] = replace(
                self.tape.listings[place],
                delisted=day,
                delisting_return=_delisting_return(float(draws.outcome[slot])),
            )

    def _window(self, session: int) -> DailyMarket:
        """Return the latest days of the assets that are listed after a session's close."""
        tape, rows = self.tape, slice(max(session + 1 - WINDOW, 0), session + 1)
        same = (tape.generation[rows] == self.firms.generation) & self.firms.listed
        quotes: dict[str, Any] = {
            name: np.where(same, tape.quotes[name][rows], np.nan)
            for name in ("close", "high", "low", "volume", "shares")
        }
        return DailyMarket(
            days=tape.days[rows],
            assets=np.arange(len(self.betas)).astype(str),
            sector=self.firms.sector,
            total_return=np.where(same, tape.total_return[rows], np.nan),
            risk_free=tape.risk_free[rows],
            sector_names=(),
            **quotes,
        )

    def _write_betas(self, date: np.datetime64) -> None:
        slots = np.flatnonzero(self.firms.listed)
        self.tape.formed.append(
            FormedBetas(date, slots, self.firms.generation[slots], self.betas[slots])
        )


_BETAS_OF_THE_UNKNOWN = true_betas(np.zeros((len(CHARACTERISTICS), 1)))[
    0
]  # every rank at its median


def _delisting_return(outcome: float) -> float:
    """Pay up to 30 % in a merger, take 20 to 70 % in a failure: nothing on average."""
    if outcome < _SHARE_OF_MERGERS:
        return round(0.3 * outcome / _SHARE_OF_MERGERS, 4)
    return round(-0.2 - 0.5 * (outcome - _SHARE_OF_MERGERS) / (1 - _SHARE_OF_MERGERS), 4)
