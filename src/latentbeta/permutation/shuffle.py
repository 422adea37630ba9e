"""Returns in which nothing can be forecast, and all else is as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from latentbeta.panel.panel import Panel


def shuffled(panel: Panel, seed: int) -> Panel:
    """Return the panel with each date's returns shuffled and its market turned by a coin.

    The known returns of a date less their mean are given to its assets in random order, so that
    no characteristic and no past tells who earns more. The mean would survive that: a premium of
    the market is a forecast without any cross-section. It comes back with a random sign, and so
    is as often a loss as a gain. Were it taken out altogether, the market would be a factor
    without returns, on which nobody has a beta.

    Given all that is known before a date, every forecast for it has, by construction, a
    covariance of zero with what it gets.
    """
    rng = np.random.default_rng(seed)
    R = panel.R.copy()
    for rows in panel.blocks():
        known = np.flatnonzero(panel.observed[rows]) + rows.start
        if len(known):
            mean = R[known].mean()
            R[known] = rng.choice([-1.0, 1.0]) * mean + rng.permutation(R[known] - mean)
    return replace(panel, R=R)
