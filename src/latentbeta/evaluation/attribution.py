"""A portfolio's return, split into what each factor gave and what is the assets' own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.evaluation.ladder import ModelKey
from latentbeta.evaluation.newey_west import mean_test
from latentbeta.evaluation.portfolios import Places
from latentbeta.evaluation.published import Published
from latentbeta.evaluation.sample import Matrix, Vector
from latentbeta.evaluation.saved_results import factor_names


@dataclass(frozen=True, eq=False)
class Attribution:
    """A portfolio's returns and their parts, decimal; NaN on a date that has none.

    Attributes
    ----------
    factors : (T, K)
        What the exposure to each factor gave.
    specific : (T,)
        The rest.
    total : (T,)
        The portfolio's return: the sum of all parts.
    """

    factors: Matrix
    specific: Vector
    total: Vector


def attribute(
    weights: Matrix, realised: Matrix, betas: NDArray[np.float64], factors: Matrix
) -> Attribution:
    """Split the returns of a portfolio.

    Parameters
    ----------
    weights : (T, N)
        Held over the period that ends on the date; 0 for what is not held.
    realised : (T, N)
        Excess returns; an asset without one (NaN) is left out.
    betas : (T, N, K)
        The return of an asset without betas (NaN) is specific.
    factors : (T, K)
        Factor returns; on a date without them (NaN) only the total is known.

    Notes
    -----
    Σᵢ wᵢ rᵢ = Σₖ (Σᵢ wᵢ βᵢₖ) fₖ + specific, date by date. Latent factors are identified up to a
    rotation, and with them the parts; their sum, and so the specific part, is not affected.
    """
    held = np.where(np.isfinite(realised), weights, 0.0)
    total = np.einsum("tn,tn->t", held, np.nan_to_num(realised))
    exposure = np.einsum("tn,tnk->tk", held, np.nan_to_num(betas))
    any_held = (held != 0).any(axis=1)
    parts = np.where(any_held[:, None], exposure * factors, np.nan)
    total = np.where(any_held, total, np.nan)
    return Attribution(parts, total - parts.sum(axis=1), total)


def market_weights(realised: Matrix) -> Matrix:
    """(T, N) equal weights of the assets with a return."""
    known = np.isfinite(realised)
    return known / np.maximum(known.sum(axis=1, keepdims=True), 1)


def long_short_weights(realised: Matrix, places: Places, n_portfolios: int) -> Matrix:
    """(T, N) weights of the equal-weighted long-short portfolio, of the assets with a return.

    Parameters
    ----------
    places : (T, N) int
        Portfolio of each asset, 0 for the lowest forecasts.
    n_portfolios : int
    """
    known = np.isfinite(realised)
    ends = [known & (places == place) for place in (n_portfolios - 1, 0)]
    high, low = (end / np.maximum(end.sum(axis=1, keepdims=True), 1) for end in ends)
    both = np.logical_and(*(end.any(axis=1) for end in ends))
    return np.where(both[:, None], high - low, 0.0)


def as_table(attribution: Attribution, dates: NDArray[np.datetime64]) -> pd.DataFrame:
    """Return date, factor_1 … factor_K, specific, total."""
    names = factor_names(attribution.factors.shape[1])
    return pd.DataFrame(
        {"date": dates}
        | dict(zip(names, attribution.factors.T, strict=True))
        | {"specific": attribution.specific, "total": attribution.total}
    )


def summary_of(table: pd.DataFrame, periods_per_year: int) -> pd.DataFrame:
    """Sum a portfolio's attribution up over its dates.

    Parameters
    ----------
    table : DataFrame
        With the columns of `as_table`.

    Returns
    -------
    DataFrame
        part (factor_1 …, specific, total), mean and volatility a year (decimal), and the
        Newey-West t-statistic of the mean.
    """
    parts = [name for name in table.columns if name.startswith("factor_")]
    rows = []
    for part in (*parts, "specific", "total"):
        test = mean_test(table[part].to_numpy(np.float64))
        volatility = float(table[part].std() * np.sqrt(periods_per_year))
        rows.append((part, test.mean * periods_per_year, volatility, test.t))
    return pd.DataFrame(rows, columns=["part", "mean", "volatility", "t"])


def attributions_of(
    key: ModelKey,
    portfolios: dict[str, Matrix],
    realised: Matrix,
    published: Published,
    dates: NDArray[np.datetime64],
) -> pd.DataFrame:
    """Split the returns of several portfolios by one model's factors.

    Parameters
    ----------
    portfolios : dict of (T, N)
        Weights by the name of the portfolio.
    published : Published
        Betas and factor returns over the same dates and assets.

    Returns
    -------
    DataFrame
        model, n_factors, portfolio, date, factor_1 … factor_K, specific, total.
    """
    betas, factors = published.betas(key), published.factors(key)
    tables = []
    for name, weights in portfolios.items():
        table = as_table(attribute(weights, realised, betas, factors), dates)
        table.insert(0, "model", key.model)
        table.insert(1, "n_factors", key.n_factors)
        table.insert(2, "portfolio", name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def stacked_attributions(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Join tables of models with different K: all factors first, empty beyond a model's own."""
    joined = pd.concat(tables, ignore_index=True)
    last = ["specific", "total"]
    return joined[[*joined.columns.drop(last), *last]]
