"""The registry of characteristics: one row each, with its source, formula and function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from latentbeta.characteristics import liquidity, momentum, risk, size
from latentbeta.characteristics.windows import MONTH, YEAR, Formations
from latentbeta.data.market import DailyMarket, Matrix
from latentbeta.errors import SettingsError

Function = Callable[[DailyMarket, Formations], Matrix]


@dataclass(frozen=True)
class Characteristic:
    """What a characteristic is, where it comes from, and how it is computed.

    Attributes
    ----------
    name : str
        The acronym of Green, Hand and Zhang (2017) and Gu, Kelly and Xiu (2020).
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
        Fields of the daily market it reads.
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


_RETURN = ("close", "total_return")
_TURNOVER = ("volume", "shares")
_DOLLARS = ("close", "volume")

_ROWS = (
    Characteristic(
        "mom1m",
        "One-month reversal",
        "Jegadeesh (1990)",
        "Π(1 + r) - 1, d = 1..21",
        0,
        -1,
        _RETURN,
        momentum.mom1m,
    ),
    Characteristic(
        "mom6m",
        "Six-month momentum",
        "Jegadeesh and Titman (1993)",
        "Π(1 + r) - 1, d = 22..126",
        MONTH,
        1,
        _RETURN,
        momentum.mom6m,
    ),
    Characteristic(
        "mom12m",
        "Twelve-month momentum",
        "Jegadeesh (1990)",
        "Π(1 + r) - 1, d = 22..252",
        MONTH,
        1,
        _RETURN,
        momentum.mom12m,
    ),
    Characteristic(
        "mom36m",
        "Long-term reversal",
        "De Bondt and Thaler (1985)",
        "Π(1 + r) - 1, d = 253..756",
        YEAR,
        -1,
        _RETURN,
        momentum.mom36m,
    ),
    Characteristic(
        "chmom",
        "Change in six-month momentum",
        "Gettleman and Marks (2006)",
        "[Π(1 + r), d = 1..126] - [Π(1 + r), d = 127..252]",
        0,
        1,
        _RETURN,
        momentum.chmom,
    ),
    Characteristic(
        "indmom",
        "Industry momentum",
        "Moskowitz and Grinblatt (1999)",
        "mean of mom12m over the quoted assets of the sector",
        MONTH,
        1,
        (*_RETURN, "sector"),
        momentum.indmom,
    ),
    Characteristic(
        "maxret",
        "Maximum daily return",
        "Bali, Cakici and Whitelaw (2011)",
        "max r, d = 1..21",
        0,
        -1,
        ("total_return",),
        risk.maxret,
    ),
    Characteristic(
        "turn",
        "Share turnover",
        "Datar, Naik and Radcliffe (1998)",
        "mean(volume / shares), d = 1..63",
        0,
        -1,
        _TURNOVER,
        liquidity.turn,
    ),
    Characteristic(
        "std_turn",
        "Volatility of share turnover",
        "Chordia, Subrahmanyam and Anshuman (2001)",
        "std(volume / shares), d = 1..21",
        0,
        -1,
        _TURNOVER,
        liquidity.std_turn,
    ),
    Characteristic(
        "mvel1",
        "Log market equity",
        "Banz (1981)",
        "log(close · shares), d = 1",
        0,
        -1,
        ("close", "shares"),
        size.mvel1,
    ),
    Characteristic(
        "dolvol",
        "Log dollar volume",
        "Chordia, Subrahmanyam and Anshuman (2001)",
        "log mean(close · volume), d = 22..42",
        MONTH,
        -1,
        _DOLLARS,
        liquidity.dolvol,
    ),
    Characteristic(
        "std_dolvol",
        "Volatility of dollar volume",
        "Chordia, Subrahmanyam and Anshuman (2001)",
        "std(log(close · volume)), d = 1..21 with trade",
        0,
        -1,
        _DOLLARS,
        liquidity.std_dolvol,
    ),
    Characteristic(
        "ill",
        "Illiquidity",
        "Amihud (2002)",
        "mean(|r| / (close · volume)), d = 1..21 with trade",
        0,
        1,
        (*_RETURN, "volume"),
        liquidity.ill,
    ),
    Characteristic(
        "retvol",
        "Return volatility",
        "Ang, Hodrick, Xing and Zhang (2006)",
        "std(r), d = 1..21",
        0,
        -1,
        ("total_return",),
        risk.retvol,
    ),
    Characteristic(
        "beta",
        "Market beta",
        "Fama and MacBeth (1973)",
        "cov(w, m) / var(m), w weekly, m their mean over assets, d = 1..780",
        0,
        1,
        _RETURN,
        risk.beta,
    ),
    Characteristic(
        "betasq",
        "Market beta squared",
        "Fama and MacBeth (1973)",
        "beta²",
        0,
        0,
        _RETURN,
        risk.betasq,
    ),
    Characteristic(
        "idiovol",
        "Idiosyncratic volatility",
        "Ali, Hwang and Trombley (2003)",
        "std(w - a - beta · m), d = 1..780",
        0,
        -1,
        _RETURN,
        risk.idiovol,
    ),
    Characteristic(
        "zerotrade",
        "Zero trading days",
        "Liu (2006)",
        "(z + min(1 / (480000 u), 1)) · 21 / n, z zero-volume days, u turnover, d = 1..21",
        0,
        1,
        _TURNOVER,
        liquidity.zerotrade,
    ),
    Characteristic(
        "baspread",
        "Relative spread",
        "Amihud and Mendelson (1989)",
        "mean((high - low) / ((high + low) / 2)), d = 1..21",
        0,
        1,
        ("high", "low"),
        liquidity.baspread,
    ),
    Characteristic(
        "pricedelay",
        "Price delay",
        "Hou and Moskowitz (2005)",
        "1 - R²(w on m) / R²(w on m and its 4 lags), d = 1..780 and 20 more for the lags",
        0,
        1,
        _RETURN,
        risk.pricedelay,
    ),
)

REGISTRY: dict[str, Characteristic] = {row.name: row for row in _ROWS}


def require_known(names: Sequence[str]) -> None:
    """Raise a SettingsError that names each characteristic the registry does not hold."""
    unknown = [name for name in names if name not in REGISTRY]
    if unknown:
        raise SettingsError(
            f"characteristics.names: no characteristic is called {', '.join(unknown)};"
            f" there are {', '.join(REGISTRY)}"
        )
