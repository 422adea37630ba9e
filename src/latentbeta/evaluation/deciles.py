"""The portfolios of a sort on the forecast, each with what it earned, risked and cost."""

from __future__ import annotations

import numpy as np
import pandas as pd

from latentbeta.evaluation.inference import standard_error
from latentbeta.evaluation.ladder import ModelKey
from latentbeta.evaluation.measures import moments
from latentbeta.evaluation.performance import maximum_drawdown, sharpe_ratio
from latentbeta.evaluation.portfolios import Holdings, SortedPortfolios
from latentbeta.evaluation.sample import Matrix


def deciles_of(
    key: ModelKey,
    portfolios: SortedPortfolios,
    weights: Matrix,
    *,
    cost: float,
    periods_per_year: int,
) -> pd.DataFrame:
    """Describe one model's sorted portfolios.

    Parameters
    ----------
    weights : (B, T)
        How often each date occurs in each draw.
    cost : float
        Of buying or selling one unit of value, decimal.

    Returns
    -------
    DataFrame
        model, n_factors, weighting (equal, value), portfolio (portfolio_1 for the lowest
        forecasts … portfolio_Q, long_short), mean and volatility a year (decimal), sharpe,
        sharpe_se, turnover a period, net_sharpe (after costs), drawdown (before costs).

    Notes
    -----
    After the forecast deciles of Gu, Kelly and Xiu (2021), which have no costs.
    """
    names = [f"portfolio_{q + 1}" for q in range(portfolios.n_portfolios)] + ["long_short"]
    tables = [
        pd.DataFrame(
            {
                "model": key.model,
                "n_factors": key.n_factors,
                "weighting": weighting,
                "portfolio": names,
            }
            | _described(holdings, weights, cost, periods_per_year)
        )
        for weighting, holdings in (("equal", portfolios.equal), ("value", portfolios.value))
    ]
    return pd.concat(tables, ignore_index=True)


def _described(
    holdings: Holdings, weights: Matrix, cost: float, periods_per_year: int
) -> dict[str, Matrix]:
    """Return each column, (Q + 1,)."""
    once = np.ones((1, weights.shape[1]))
    point, net = moments(holdings.returns, once), moments(holdings.net_of(cost), once)
    drawn = moments(holdings.returns, weights)
    draws = sharpe_ratio(drawn.mean, drawn.variance, periods_per_year)
    return {
        "mean": point.mean[0] * periods_per_year,
        "volatility": np.sqrt(point.variance[0] * periods_per_year),
        "sharpe": sharpe_ratio(point.mean[0], point.variance[0], periods_per_year),
        "sharpe_se": np.array([standard_error(one) for one in draws.T]),
        "turnover": moments(holdings.turnover, once).mean[0],
        "net_sharpe": sharpe_ratio(net.mean[0], net.variance[0], periods_per_year),
        "drawdown": maximum_drawdown(holdings.returns.T),
    }
