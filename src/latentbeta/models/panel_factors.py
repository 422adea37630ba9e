"""Observed factors: portfolios built from the panel, or columns that came from a file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentbeta.models.protocol import Array
from latentbeta.panel.panel import Panel

# The characteristic a factor is sorted on, and the sign of its long side: small less big, winners
# less losers, calm less volatile, each in the direction its source found to be rewarded.
SORTED = {"size": ("mvel1", -1.0), "momentum": ("mom12m", 1.0), "volatility": ("retvol", -1.0)}
MARKET, INDUSTRIES = "market", "industries"

# Ranks lie in [-1, 1]: a long side that sums to less than this is rounding, not a spread.
SMALLEST_SPREAD = 1e-6


def market_factor(panel: Panel) -> Array:
    """Return the equal-weighted mean excess return of each date, (T, 1); NaN if none is known."""
    return _means(panel, np.zeros(panel.n_rows, dtype=np.int64), 1)


def sorted_factor(panel: Panel, characteristic: str, sign: float) -> Array:
    """Return the rank-weighted zero-cost portfolio of a characteristic, (T, 1).

    f_t = Σ_i w_i r_i with w_i = (z_i - z̄) / Σ_j max(z_j - z̄, 0) over the assets whose return is
    known: one unit long, one short, more of an asset the farther its rank is from the middle. The
    ranks were known before the period. NaN on a date on which the ranks do not differ.

    Source: Asness, Moskowitz and Pedersen (2013), Value and momentum everywhere, equation 2.
    """
    rows = panel.observed
    date, T = panel.date_index[rows], panel.n_dates
    z = sign * panel.Z[rows, panel.characteristic_names.index(characteristic)].astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = np.bincount(date, z, T) / np.bincount(date, minlength=T)
        apart = z - middle[date]
        long = np.bincount(date, np.maximum(apart, 0.0), T)
        spread = np.bincount(date, apart * panel.R[rows], T) / long
    return np.where(long > SMALLEST_SPREAD, spread, np.nan)[:, None]


def industry_factors(panel: Panel) -> Array:
    """Return each sector's equal-weighted return less the market's, (T, S - 1).

    The last sector by name is left out: weighted by their assets, the S differences sum to zero.
    NaN where no return of the sector is known.
    """
    returns = _means(panel, panel.sector, len(panel.sector_names))
    return (returns - market_factor(panel))[:, :-1]


def observed_factors(panel: Panel, names: Sequence[str], n_factors: int) -> Array:
    """Return the first `n_factors` factors of the names, (T, K); NaN where one is not known.

    Parameters
    ----------
    names : `market`, `size`, `momentum`, `volatility`, `industries`, or columns of panel.F
        A name of the panel's own goes before a column of the same name.
    """
    taken = _taken(panel, names, n_factors)
    return np.column_stack([_factor(panel, name) for name in taken])[:, :n_factors]


def factor_obstacle(panel: Panel, names: Sequence[str], n_factors: int) -> str | None:
    """Say why the panel has not these factors, with what it has; None where it has them."""
    taken = _taken(panel, names, n_factors)
    width = sum(_width(panel, name) for name in taken)
    for name in taken:
        if (missing := _missing(panel, name)) is not None:
            return missing
    if len(set(taken)) < len(taken):
        return f"a factor is named twice: {', '.join(taken)}"
    if width < n_factors:
        return f"{n_factors} factors, but {', '.join(names)} are {width}"
    if width > n_factors:
        return f"{n_factors} factors would cut the industries, which end at factor {width}"
    return None


def _missing(panel: Panel, name: str) -> str | None:
    if name in SORTED and SORTED[name][0] not in panel.characteristic_names:
        known = ", ".join(panel.characteristic_names) or "none"
        return f"{name} is sorted on {SORTED[name][0]}; the panel's characteristics: {known}"
    if name == INDUSTRIES and len(panel.sector_names) < 2:
        return f"industries need two sectors; the panel has {len(panel.sector_names)}"
    built = (MARKET, *SORTED, INDUSTRIES)
    if name not in built and name not in panel.factor_names:
        columns = ", ".join(panel.factor_names) or "none"
        return f"no factor is called {name}; built: {', '.join(built)}; from a file: {columns}"
    return None


def _taken(panel: Panel, names: Sequence[str], n_factors: int) -> list[str]:
    """Return the names it takes to have so many factors, or all."""
    taken: list[str] = []
    for name in names:
        if sum(_width(panel, each) for each in taken) >= n_factors:
            break
        taken.append(name)
    return taken


def _width(panel: Panel, name: str) -> int:
    return max(len(panel.sector_names) - 1, 0) if name == INDUSTRIES else 1


def _factor(panel: Panel, name: str) -> Array:
    if name == MARKET:
        return market_factor(panel)
    if name in SORTED:
        return sorted_factor(panel, *SORTED[name])
    if name == INDUSTRIES:
        return industry_factors(panel)
    return panel.F[:, [panel.factor_names.index(name)]]


def _means(panel: Panel, group: np.ndarray, n_groups: int) -> Array:
    """Return the mean known return of each date and group, (T, G); rows of group -1 are in none."""
    rows = panel.observed & (group >= 0)
    cell = panel.date_index[rows] * n_groups + group[rows]
    size = panel.n_dates * n_groups
    with np.errstate(invalid="ignore"):
        # Sums run over the rows of a cell one by one: later dates cannot change their last bits.
        means = np.bincount(cell, panel.R[rows], size) / np.bincount(cell, minlength=size)
    return means.reshape(panel.n_dates, n_groups)
