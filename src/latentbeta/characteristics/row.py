"""What is told about a characteristic: one row of the registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from latentbeta.characteristics.windows import Formations
from latentbeta.data.market import DailyMarket, Matrix

Function = Callable[[DailyMarket, Formations], Matrix]


@dataclass(frozen=True)
class Characteristic:
    """What a characteristic is, where it comes from, and how it is computed.

    Attributes
    ----------
    name : str
        The acronym of Green, Hand and Zhang (2017) and Gu, Kelly and Xiu (2020); the column of
        the panel.
    title : str
    source : str
        The paper that proposed it.
    formula : str
        d counts trading days back from the formation, the formation itself being d = 1.
    lag : int
        How many of the latest trading days it leaves out.
    sign : int
        Relation with later returns in the source: 1, -1, or 0 where it states none.
    inputs : tuple of str
        Fields of the daily market it reads, and items of fundamentals.
    function : callable
        ``(market, formations (T,)) -> (T, N) float64``; the value at formation t uses days up to
        ``formations[t]`` alone and is NaN where it cannot be computed.
    """

    name: str
    title: str
    source: str
    formula: str
    lag: int
    sign: int
    inputs: tuple[str, ...]
    function: Function
