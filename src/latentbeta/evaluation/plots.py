"""Small tables for `dvc plots`: one row a point, the model named in a column."""

from __future__ import annotations

import pandas as pd

from latentbeta.evaluation.ladder import ModelKey


def label(key: ModelKey) -> str:
    """Return the name of a line: model and number of factors."""
    return f"{key.model} K={key.n_factors}"


def cumulative_returns(portfolios: pd.DataFrame) -> pd.DataFrame:
    """Sum each model's long-short returns over time: date, series, cumulative_return."""
    lines = [
        pd.DataFrame(
            {
                "date": rows["date"].dt.strftime("%Y-%m-%d"),
                "series": label(ModelKey(str(model), int(str(n_factors)))),
                "cumulative_return": rows["long_short"].fillna(0.0).cumsum(),
            }
        )
        for (model, n_factors), rows in portfolios.groupby(["model", "n_factors"], sort=False)
        if rows["long_short"].notna().any()
    ]
    return _stacked(lines, ["date", "series", "cumulative_return"])


def fold_r_squared(fold_metrics: pd.DataFrame) -> pd.DataFrame:
    """Return fold, series, total_r2, predictive_r2."""
    table = fold_metrics.assign(series=_series(fold_metrics))
    return table[["fold", "series", "total_r2", "predictive_r2"]]


def losses(history: pd.DataFrame) -> pd.DataFrame:
    """Average the loss curves over folds and members: epoch, series, and both losses.

    The average at an epoch is over the members still in training at it.
    """
    mean = (
        history.groupby(["model", "n_factors", "epoch"], as_index=False)[
            ["training_loss", "validation_loss"]
        ]
        .mean()
        .assign(series=_series)
    )
    return mean[["epoch", "series", "training_loss", "validation_loss"]]


def _series(table: pd.DataFrame) -> list[str]:
    return [
        label(ModelKey(str(model), int(k)))
        for model, k in table[["model", "n_factors"]].itertuples(index=False)
    ]


def _stacked(tables: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
