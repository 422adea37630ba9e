"""What a model leaves unexplained of the managed portfolios' mean returns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from latentbeta.evaluation.inference import standard_error
from latentbeta.evaluation.ladder import ModelKey
from latentbeta.evaluation.managed import ManagedReturns
from latentbeta.evaluation.measures import moments
from latentbeta.evaluation.newey_west import mean_test
from latentbeta.evaluation.sample import Matrix

CRITICAL_T = 3.0
ROUNDING = 1e-9  # of a portfolio's largest return: what is left below it is nothing but digits


def pricing_errors_of(
    key: ModelKey, managed: ManagedReturns, names: tuple[str, ...]
) -> pd.DataFrame:
    """Test that a model's pricing errors are zero, one managed portfolio a row.

    Parameters
    ----------
    managed : ManagedReturns
        Realised and fitted returns of the portfolios.
    names : tuple of P + 1 str

    Returns
    -------
    DataFrame
        model, n_factors, portfolio, mean_return, mean_return_t, alpha, alpha_t: means a period,
        decimal, with Newey-West t-statistics. A portfolio that is explained to the last digit
        has an alpha and a t of zero.

    Notes
    -----
    α_p = mean over the test dates of x_p - x̂_p, x̂ = (Z'Z)⁻¹Z'β̂f̂: the alphas of Gu,
    Kelly and Xiu (2021). IPCA with a factor for each of Z's columns explains all of x.
    """
    errors = unexplained(managed)
    returns = [mean_test(series) for series in managed.realised.T]
    alphas = [mean_test(series) for series in errors.T]
    exact = (np.nan_to_num(errors) == 0).all(axis=0) & np.isfinite([test.t for test in returns])
    return pd.DataFrame(
        {
            "model": key.model,
            "n_factors": key.n_factors,
            "portfolio": list(names),
            "mean_return": [test.mean for test in returns],
            "mean_return_t": [test.t for test in returns],
            "alpha": [test.mean for test in alphas],
            "alpha_t": np.where(exact, 0.0, [test.t for test in alphas]),
        }
    )


def unexplained(managed: ManagedReturns) -> Matrix:
    """(T, P + 1) x - x̂, zero where it is no more than rounding."""
    largest = np.nan_to_num(np.abs(managed.realised)).max(axis=0, initial=0.0)
    errors = managed.realised - managed.explained
    return np.where(np.abs(errors) <= ROUNDING * largest, 0.0, errors)


def pricing_error_measures(
    errors: pd.DataFrame, managed: ManagedReturns, weights: Matrix
) -> dict[str, Any]:
    """Sum the pricing errors up.

    Parameters
    ----------
    errors : DataFrame
        Of `pricing_errors_of`.
    weights : (B, T)
        How often each date occurs in each draw.

    Returns
    -------
    dict
        n_portfolios (those with a t-statistic), n_pricing_errors (of these, t beyond ±3),
        mean_abs_alpha and mean_abs_alpha_se.

    Notes
    -----
    There is no percentile interval: a draw adds noise to every α, so the mean of their absolute
    values is higher in the draws than in the sample.
    """
    t = errors["alpha_t"].dropna().abs()
    drawn = moments(unexplained(managed), weights).mean
    with np.errstate(invalid="ignore"):
        draws = np.abs(drawn).mean(axis=1)
    return {
        "n_portfolios": len(t),
        "n_pricing_errors": int((t > CRITICAL_T).sum()) if len(t) else None,
        "mean_abs_alpha": float(errors["alpha"].abs().mean()),
        "mean_abs_alpha_se": standard_error(draws),
    }
