"""Price files as vendors write them: what their columns are called, what their numbers mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from latentbeta.data.tables import Columns

Conversion = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True)
class Preset:
    """How a vendor's price files differ from our own.

    Attributes
    ----------
    columns : mapping
        Our name: the vendor's names, tried before those of ``data.columns``.
    conversions : mapping
        Our name: what makes our numbers of the vendor's.
    """

    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    conversions: Mapping[str, Conversion] = field(default_factory=dict)

    def names(self, columns: Columns) -> Columns:
        """Return the columns of the settings with the vendor's names before them."""
        return {
            **columns,
            **{ours: (*theirs, *columns.get(ours, ())) for ours, theirs in self.columns.items()},
        }


def _unsigned(prices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take the sign off a mean of bid and ask, and the price off a day without any."""
    return np.where(prices == 0, np.nan, np.abs(prices))


def _known(volume: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(volume < 0, np.nan, volume)  # -99: not known


def _new_for_old(factor: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 + factor  # shares issued for each share held


def _units(thousands: NDArray[np.float64]) -> NDArray[np.float64]:
    return thousands * 1000


PRESETS = {
    "alphavantage": Preset(
        {"date": ("timestamp",), "dividend": ("dividend_amount",), "split": ("split_coefficient",)}
    ),
    "stooq": Preset(
        {
            "asset": ("<ticker>",),
            "date": ("<date>",),
            "open": ("<open>",),
            "high": ("<high>",),
            "low": ("<low>",),
            "close": ("<close>",),
            "volume": ("<vol>",),
        }
    ),
    "crsp": Preset(
        {
            "asset": ("permno",),
            "open": ("openprc",),
            "high": ("askhi",),
            "low": ("bidlo",),
            "close": ("prc",),
            "volume": ("vol",),
            "dividend": ("divamt",),
            "split": ("facpr",),
            "shares": ("shrout",),
        },
        {
            **dict.fromkeys(("open", "high", "low", "close"), _unsigned),
            "volume": _known,
            "split": _new_for_old,
            "shares": _units,
        },
    ),
}


def preset(name: str | None) -> Preset:
    """Return the preset of a vendor, one that changes nothing where there is no name."""
    return Preset() if name is None else PRESETS[name]
