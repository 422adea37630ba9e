"""How much of the true betas and factors of a simulated market a model recovered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from latentbeta.evaluation.ladder import ModelKey, rung
from latentbeta.evaluation.sample import Matrix, Vector
from latentbeta.evaluation.saved_results import ByModel


@dataclass(frozen=True, eq=False)
class Recovery:
    """Fit of the truth by a linear map of what was published.

    Attributes
    ----------
    rotation : (K, K_true)
        Least-squares map.
    correlation : (K_true,)
        Between the mapped and the true, for each true factor; NaN where one does not vary.
    n_rows : int
    """

    rotation: Matrix
    correlation: Vector
    n_rows: int


def recover(published: Matrix, true: Matrix) -> Recovery:
    """Map the published onto the true by least squares and correlate.

    Parameters
    ----------
    published : (n, K)
    true : (n, K_true)

    Notes
    -----
    Factors and betas are identified up to an invertible matrix: β f = (β A)(A⁻¹ f). One matrix
    for all dates is allowed, no more, and no constant.
    """
    usable = np.isfinite(published).all(axis=1) & np.isfinite(true).all(axis=1)
    X, Y = published[usable], true[usable]
    if len(X) <= X.shape[1]:
        empty = np.full(true.shape[1], np.nan)
        return Recovery(np.full((X.shape[1], true.shape[1]), np.nan), empty, len(X))
    rotation = np.asarray(np.linalg.lstsq(X, Y, rcond=None)[0], dtype=np.float64)
    return Recovery(rotation, _correlations(X @ rotation, Y), len(X))


def recovered_truth(
    betas: pd.DataFrame,
    factors: pd.DataFrame,
    true_betas: pd.DataFrame,
    true_factors: pd.DataFrame,
) -> list[dict[str, Any]]:
    """Compare every model's published betas and factors with the true ones.

    Parameters
    ----------
    betas, factors : DataFrame
        As saved by training, test dates of all folds.
    true_betas : DataFrame
        date, asset, factor_1 … factor_K_true.
    true_factors : DataFrame
        date, factor_1 … factor_K_true.

    Returns
    -------
    list of dict
        One a model and factor count: model, n_factors, beta_correlation, factor_correlation
        (lists, one number a true factor), rotation, n_rows, n_dates.
    """
    of_betas, of_factors = ByModel(betas), ByModel(factors)
    marked_betas, marked_factors = _marked_true(true_betas), _marked_true(true_factors)
    results = []
    for key in sorted(of_betas, key=rung):
        by_asset = of_betas[key].merge(marked_betas, on=["date", "asset"])
        rows = of_factors[key] if key in of_factors else factors.iloc[:0]
        by_date = rows.merge(marked_factors, on="date")
        beta, factor = (recover(*_sides(both, key.n_factors)) for both in (by_asset, by_date))
        results.append(_as_record(key, beta, factor))
    return results


def oracle_r_squared(
    predictions: pd.DataFrame, true_betas: pd.DataFrame, true_factors: pd.DataFrame
) -> float:
    """Total R² of the true betas times the true factors: the most that can be explained.

    Returns
    -------
    float
        On the (date, asset) pairs of the predictions; NaN when none of them has a truth.
    """
    pairs = predictions[["date", "asset", "realised"]].drop_duplicates(["date", "asset"])
    names = _factor_names(true_betas)
    known = (
        pairs.dropna()
        .merge(true_betas, on=["date", "asset"])
        .merge(true_factors[["date", *names]], on="date", suffixes=("", "_return"))
        .dropna()
    )
    if known.empty:
        return float("nan")
    beta = known[names].to_numpy()
    factor = known[[f"{name}_return" for name in names]].to_numpy()
    realised = known["realised"].to_numpy()
    error = realised - (beta * factor).sum(axis=1)
    return float(1 - (error**2).sum() / (realised**2).sum())


def _marked_true(table: pd.DataFrame) -> pd.DataFrame:
    return table.rename(columns={name: f"true_{name}" for name in _factor_names(table)})


def _sides(rows: pd.DataFrame, n_factors: int) -> tuple[Matrix, Matrix]:
    published = [f"factor_{k}" for k in range(1, n_factors + 1)]
    true = [name for name in rows.columns if name.startswith("true_factor_")]
    return rows[published].to_numpy(np.float64), rows[true].to_numpy(np.float64)


def _factor_names(table: pd.DataFrame) -> list[str]:
    return [name for name in table.columns if name.startswith("factor_")]


def _correlations(fitted: Matrix, true: Matrix) -> Vector:
    x, y = fitted - fitted.mean(axis=0), true - true.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (x * y).sum(axis=0) / np.sqrt((x**2).sum(axis=0) * (y**2).sum(axis=0))


def _as_record(key: ModelKey, beta: Recovery, factor: Recovery) -> dict[str, Any]:
    return {
        "model": key.model,
        "n_factors": key.n_factors,
        "beta_correlation": beta.correlation.tolist(),
        "factor_correlation": factor.correlation.tolist(),
        "rotation": beta.rotation.tolist(),
        "n_rows": beta.n_rows,
        "n_dates": factor.n_rows,
    }
