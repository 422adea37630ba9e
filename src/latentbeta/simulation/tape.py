"""What a simulated market leaves behind: quotes, listings, and the truth that made them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from latentbeta.data.calendar import Dates
from latentbeta.data.market import Matrix
from latentbeta.simulation.betas import N_FACTORS
from latentbeta.simulation.draws import Vector

QUOTES = ("open", "high", "low", "close", "volume", "dividend", "split", "shares")


def asset_name(slot: int, generation: int) -> str:
    """Return an asset's identifier: its slot, and which of the slot's assets it is, from 1."""
    return f"S{slot:04d}-{generation + 1}"


@dataclass(frozen=True)
class Listing:
    """One asset's time on the market; `delisted` is NaT while it lasts."""

    slot: int
    generation: int
    sector: int
    listed: np.datetime64
    delisted: np.datetime64 = field(default_factory=lambda: np.datetime64("NaT", "us"))
    delisting_return: float = np.nan

    @property
    def asset(self) -> str:
        """Identifier of the asset."""
        return asset_name(self.slot, self.generation)


@dataclass(frozen=True)
class FormedBetas:
    """Betas in force over the period that ends at `date`, one asset a row."""

    date: np.datetime64
    slots: NDArray[np.int64]
    generations: NDArray[np.int64]
    betas: Matrix


@dataclass(frozen=True)
class Tape:
    """Everything that happened.

    Attributes
    ----------
    days : (D,) datetime64[us]
    generation : (D, n) int
        Which of the slot's assets is listed that day; -1 for none.
    quotes : dict of (D, n)
        QUOTES, NaN on days without a quote.
    total_return : (D, n)
        From quote to quote, as a reader of the quotes computes it.
    risk_free : (D,)
    factors : (D, 3)
    listings : list of Listing, in the order of their first days
    formed : list of FormedBetas, one a period
    """

    days: Dates
    generation: NDArray[np.int64]
    quotes: dict[str, Matrix]
    total_return: Matrix
    risk_free: Vector
    factors: Matrix
    listings: list[Listing]
    formed: list[FormedBetas]

    @classmethod
    def blank(cls, days: Dates, n_slots: int) -> Tape:
        """Return a tape on which nothing is written yet."""
        shape = (len(days), n_slots)
        return cls(
            days=days,
            generation=np.full(shape, -1),
            quotes={name: np.full(shape, np.nan) for name in QUOTES},
            total_return=np.full(shape, np.nan),
            risk_free=np.zeros(len(days)),
            factors=np.zeros((len(days), N_FACTORS)),
            listings=[],
            formed=[],
        )
