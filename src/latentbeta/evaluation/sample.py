"""Saved predictions as aligned (dates, assets) matrices."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.errors import DataError
from latentbeta.evaluation.ladder import ModelKey, rung

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

SERIES = ("realised", "fitted", "forecast")


@dataclass(frozen=True, kw_only=True, eq=False)
class OutOfSample:
    """What one model said about the test dates, and what happened; NaN where not known.

    Attributes
    ----------
    realised, fitted, forecast : (T, N)
        Excess returns of the period, decimal.
    """

    realised: Matrix
    fitted: Matrix
    forecast: Matrix

    @property
    def explained(self) -> Mask:
        """(T, N) where the realised and the fitted return are known."""
        return np.isfinite(self.realised) & np.isfinite(self.fitted)

    @property
    def predicted(self) -> Mask:
        """(T, N) where the realised return and the forecast are known."""
        return np.isfinite(self.realised) & np.isfinite(self.forecast)

    def restricted(self, other: OutOfSample) -> OutOfSample:
        """Keep fitted values and forecasts just where `other` has them too."""
        return replace(
            self,
            fitted=np.where(np.isfinite(other.fitted), self.fitted, np.nan),
            forecast=np.where(np.isfinite(other.forecast), self.forecast, np.nan),
        )

    def covers_as(self, other: OutOfSample) -> bool:
        """Whether both models have fitted values and forecasts for the same pairs."""
        return np.array_equal(
            np.isfinite(self.fitted), np.isfinite(other.fitted)
        ) and np.array_equal(np.isfinite(self.forecast), np.isfinite(other.forecast))


class Predictions:
    """The table of predictions, one model at a time, on the dates on which some return is known.

    Parameters
    ----------
    table : DataFrame
        Columns model, n_factors, fold, date, asset, realised, fitted, forecast.
    assets : (N,) str
        The panel's asset axis.

    Raises
    ------
    DataError
        When no realised return is there to measure against, a row's asset is not on the axis,
        or a (model, n_factors, date, asset) repeats.
    """

    def __init__(self, table: pd.DataFrame, assets: NDArray[np.str_]) -> None:
        over = table.loc[table["realised"].notna(), "date"].unique()
        if not len(over):
            raise DataError(
                "predictions: no test date has a realised return yet; more history is needed, "
                "or a shorter walk_forward.train"
            )
        # Rows without a return stay: a portfolio is chosen before it is known who will have one.
        known = table[table["date"].isin(over)]
        self.dates: NDArray[np.datetime64] = np.sort(over.astype("M8[us]"))
        self.n_assets = len(assets)
        placed = known.assign(
            row=np.searchsorted(self.dates, known["date"].to_numpy("M8[us]")),
            column=pd.Index(assets).get_indexer(pd.Index(known["asset"])),
        )
        _check(placed)
        self._table = placed[["row", "column", "date", "fold", *SERIES]]  # text is slow to take
        groups = known.groupby(["model", "n_factors"], sort=False).indices
        every = table[["model", "n_factors"]].drop_duplicates()
        self._positions = {
            ModelKey(str(model), int(k)): groups.get((model, k), np.empty(0, dtype=np.int64))
            for model, k in every.itertuples(index=False)
        }
        self.keys = sorted(self._positions, key=rung)

    def sample(self, key: ModelKey) -> OutOfSample:
        """Return one model's matrices."""
        rows = self._table.iloc[self._positions[key]]
        return OutOfSample(**{name: self._dense(rows, name) for name in SERIES})

    def folds(self) -> pd.Series:
        """Return the fold of each test date, indexed by date."""
        return self._table.groupby("date")["fold"].first().reindex(self.dates)

    def _dense(self, rows: pd.DataFrame, name: str) -> Matrix:
        matrix = np.full((len(self.dates), self.n_assets), np.nan)
        matrix[rows["row"], rows["column"]] = rows[name]
        return matrix


def _check(placed: pd.DataFrame) -> None:
    strangers = placed.loc[placed["column"] < 0, "asset"]
    if len(strangers):
        raise DataError(
            f"predictions: asset {strangers.iloc[0]!r} is not in the panel; "
            "the results belong to another panel: train again"
        )
    repeated = placed[placed.duplicated(["model", "n_factors", "row", "column"])]
    if len(repeated):
        raise DataError(
            "predictions: more than one row for "
            f"{repeated[['model', 'n_factors', 'date', 'asset']].iloc[0].to_dict()}"
        )
