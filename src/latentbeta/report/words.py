"""Names and numbers as people read them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard

NAMES = {
    "observed_factors": "Observed factors",
    "observed_betas": "Observed betas",
    "pca": "PCA",
    "rp_pca": "RP-PCA",
    "ipca": "IPCA",
    "autoencoder": "Autoencoder",
    "cae_lecture": "Lecture CAE",
    "ca0": "CA0",
    "ca1": "CA1",
    "ca2": "CA2",
    "ca3": "CA3",
}
CLASSES = {
    "observed": ("observed_factors", "observed_betas"),
    "latent and linear": ("pca", "rp_pca", "ipca"),
    "neural": ("autoencoder", "cae_lecture", "ca0", "ca1", "ca2", "ca3"),
}
CLASSICAL = CLASSES["observed"] + CLASSES["latent and linear"]
COLOURS = {
    "observed_factors": "#9aa5b1",
    "observed_betas": "#7b8794",
    "pca": "#5f8fb4",
    "rp_pca": "#3f7ca6",
    "ipca": "#1f4e79",
    "autoencoder": "#8c7a3d",
    "cae_lecture": "#c9972b",
    "ca0": "#e08e6d",
    "ca1": "#c0392b",
    "ca2": "#8e3b6b",
    "ca3": "#5b3a86",
}
OTHER_COLOUR = "#52606d"
PERIODS = {"daily": ("day", "days"), "weekly": ("week", "weeks"), "monthly": ("month", "months")}
MINUS, NOTHING = "\u2212", "–"


@dataclass(frozen=True)
class Column:
    """A measure as a column: the group it stands in, how it is headed, scaled and rounded.

    `better` says whether the highest or the lowest value is the best.
    """

    measure: str
    group: str
    heading: str
    scale: float
    decimals: int
    better: Literal["high", "low"] = "high"


COLUMNS = (
    Column("total_r2", "Assets, R² %", "total", 100, 2),
    Column("predictive_r2", "Assets, R² %", "predictive", 100, 2),
    Column("total_r2_managed", "Managed portfolios, R² %", "total", 100, 2),
    Column("predictive_r2_managed", "Managed portfolios, R² %", "predictive", 100, 2),
    Column("ic", "Information coefficient", "IC", 1, 3),
    Column("rank_ic", "Information coefficient", "rank IC", 1, 3),
    Column("long_short_sharpe", "Sharpe ratio a year", "long-short, equal", 1, 2),
    Column("long_short_sharpe_vw", "Sharpe ratio a year", "long-short, value", 1, 2),
    Column("long_short_net_sharpe", "Sharpe ratio a year", "equal, net of costs", 1, 2),
    Column("tangency_sharpe", "Sharpe ratio a year", "tangency", 1, 2),
    Column("n_pricing_errors", "Pricing errors", "|t| above 3", 1, 0, "low"),
    Column("mean_abs_alpha", "", "", 100, 2, "low"),  # no room for it in the full table
)


def name_of(model: str) -> str:
    """Return a model's name for people."""
    return NAMES.get(model, model)


def colour_of(model: str) -> str:
    """Return a model's colour, the same in every figure."""
    return COLOURS.get(model, OTHER_COLOUR)


def is_known(value: Any) -> TypeGuard[float]:
    """Whether a measure has a value: neither null nor NaN."""
    return value is not None and math.isfinite(value)


def number(value: Any, decimals: int) -> str:
    """Round a number for reading; a dash where there is none.

    >>> number(-0.0312, 2)
    '−0.03'
    """
    if not is_known(value):
        return NOTHING
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def signed(value: Any, decimals: int) -> str:
    """Round a difference for reading, with its sign."""
    text = number(value, decimals)
    return text if text.startswith((MINUS, NOTHING)) else f"+{text}"


def percent(value: Any, decimals: int = 1) -> str:
    """Return a fraction as a percentage."""
    return f"{number(value * 100, decimals)} %" if is_known(value) else NOTHING


def spans(numbers: Iterable[int]) -> str:
    """Shorten a list of whole numbers.

    >>> spans([1, 3, 4, 5])
    '1 and 3 to 5'
    """
    runs: list[list[int]] = []
    for value in sorted(set(numbers)):
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return listing(
        [
            part
            for run in runs
            for part in ([f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run))
        ]
    )


def factors_phrase(n_factors: int) -> str:
    """Return "1 factor", "3 factors"."""
    return f"{n_factors} factor{'' if n_factors == 1 else 's'}"


def listing(parts: list[str]) -> str:
    """Join as in a sentence: "a", "a and b", "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
