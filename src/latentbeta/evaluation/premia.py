"""Mean returns of the factors, with their errors."""

from __future__ import annotations

import pandas as pd

from latentbeta.evaluation.ladder import ModelKey
from latentbeta.evaluation.newey_west import mean_test
from latentbeta.evaluation.sample import Matrix
from latentbeta.evaluation.saved_results import factor_names

PREMIA_COLUMNS = ("model", "n_factors", "factor", "mean", "se", "t")


def premia_of(key: ModelKey, factors: Matrix) -> pd.DataFrame:
    """Test that each of one model's factors earns nothing.

    Parameters
    ----------
    factors : (T, K)
        Published factor returns of the test dates; NaN where there is none.

    Returns
    -------
    DataFrame
        model, n_factors, factor (factor_1 …), mean a period (decimal), its Newey-West standard
        error, and t.

    Notes
    -----
    With observed betas these are the second step of Fama and MacBeth (1973) with the errors of
    Newey and West (1987), over the test dates. Latent factors are those that are published:
    turned onto the previous fold's, which fixes their order and sign.
    """
    names = factor_names(key.n_factors)
    tests = [mean_test(series) for series in factors.T]
    return pd.DataFrame(
        [(*key, name, *test) for name, test in zip(names, tests, strict=True)],
        columns=list(PREMIA_COLUMNS),
    )
