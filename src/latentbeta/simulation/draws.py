"""Random numbers by the day and by the asset, so that more days change none that came before."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Number = TypeVar("Number", float, Vector)

_DAY, _ASSET, _START = 1, 2, 3  # one stream of seeds each
_DEGREES_OF_FREEDOM = 5


@dataclass(frozen=True)
class DayDraws:
    """All that is random on one day.

    Attributes
    ----------
    factor : (3,) standard normal
    volatility, rate : float, standard normal
    idiosyncratic : (n,) Student t with 5 degrees of freedom, of unit variance
    turnover, idiosyncratic_volatility, volume, opening, upward, downward : (n,) standard normal
    gap, gap_length, listing, delisting, outcome : (n,) uniform on [0, 1)
    """

    factor: Vector
    volatility: float
    rate: float
    idiosyncratic: Vector
    turnover: Vector
    idiosyncratic_volatility: Vector
    volume: Vector
    opening: Vector
    upward: Vector
    downward: Vector
    gap: Vector
    gap_length: Vector
    listing: Vector
    delisting: Vector
    outcome: Vector


def day_draws(seed: int, day: np.datetime64, n_slots: int) -> DayDraws:
    """Draw a day's numbers from a stream of its own."""
    random = _generator(seed, _DAY, int(day.astype("datetime64[D]").astype(np.int64)))
    common = random.standard_normal(5)
    normal = random.standard_normal((6, n_slots))
    uniform = random.random((5, n_slots))
    student = random.standard_t(_DEGREES_OF_FREEDOM, n_slots)
    variance = _DEGREES_OF_FREEDOM / (_DEGREES_OF_FREEDOM - 2)
    return DayDraws(
        common[:3],
        float(common[3]),
        float(common[4]),
        student / np.sqrt(variance),
        *normal,
        *uniform,
    )


def autoregressive(value: Number, shock: Number, persistence: float, deviation: float) -> Number:
    """Move a state of mean zero and stationary standard deviation `deviation` on by one day."""
    return persistence * value + math.sqrt(1 - persistence**2) * deviation * shock


def asset_generator(seed: int, slot: int, generation: int) -> np.random.Generator:
    """Return the stream that decides what an asset is like when it is listed."""
    return _generator(seed, _ASSET, slot, generation)


def start_generator(seed: int) -> np.random.Generator:
    """Return the stream that decides who is listed on the first day."""
    return _generator(seed, _START)


def _generator(seed: int, *key: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *key])))
