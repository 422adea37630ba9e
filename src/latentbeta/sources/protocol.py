"""What every source of prices can do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import pandas as pd

COLUMNS = ("date", "open", "high", "low", "close", "volume", "dividend", "split")


class PriceSource(Protocol):
    """A vendor or database that is asked for one asset at a time, by several threads."""

    @property
    def name(self) -> str:
        """What its finished assets are stored under."""
        ...

    def fetch(self, asset: str, start: dt.date, end: dt.date) -> pd.DataFrame:
        """Return the daily prices of an asset from start to end, both included.

        Parameters
        ----------
        asset : str
            As the source names it.
        start, end : date

        Returns
        -------
        DataFrame, ascending by date, none twice
            date (datetime64[us]), open, high, low, close (float64, raw: as traded), volume (raw
            shares), dividend (currency a share, on its ex-date), split (new shares for one old).
            Empty when the asset has no row in that time.

        Raises
        ------
        AbsentError
            When the source says that it has no such asset.
        SourceError
            When it did not answer, or not sensibly; the message is fit to be shown: it holds no
            address and no secret.
        """
        ...

    def attempts(self) -> int:
        """Return how many requests this thread has made so far."""
        ...


@runtime_checkable
class ResultSource(Protocol):
    """A database that is asked once, for all assets."""

    def batches(self, start: dt.date, end: dt.date) -> Iterator[pd.DataFrame]:
        """Give the rows of all assets piece by piece: `COLUMNS`, and asset."""
        ...
