"""How much of a model's total R² hangs on each characteristic."""

from __future__ import annotations

import numpy as np
import pandas as pd

from latentbeta.evaluation.ladder import ModelKey
from latentbeta.evaluation.sample import Matrix, Vector

DECIMALS = 12  # what is smaller is what sums in another order differ by: no fall at all
IMPORTANCE_COLUMNS = (
    "model",
    "n_factors",
    "characteristic",
    "fall",
    "fall_se",
    "share",
    "share_se",
)


def importance_of(key: ModelKey, sums: pd.DataFrame) -> pd.DataFrame:
    """Pool over folds what one model loses without each characteristic.

    Parameters
    ----------
    sums : DataFrame
        The model's rows of importance.parquet: fold, characteristic, error Σ(r - r̂)², scale Σr²,
        and lost, Σ(r - r̂)² with the characteristic's betas taken at zero, over the test rows.

    Returns
    -------
    DataFrame
        Columns `IMPORTANCE_COLUMNS`, the most important characteristic first. fall is the fall
        in total R² (below zero where the model does better without), share its part of the sum
        over all characteristics, falls below zero counted as none.

    Notes
    -----
    Gu, Kelly and Xiu (2021), there with K = 5. The standard errors are the delete-one
    jackknife's over folds (Efron and Stein 1981), NaN with a single fold.
    """
    wide = sums.pivot_table(
        index="fold", columns="characteristic", values=["error", "scale", "lost"], aggfunc="sum"
    )
    error, scale, lost = (wide[name].to_numpy(np.float64) for name in ("error", "scale", "lost"))
    every_fold = np.ones((1, len(wide)))
    without_one = 1 - np.eye(len(wide))
    falls = [_falls(folds, error, scale, lost) for folds in (every_fold, without_one)]
    shares = [_shares(fall) for fall in falls]
    table = pd.DataFrame(
        {
            "model": key.model,
            "n_factors": key.n_factors,
            "characteristic": wide["lost"].columns.to_numpy(),
            "fall": falls[0][0],
            "fall_se": jackknife_error(falls[1]),
            "share": shares[0][0],
            "share_se": jackknife_error(shares[1]),
        }
    )
    return table.sort_values("fall", ascending=False, kind="stable", ignore_index=True)


def jackknife_error(without_one: Matrix) -> Vector:
    """Return the standard error of estimates from what they are without each fold.

    Parameters
    ----------
    without_one : (F, P)

    Returns
    -------
    (P,)
        √((F - 1)/F Σ(θ₋ - mean θ₋)²); NaN with fewer than two folds.
    """
    n_folds = len(without_one)
    if n_folds < 2:
        return np.full(without_one.shape[1], np.nan)
    return np.asarray(np.sqrt((n_folds - 1) * without_one.var(axis=0)))


def _falls(folds: Matrix, error: Matrix, scale: Matrix, lost: Matrix) -> Matrix:
    """Fall in total R² over each choice of folds: (C, F) and three (F, P) to (C, P)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.round((folds @ lost - folds @ error) / (folds @ scale), DECIMALS)


def _shares(falls: Matrix) -> Matrix:
    counted = np.maximum(falls, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(counted / counted.sum(axis=1, keepdims=True))
