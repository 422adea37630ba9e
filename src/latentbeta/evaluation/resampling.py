"""Samples of the test dates, drawn in blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from arch.bootstrap import StationaryBootstrap
from numpy.typing import NDArray

from latentbeta.evaluation.sample import Matrix


@dataclass(frozen=True, eq=False)
class Resamples:
    """Draws of the dates.

    Attributes
    ----------
    order : (B, T) int
        Places of the dates of each draw, in the order they were drawn.
    weights : (B, T)
        How often each date occurs in each draw; rows sum to T.
    """

    order: NDArray[np.int64]
    weights: Matrix


def resampled_dates(n_dates: int, *, draws: int, block: float, seed: int) -> Resamples:
    """Draw samples of the dates by the stationary bootstrap.

    Parameters
    ----------
    n_dates : int
        T.
    draws : int
        B.
    block : float
        Mean length of a block, in dates; block lengths are geometric.
    seed : int

    Notes
    -----
    Politis and Romano (1994). Whole dates are drawn, so the dependence across assets on a date
    is kept as it is; blocks keep the dependence between neighbouring dates. Every model meets
    the same draws, which makes differences between models paired.
    """
    order = np.zeros((draws, n_dates), dtype=np.int64)
    weights = np.zeros((draws, n_dates))
    if n_dates == 0:
        return Resamples(order, weights)
    bootstrap = StationaryBootstrap(block, np.arange(n_dates), seed=np.random.default_rng(seed))
    for draw, ((dates,), _) in enumerate(bootstrap.bootstrap(draws)):
        order[draw] = dates
        weights[draw] = np.bincount(dates, minlength=n_dates)
    return Resamples(order, weights)


def sample_itself(n_dates: int) -> Resamples:
    """Return the dates as they are, each once, as the single draw."""
    return Resamples(np.arange(n_dates)[None], np.ones((1, n_dates)))
