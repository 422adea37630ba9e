"""Daily prices asset by asset, as the small tables of the price suite are made from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.data.store import COLUMNS

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]
Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class History:
    """The n rows of a price table in the order of assets, then dates.

    Attributes
    ----------
    prices : DataFrame
        In the order of the file, every column of docs/architecture.md.
    order : (n,) int
        The row of `prices` that stands at each place.
    codes : (n,) int
        Number of the row's asset.
    assets : (N,) object
        Their names.
    every : (S,) DatetimeIndex
        Sessions of the exchange and dates of the prices.
    is_session : (S,) bool
        Which of them are sessions.
    session : (n,) int
        Place of the row's date in `every`; S where it is no date.
    before : (n,)
        The asset's previous close, NaN on its first row.
    """

    prices: pd.DataFrame
    order: Places
    codes: Places
    assets: NDArray[np.object_]
    every: pd.DatetimeIndex
    is_session: Mask
    session: Places
    before: Vector

    def column(self, name: str) -> Vector:
        """(n,) values of a column of numbers; NaN where it holds something else."""
        numbers = pd.to_numeric(self.prices[name], errors="coerce")
        return numbers.to_numpy(np.float64, na_value=np.nan)[self.order]

    @property
    def simple_return(self) -> Vector:
        """(n,) close and split to the previous close; without the dividend."""
        return self.column("close") * self.column("split") / self.before - 1

    def count_by_session(self, where: Mask) -> Vector:
        """(S,) rows of each session for which a condition holds."""
        return self.sum_by_session(where.astype(np.float64))

    def sum_by_session(self, values: Vector) -> Vector:
        """(S,) sum of each session's values; NaN and infinity count as nothing."""
        known = np.where(np.isfinite(values), values, 0.0)
        total = np.bincount(self.session, known, minlength=len(self.every) + 1)[:-1]
        return total.astype(np.float64, copy=False)

    def sum_by_asset(self, values: Vector) -> Vector:
        """(N,) sum of each asset's values; NaN and infinity count as nothing."""
        known = np.where(np.isfinite(values), values, 0.0)
        total = np.bincount(self.codes, known, minlength=len(self.assets))
        return total.astype(np.float64, copy=False)

    def last_dates(self) -> NDArray[np.datetime64]:
        """(N,) the last date of each asset."""
        last = np.zeros(len(self.assets), dtype=np.int64)
        known = self.session < len(self.every)
        np.maximum.at(last, self.codes[known], self.session[known])
        return self.every.to_numpy()[last]


def history_of(prices: pd.DataFrame, sessions: pd.DatetimeIndex) -> History:
    """Return the prices asset by asset.

    Parameters
    ----------
    prices : pandas.DataFrame
        In the columns of docs/architecture.md, sorted by date; a column that it lacks is missing
        throughout.
    sessions : (S,) pandas.DatetimeIndex
        The exchange's sessions between the first and the last date of the prices.
    """
    known = prices.reindex(columns=list(COLUMNS))
    dates = pd.to_datetime(known["date"], errors="coerce")
    every = pd.DatetimeIndex(dates.dropna().unique()).union(sessions)
    codes, assets = pd.factorize(known["asset"], use_na_sentinel=False)
    order = np.argsort(codes, kind="stable")  # by asset; dates ascend within one already
    place = np.where(dates.isna(), len(every), np.searchsorted(every, dates.fillna(every[0])))
    close = pd.to_numeric(known["close"], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    codes, close = codes[order], close[order]
    before = np.append(np.nan, close[:-1])
    before[np.append(True, codes[1:] != codes[:-1])] = np.nan
    return History(
        prices=known,
        order=order,
        codes=codes,
        assets=np.asarray(assets, dtype=object),
        every=every,
        is_session=every.isin(sessions),
        session=place[order].astype(np.int64),
        before=before,
    )
