"""Cross-sectional ranks in [-1, 1], missing values at the date's median.

Ranks are mapped by ``2 rank / (N + 1) - 1`` over the N known values, as in the simulation of Gu,
Kelly and Xiu (2021), and not by ``2 (rank - 1) / (N - 1) - 1``: it is defined for a single asset
(zero), symmetric around zero, and does not let the span of a small cross-section reach the ends
that a large one approaches. The median is exactly zero, so zero is what a missing value gets.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.data.market import Matrix


def rank_to_unit_interval(values: Matrix) -> Matrix:
    """Rank known values into (-1, 1) along the last axis; ties share their average rank.

    Parameters
    ----------
    values : (..., N)
        Characteristics of one date, or of several dates one a row.

    Returns
    -------
    (..., N) float64
        ``2 rank / (N + 1) - 1``, N the number of known values; NaN where a value is not finite.

    Notes
    -----
    Gu, Kelly and Xiu (2021), section 4 (simulation).
    """
    known = np.isfinite(values)
    if values.shape[-1] == 0:
        return values.astype(np.float64)
    rows = pd.DataFrame(np.where(known, values, np.nan).reshape(-1, values.shape[-1]))
    ranks = rows.rank(axis=1).to_numpy().reshape(values.shape)
    count = known.sum(axis=-1, keepdims=True)
    return np.where(known, 2.0 * ranks / (count + 1.0) - 1.0, np.nan)


def rank_by_date(values: Matrix, offsets: NDArray[np.int64]) -> NDArray[np.float32]:
    """Rank characteristics within each date, what is missing at the date's median, zero.

    Parameters
    ----------
    values : (P, n)
        One row a characteristic; columns contiguous by date.
    offsets : (T + 1,) int
        Date t owns columns ``offsets[t]:offsets[t + 1]``.

    Returns
    -------
    (n, P) float32
    """
    ranks = np.empty(values.shape[::-1], dtype=np.float32)
    for start, stop in itertools.pairwise(offsets):
        ranks[start:stop] = rank_and_fill(values[:, start:stop]).T
    return ranks


def rank_and_fill(values: Matrix, members: NDArray[np.bool_] | None = None) -> Matrix:
    """Rank each date's cross-section into (-1, 1) and set what is missing to its median, zero.

    Parameters
    ----------
    values : (T, N)
    members : (T, N) bool, optional
        Assets of each date's cross-section; everyone, when not given.

    Returns
    -------
    (T, N) float64
        NaN only outside the cross-section.
    """
    inside = np.ones(values.shape, dtype=bool) if members is None else members
    ranks = rank_to_unit_interval(np.where(inside, values, np.nan))
    return np.where(inside, np.where(np.isfinite(ranks), ranks, 0.0), np.nan)
