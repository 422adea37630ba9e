"""A user's own portfolio: read, checked, and split by a model's published factors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from latentbeta.data.tables import Table, read_table
from latentbeta.errors import DataError
from latentbeta.evaluation.attribution import as_table, attribute
from latentbeta.evaluation.ladder import ModelKey
from latentbeta.evaluation.published import Published
from latentbeta.evaluation.sample import Predictions

WEIGHTS_COLUMNS = ("date", "asset", "weight")


def attribute_file(path: Path, results: Path, key: ModelKey) -> pd.DataFrame:
    """Split the returns of the portfolio in a file by the factors of one model.

    Parameters
    ----------
    path : Path
        CSV or Parquet with the columns date, asset, weight: what is held over the period that
        ends on the date.
    results : Path
        Folder with predictions.parquet, betas.parquet and factors.parquet.
    key : ModelKey

    Returns
    -------
    DataFrame
        date, factor_1 … factor_K, specific, total (decimal, the parts add up to the total), and
        left_out: Σ|weight| of the assets that had no return on the date. The dates are the
        file's.

    Raises
    ------
    DataError
        When there are no results of the model, or a row of the file cannot be used: it says
        which row, and why.
    """
    predictions, betas, factors = (
        _rows_of(key, results / f"{name}.parquet") for name in ("predictions", "betas", "factors")
    )
    held = _checked(path, predictions)
    predictions = predictions[predictions["date"].isin(held["date"])]
    assets = np.unique(predictions["asset"].to_numpy(dtype=np.str_))
    table = Predictions(predictions, assets)
    realised = table.sample(key).realised
    weights = np.zeros(realised.shape)
    date = np.searchsorted(table.dates, held["date"].to_numpy("M8[us]"))
    weights[date, np.searchsorted(assets, held["asset"].to_numpy(dtype=np.str_))] = held["weight"]
    published = Published(betas, factors, table.dates, assets)
    left_out = np.where(np.isfinite(realised), 0.0, np.abs(weights)).sum(axis=1)
    split = attribute(weights, realised, published.betas(key), published.factors(key))
    return as_table(split, table.dates).assign(left_out=left_out)


def _rows_of(key: ModelKey, file: Path) -> pd.DataFrame:
    if not file.exists():
        raise DataError(f"{file}: no such file; `latentbeta run` makes it")
    table = pd.read_parquet(
        file, filters=[("model", "==", key.model), ("n_factors", "==", key.n_factors)]
    )
    if table.empty:
        there = pd.read_parquet(file, columns=list(ModelKey._fields)).drop_duplicates()
        names = ", ".join(f"{model} {k}" for model, k in there.itertuples(index=False))
        raise DataError(
            f"{file}: nothing of model {key.model} with {key.n_factors} factors; there are {names}"
        )
    return table


def _checked(path: Path, predictions: pd.DataFrame) -> pd.DataFrame:
    """Read the file's weights; every row must be a (date, asset) pair of the predictions."""
    if not path.exists():
        raise DataError(f"{path}: no such file")
    table = read_table(path, {}, required=WEIGHTS_COLUMNS, optional=())
    held = _read(table)
    known = predictions.dropna(subset="realised")["date"].unique()
    span = f"{known.min():%Y-%m-%d} to {known.max():%Y-%m-%d}"
    _fail_at(
        table,
        "date",
        ~held["date"].isin(known),
        f"no date of the results with returns; those are the ends of periods from {span}",
    )
    _fail_at(
        table,
        "asset",
        ~held["asset"].isin(predictions["asset"].unique()),
        "no asset of the results; write it as in data/results/predictions.parquet",
    )
    pairs = pd.MultiIndex.from_frame(predictions[["date", "asset"]])
    there = pd.MultiIndex.from_frame(held[["date", "asset"]]).isin(pairs)
    _fail_at(table, "asset", ~there, "the asset was not in the panel on that date")
    return held


def _read(table: Table) -> pd.DataFrame:
    every = np.ones(len(table.frame), dtype=bool)
    held = pd.DataFrame(
        {
            "date": table.dates(),
            "asset": table.text("asset").astype(str),
            "weight": table.numbers("weight", every),
        }
    )
    for column in ("date", "asset", "weight"):
        _fail_at(table, column, held[column].isna(), f"every row needs its {column}")
    repeated = held.duplicated(["date", "asset"])
    _fail_at(table, "asset", repeated, "an earlier row has the same date and asset; keep one")
    return held


def _fail_at(table: Table, column: str, wrong: pd.Series | np.ndarray, reason: str) -> None:
    rows = np.flatnonzero(wrong)
    if len(rows):
        table.fail(int(rows[0]), column, reason)
