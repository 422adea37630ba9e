"""Daily prices as aligned (days, assets) matrices: what every characteristic is computed from."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from latentbeta.data.fundamentals import Fundamentals

Matrix = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class DailyMarket:
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

    @property
    def shape(self) -> tuple[int, int]:
        """(D, N)."""
        return self.close.shape[0], self.close.shape[1]

    def between(self, start: int, stop: int) -> DailyMarket:
        """Return days start (included) to stop (not included), as views."""
        by_day = {
            field.name: getattr(self, field.name)[start:stop]
            for field in fields(self)
            if field.name not in ("assets", "sector", "sector_names", "fundamentals")
        }
        return replace(self, **by_day)
