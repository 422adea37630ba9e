"""The Panel: what was known about each asset before a period, and the return it then had."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """Rows are (date, asset) pairs, contiguous by date and ascending by asset within a date.

    An unbalanced (T, N, P) array holds mostly gaps once assets come and go, so the panel keeps
    just the pairs that exist: n rows, and where each date's block begins. Date t owns rows
    ``offsets[t]:offsets[t + 1]``.

    Attributes
    ----------
    dates : (T,) datetime64[us]
        End of each return period, ascending. The newest may lie ahead, its returns unknown.
    assets : (N,) str
        Every asset of the data set (fixed axis: slices in time keep it).
    characteristic_names : tuple of P str
    offsets : (T + 1,) int
    asset_index : (n,) int
        Column of each row's asset in `assets`.
    Z : (n, P) float32
        Characteristics known before the period began, ranked per date into [-1, 1].
    R : (n,) float64
        Excess return of the period, decimal; NaN where it is missing or not yet known.
    market_equity : (n,) float64
        Market value when the period began, for value weights; NaN where it is not known.
    sector_names : tuple of str
        Sectors in the order of their codes; empty where the source has none.
    sector : (n,) int64
        Code of each row's sector, -1 where it is not known.
    factor_names : tuple of G str
        Observed factors that came from a file (Fama-French, say); empty where there is none.
    F : (T, G) float64
        Their returns over each period, decimal; NaN where they are not known.
    """

    dates: NDArray[np.datetime64]
    assets: NDArray[np.str_]
    characteristic_names: tuple[str, ...]
    offsets: NDArray[np.int64]
    asset_index: NDArray[np.int64]
    Z: NDArray[np.float32]
    R: NDArray[np.float64]
    market_equity: NDArray[np.float64]
    sector_names: tuple[str, ...] = ()
    sector: NDArray[np.int64] = field(default=None)  # type: ignore[arg-type]  # see __post_init__
    factor_names: tuple[str, ...] = ()
    F: NDArray[np.float64] = field(default=None)  # type: ignore[arg-type]  # see __post_init__

    def __post_init__(self) -> None:
        if self.sector is None:
            object.__setattr__(self, "sector", np.full(len(self.R), -1))
        if self.F is None:
            object.__setattr__(self, "F", np.empty((len(self.dates), 0)))

    @property
    def n_dates(self) -> int:
        """T."""
        return len(self.dates)

    @property
    def n_assets(self) -> int:
        """N, the length of the asset axis."""
        return len(self.assets)

    @property
    def n_rows(self) -> int:
        """Number of (date, asset) pairs."""
        return len(self.R)

    @cached_property
    def date_index(self) -> NDArray[np.int64]:
        """(n,) position of each row's date in `dates`."""
        return np.repeat(np.arange(self.n_dates), np.diff(self.offsets))

    @cached_property
    def observed(self) -> NDArray[np.bool_]:
        """(n,) whether the row's return is known."""
        return np.isfinite(self.R)

    def between(self, start: int, stop: int) -> Panel:
        """Return dates start (included) to stop (not included), as views of this panel."""
        first, last = int(self.offsets[start]), int(self.offsets[stop])
        return Panel(
            dates=self.dates[start:stop],
            assets=self.assets,
            characteristic_names=self.characteristic_names,
            offsets=self.offsets[start : stop + 1] - first,
            asset_index=self.asset_index[first:last],
            Z=self.Z[first:last],
            R=self.R[first:last],
            market_equity=self.market_equity[first:last],
            sector_names=self.sector_names,
            sector=self.sector[first:last],
            factor_names=self.factor_names,
            F=self.F[start:stop],
        )

    def blocks(self) -> Iterator[slice]:
        """Yield the rows of each date, in order."""
        for start, stop in zip(self.offsets[:-1], self.offsets[1:], strict=True):
            yield slice(int(start), int(stop))

    def dense(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Spread (n,) row values over a (T, N) matrix, NaN where there is no row."""
        matrix = np.full((self.n_dates, self.n_assets), np.nan)
        matrix[self.date_index, self.asset_index] = values
        return matrix
