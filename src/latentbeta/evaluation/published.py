"""Published betas and factor returns as matrices over the test dates."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.evaluation.ladder import ModelKey
from latentbeta.evaluation.sample import Matrix, Vector
from latentbeta.evaluation.saved_results import ByModel, factor_names


class Published:
    """Betas and factors of every model on common axes.

    Parameters
    ----------
    betas, factors : DataFrame
        As saved by training; either may be empty.
    dates : (T,) datetime64[us]
        The test dates, ascending.
    assets : (N,) str
    """

    def __init__(
        self,
        betas: pd.DataFrame,
        factors: pd.DataFrame,
        dates: NDArray[np.datetime64],
        assets: NDArray[np.str_],
    ) -> None:
        self._dates, self._assets = pd.Index(dates), pd.Index(assets)
        self._betas, self._factors = ByModel(betas), ByModel(factors)

    def betas(self, key: ModelKey) -> NDArray[np.float64]:
        """(T, N, K) of one model; NaN where there is none."""
        dense = np.full((len(self._dates), len(self._assets), key.n_factors), np.nan)
        if key in self._betas:
            rows = self._betas[key]
            date = self._dates.get_indexer(pd.Index(rows["date"]))
            asset = self._assets.get_indexer(pd.Index(rows["asset"]))
            placed = (date >= 0) & (asset >= 0)
            dense[date[placed], asset[placed]] = rows.loc[placed, factor_names(key.n_factors)]
        return dense

    def factors(self, key: ModelKey) -> Matrix:
        """(T, K) of one model; NaN where there is none."""
        names = factor_names(key.n_factors)
        return np.column_stack([self.series(key, name) for name in names])

    def series(self, key: ModelKey, column: str) -> Vector:
        """(T,) one column of a model's factors; NaN where there is none."""
        if key not in self._factors or column not in self._factors[key].columns:
            return np.full(len(self._dates), np.nan)
        by_date = self._factors[key].set_index("date")[column]
        return by_date.reindex(self._dates).to_numpy(np.float64)
