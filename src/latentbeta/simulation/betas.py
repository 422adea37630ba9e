"""The true betas: a non-linear function of characteristics that the pipeline itself computes.

Each beta has a part that is linear in the ranks, so that managed portfolios (Z'Z)⁻¹Z'R span the
factors, and a part that no linear function of the ranks can reach: a kink, an interaction, a
step. What a linear model loses is what a neural one can win.
"""

from __future__ import annotations

import numpy as np

from latentbeta.characteristics.ranking import rank_to_unit_interval
from latentbeta.characteristics.registry import REGISTRY
from latentbeta.data.market import DailyMarket, Matrix

CHARACTERISTICS = ("turn", "mom12m", "mvel1", "retvol")
N_FACTORS = 3
WINDOW = 260  # days of history that the characteristics above read at most


def ranks_at_end(market: DailyMarket) -> Matrix:
    """Rank the characteristics on the market's last day.

    Returns
    -------
    (4, N) float64
        In [-1, 1], in the order of CHARACTERISTICS; zero, the median, where one is not known.
    """
    formation = np.array([len(market.days) - 1])
    values = [REGISTRY[name].function(market, formation)[0] for name in CHARACTERISTICS]
    return np.nan_to_num(rank_to_unit_interval(np.array(values)), nan=0.0)


def true_betas(ranks: Matrix) -> Matrix:
    """Map ranked characteristics to betas.

    Parameters
    ----------
    ranks : (4, N)
        In [-1, 1], in the order of CHARACTERISTICS.

    Returns
    -------
    (N, 3) float64

    Notes
    -----
    With u turnover, m momentum, s size and v volatility::

        β₁ = 0.9 + 0.4 u + 1.6 (|u| - 1/2)       a kink: both ends load, one of them more
        β₂ = 1.2 m (1 - s)                       an interaction: momentum counts for small firms
        β₃ = 1.3 · 1(v > 0.4) - 0.4              a step at the most volatile third
    """
    turnover, momentum, size, volatility = ranks
    return np.column_stack(
        [
            0.9 + 0.4 * turnover + 1.6 * (np.abs(turnover) - 0.5),
            1.2 * momentum * (1 - size),
            1.3 * (volatility > 0.4) - 0.4,
        ]
    )
