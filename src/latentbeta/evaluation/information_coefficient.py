"""Correlation across assets between forecast and realised return, date by date."""

from __future__ import annotations

import numpy as np
import pandas as pd

from latentbeta.evaluation.sample import Matrix, Vector

FEWEST_ASSETS = 3


def information_coefficient(realised: Matrix, forecast: Matrix) -> Vector:
    """Pearson correlation across assets, per date.

    Parameters
    ----------
    realised, forecast : (T, N)
        NaN where not known; a pair counts where both are known.

    Returns
    -------
    (T,)
        NaN where fewer than three pairs are known or one side does not vary.
    """
    known = np.isfinite(realised) & np.isfinite(forecast)
    count = known.sum(axis=1)
    usable = (count >= FEWEST_ASSETS) & _varies(realised, known) & _varies(forecast, known)
    x, y = _centred(realised, known), _centred(forecast, known)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = (x * y).sum(axis=1) / np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    return np.where(usable, correlation, np.nan)


def rank_information_coefficient(realised: Matrix, forecast: Matrix) -> Vector:
    """Spearman correlation across assets, per date: Pearson's on the ranks, ties averaged.

    Parameters and shapes as in `information_coefficient`.
    """
    known = np.isfinite(realised) & np.isfinite(forecast)
    return information_coefficient(_ranks(realised, known), _ranks(forecast, known))


def _ranks(values: Matrix, known: np.ndarray) -> Matrix:
    return pd.DataFrame(np.where(known, values, np.nan)).rank(axis=1).to_numpy()


def _varies(values: Matrix, known: np.ndarray) -> np.ndarray:
    largest = np.where(known, values, -np.inf).max(axis=1, initial=-np.inf)
    smallest = np.where(known, values, np.inf).min(axis=1, initial=np.inf)
    return largest > smallest


def _centred(values: Matrix, known: np.ndarray) -> Matrix:
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    mean = np.where(known, values, 0.0).sum(axis=1, keepdims=True) / count
    return np.where(known, values - mean, 0.0)
