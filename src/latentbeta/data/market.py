"""Daily prices as aligned (days, assets) matrices: what every characteristic is computed from."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from latentbeta.data.fundamentals import Fundamentals

Matrix = NDArray[np.float64]
Value = TypeVar("Value")

MATRICES = ("total_return", "close", "high", "low", "volume", "shares")
BLOCK_CELLS = 2**18  # of one matrix of a block: 2 MB, near what a core keeps in its cache


class Market(Protocol):
    """Daily prices that can be had some assets at a time, wherever they lie.

    The fields are those of `DailyMarket`.
    """

    @property
    def days(self) -> NDArray[np.datetime64]: ...  # noqa: D102
    @property
    def assets(self) -> NDArray[np.str_]: ...  # noqa: D102
    @property
    def sector(self) -> NDArray[np.int64]: ...  # noqa: D102
    @property
    def sector_names(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def risk_free(self) -> Matrix: ...  # noqa: D102
    @property
    def shape(self) -> tuple[int, int]: ...  # noqa: D102

    def columns(self, start: int, stop: int) -> DailyMarket:
        """Return assets start (included) to stop (not included); the market is their `whole`."""

    def until(self, stop: int) -> Market:
        """Return the days before day `stop`."""

    def remembered(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return what `make` returned when it was first asked for by this key."""


class Memory:
    """What was worked out of a market once, for everyone who needs it."""

    @cached_property
    def _known(self) -> dict[Hashable, Any]:
        return {}

    def remembered(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return what `make` returned when it was first asked for by this key."""
        if key not in self._known:
            self._known[key] = make()
        value: Value = self._known[key]
        return value


def blocks(market: Market) -> Iterator[tuple[slice, DailyMarket]]:
    """Yield a market some assets at a time, in their order: which they are, and their prices.

    What is made of a block is forgotten with it, so memory holds little more than one. No value
    depends on where one block ends and the next begins.
    """
    n_days, n_assets = market.shape
    width = max(BLOCK_CELLS // max(n_days, 1), 1)
    for start in range(0, n_assets, width):
        stop = min(start + width, n_assets)
        yield slice(start, stop), market.columns(start, stop)


@dataclass(frozen=True, kw_only=True)
class DailyMarket(Memory):
    """One trading day a row, one asset a column; NaN where an asset has no quote that day.

    Attributes
    ----------
    days : (D,) datetime64[us]
        Sessions of the exchange, ascending.
    assets : (N,) str
        Asset identifiers, ascending.
    sector : (N,) int
        Code of the asset's sector, -1 where it is not known.
    sector_names : tuple of str
        Sectors in the order of their codes.
    total_return : (D, N)
        Close-to-close total return, decimal: splits undone, dividends reinvested, and the
        delisting return on the last day of an asset that has one.
    close, high, low : (D, N)
        Raw prices of the day, in currency.
    volume : (D, N)
        Shares traded, raw (not split-adjusted).
    shares : (D, N)
        Shares outstanding on that day; all NaN where the source has none.
    risk_free : (D,)
        Risk-free return of the day, decimal; zeros where the source has none.
    fundamentals : Fundamentals, optional
        Publications of accounts, later ones among them: whoever reads them looks at their dates.
    whole : Market, optional
        The market that these assets are some columns of; None where they are all there are.
    """

    days: NDArray[np.datetime64]
    assets: NDArray[np.str_]
    sector: NDArray[np.int64]
    total_return: Matrix
    close: Matrix
    high: Matrix
    low: Matrix
    volume: Matrix
    shares: Matrix
    risk_free: Matrix
    sector_names: tuple[str, ...] = ()
    fundamentals: Fundamentals | None = None
    whole: Market | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(D, N)."""
        return self.close.shape[0], self.close.shape[1]

    def between(self, start: int, stop: int) -> DailyMarket:
        """Return days start (included) to stop (not included), as views."""
        by_day: dict[str, Any] = {
            name: getattr(self, name)[start:stop] for name in ("days", "risk_free", *MATRICES)
        }
        return replace(self, **by_day, whole=None)

    def until(self, stop: int) -> DailyMarket:
        """Return the days before day `stop`."""
        return self.between(0, stop)

    def columns(self, start: int, stop: int) -> DailyMarket:
        """Return assets start (included) to stop (not included), as views."""
        by_asset: dict[str, Any] = {
            name: getattr(self, name)[..., start:stop] for name in ("assets", "sector", *MATRICES)
        }
        accounts = self.fundamentals and self.fundamentals.of_assets(start, stop)
        return replace(self, **by_asset, fundamentals=accounts, whole=self.whole or self)
