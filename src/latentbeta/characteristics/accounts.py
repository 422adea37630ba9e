"""Companies' accounts as they were known at each formation, in the order they were published."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentbeta.characteristics.windows import Formations
from latentbeta.data.fundamentals import Fundamentals
from latentbeta.data.market import DailyMarket, Matrix

_NONE = -1


@dataclass(frozen=True)
class Accounts:
    """What is known of every asset's accounts at one formation.

    Attributes
    ----------
    values : mapping of str to (N, M)
        Item by asset and fiscal month: the latest published value, NaN where there is none.
    newest : (N,) int64
        Fiscal month of the newest accounts that hold every item asked for; -1 where there are
        none, or they are stale.
    flow_months : int
        That one value of a flow covers.
    """

    values: Mapping[str, Matrix]
    newest: NDArray[np.int64]
    flow_months: int

    def level(self, item: str, ago: int = 0) -> Matrix:
        """Return the value at the end of the period that ended `ago` months before. -> (N,)."""
        values, month = self.values[item], self.newest - ago
        there = (self.newest != _NONE) & (month >= 0)
        rows = np.arange(len(values))
        return np.where(there, values[rows, np.where(there, month, 0)], np.nan)

    def flow(self, item: str, months: int, ago: int = 0) -> Matrix:
        """Return the sum over `months` up to `ago` months before the newest period's end. -> (N,).

        NaN where one of the periods is not known, or the accounts cover longer ones.
        """
        n_periods, rest = divmod(months, self.flow_months)
        if rest:
            return np.full(len(self.newest), np.nan)
        total = np.zeros(len(self.newest))
        for period in range(n_periods):
            total = total + self.level(item, ago + period * self.flow_months)
        return total


def at_formations(
    market: DailyMarket,
    formations: Formations,
    items: Sequence[str],
    statistic: Callable[[Accounts], Matrix],
) -> Matrix:
    """Apply a statistic to the accounts known at each formation.

    A publication is known at the close of the day that it is dated, and from then on. The newest
    fiscal period is the last one of which every item is known; of each period the latest
    publication counts. Periods of one asset are told apart by their months, so that a year
    before means the same fiscal period of the year before.

    Parameters
    ----------
    market : DailyMarket
    formations : (T,) int
    items : sequence of str
        That the statistic takes of the newest period.
    statistic : callable
        Takes `Accounts`, returns (N,).

    Returns
    -------
    (T, N) float64
        NaN where nothing is known, or the source has no such item.
    """
    result = np.full((len(formations), market.shape[1]), np.nan)
    source = market.fundamentals
    if source is None or not len(source.published):
        return result
    published = {item: values for item in items if (values := source.item(item)) is not None}
    if len(published) < len(items):
        return result
    ledger = _Ledger(source, published, market.shape[1])
    for row in np.argsort(formations, kind="stable"):
        result[row] = statistic(ledger.at(market.days[formations[row]]))
    return result


def known_of_quoted(market: DailyMarket, item: str, formation: int) -> tuple[int, int]:
    """Return how many assets quoted on a day have the item known at its close, and how many are."""
    known = at_formations(market, np.array([formation]), [item], lambda now: now.level(item))[0]
    quoted = np.isfinite(market.close[formation])
    return int((np.isfinite(known) & quoted).sum()), int(quoted.sum())


class _Ledger:
    """Writes publications into a matrix in their order, up to one day after another.

    What is read at a day has never seen a later publication.
    """

    def __init__(
        self, source: Fundamentals, published: Mapping[str, Matrix], n_assets: int
    ) -> None:
        self._source = source
        self._published = published
        self._first = int(source.month.min())
        shape = (n_assets, int(source.month.max()) - self._first + 1)
        self._values = {item: np.full(shape, np.nan) for item in published}
        self._newest = np.full(n_assets, _NONE)
        self._read = 0

    def at(self, day: np.datetime64) -> Accounts:
        """Return what is known at the close of a day, none earlier than the one before."""
        stop = int(np.searchsorted(self._source.published, day, side="right"))
        self._write(slice(self._read, stop))
        self._read = stop
        age = int(day.astype("datetime64[M]").astype(np.int64)) - self._first - self._newest
        fresh = (self._newest != _NONE) & (age <= self._source.stale_months)
        newest = np.where(fresh, self._newest, _NONE)
        return Accounts(self._values, newest, self._source.flow_months)

    def _write(self, rows: slice) -> None:
        asset, month = self._source.asset[rows], self._source.month[rows] - self._first
        for item, values in self._values.items():
            published = self._published[item][rows]
            known = np.isfinite(published)
            values[asset[known], month[known]] = published[known]  # of two the later stays
        whole = np.ones(len(asset), bool)
        for values in self._values.values():
            whole &= np.isfinite(values[asset, month])
        np.maximum.at(self._newest, asset[whole], month[whole])
