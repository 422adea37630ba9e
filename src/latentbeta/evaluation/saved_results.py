"""What training left behind, read once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from latentbeta.evaluation.ladder import ModelKey

KEY = ["model", "n_factors"]
HISTORY = (*KEY, "epoch", "training_loss", "validation_loss")


def factor_names(n_factors: int) -> list[str]:
    """Return the columns that hold K factors, or the betas on them."""
    return [f"factor_{k + 1}" for k in range(n_factors)]


class ByModel:
    """A table of results, one model at a time.

    Parameters
    ----------
    table : DataFrame
        With columns model and n_factors; may be empty, of any columns.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self._table = table
        groups: Any = table.groupby(KEY, sort=False).indices if len(table) else {}
        self._rows = {ModelKey(str(model), int(k)): rows for (model, k), rows in groups.items()}

    def __contains__(self, key: ModelKey) -> bool:
        return key in self._rows

    def __getitem__(self, key: ModelKey) -> pd.DataFrame:
        """Return the model's rows, in the order of the table."""
        return self._table.iloc[self._rows[key]]

    def __iter__(self) -> Iterator[ModelKey]:
        return iter(self._rows)


@dataclass(frozen=True, kw_only=True, eq=False)
class SavedResults:
    """Tables as saved by training; empty where there is none.

    Attributes
    ----------
    predictions, betas, factors : DataFrame
    importance, history : DataFrame
    """

    predictions: pd.DataFrame
    betas: pd.DataFrame = field(default_factory=pd.DataFrame)
    factors: pd.DataFrame = field(default_factory=pd.DataFrame)
    importance: pd.DataFrame = field(default_factory=pd.DataFrame)
    history: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(HISTORY)))


def read_saved_results(results: Path, training: Path | None) -> SavedResults:
    """Read predictions, betas and factors, and what there is of importance and history."""
    optional = {
        name: pd.read_parquet(training / f"{name}.parquet")
        for name in ("importance", "history")
        if training is not None and (training / f"{name}.parquet").exists()
    }
    return SavedResults(
        predictions=pd.read_parquet(results / "predictions.parquet"),
        betas=pd.read_parquet(results / "betas.parquet"),
        factors=pd.read_parquet(results / "factors.parquet"),
        **optional,
    )
