"""From a fitted model to what is identified: fitted returns, forecasts, aligned betas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentbeta.models.protocol import Array, FactorModel, State
from latentbeta.models.rotation import (
    Basis,
    beside_identified,
    first_basis,
    rotate_betas,
    rotate_factors,
    rotations_onto,
)
from latentbeta.panel.panel import Panel
from latentbeta.walk_forward.folds import Fold
from latentbeta.walk_forward.tangency import tangency_returns


@dataclass(frozen=True)
class FoldEstimates:
    """Out-of-sample estimates of one model in one fold, on the test's n rows and T dates.

    Attributes
    ----------
    panel : the test's panel
    fitted : (n,) β·f of the same date, averaged over members; NaN while f is unknown
    forecast : (n,) β·λ, λ known before the date, averaged over members
    betas : (n, K); factors, premia : (T, K), aligned, then averaged over members
    tangency : (T,) return of the factors' tangency portfolio; NaN unless they are tradable
    member_factors : (M, T, K) each member's own, not rotated
    rotations : (M, K, K) each member's G: published factors are f G, betas β G⁻ᵀ
    newest_premia : (M, K) each member's λ of the test's last date, not rotated
    basis : what the next fold is aligned with
    """

    panel: Panel
    fitted: Array
    forecast: Array
    betas: Array
    factors: Array
    premia: Array
    tangency: Array
    member_factors: Array
    rotations: Array
    newest_premia: Array
    basis: Basis


def expanding_premia(factors: Array) -> Array:
    """Return λ (M, T, K): the mean of each factor over all dates before t; NaN at the first."""
    known = np.isfinite(factors)
    sums = np.cumsum(np.where(known, factors, 0.0), axis=1)
    counts = np.cumsum(known, axis=1)
    with np.errstate(invalid="ignore"):
        through = sums / counts
    return np.concatenate([np.full_like(through[:, :1], np.nan), through[:, :-1]], axis=1)


def average_product(betas: Array, factors: Array, date_index: NDArray[np.int64]) -> Array:
    """Return the mean over members of Σ_k β f: (n,).

    Products are what is identified; betas and factors of different members are not, so they
    are never averaged before they are multiplied.
    """
    return np.einsum("mnk,mnk->n", betas, factors[:, date_index]) / len(betas)


def estimate_fold(
    model: FactorModel, state: State, panel: Panel, fold: Fold, previous: Basis | None
) -> FoldEstimates:
    """Apply a fitted model to its fold's test dates.

    Everything about the basis comes from dates before the embargo; a factor premium at t from
    factors before t.
    """
    window = panel.between(fold.train_start, fold.test_end)
    test = panel.between(fold.test_start, fold.test_end)
    n_fit, n_before = fold.validation_end - fold.train_start, fold.test_start - fold.train_start
    factors = model.factors(state, window)
    premia = factors if model.leads else expanding_premia(factors)
    betas = model.betas(state, test)
    rotations, basis = _alignment(model, state, panel, fold, factors[:, :n_fit], previous)
    published = rotate_factors(factors, rotations).mean(axis=0)
    return FoldEstimates(
        panel=test,
        fitted=average_product(betas, factors[:, n_before:], test.date_index),
        forecast=average_product(betas, premia[:, n_before:], test.date_index),
        betas=rotate_betas(betas, rotations).mean(axis=0),
        factors=published[n_before:],
        premia=rotate_factors(premia[:, n_before:], rotations).mean(axis=0),
        tangency=tangency_returns(published, n_before)
        if model.tradable
        else np.full(test.n_dates, np.nan),
        member_factors=factors[:, n_before:],
        rotations=rotations,
        newest_premia=premia[:, -1],
        basis=basis,
    )


def _alignment(
    model: FactorModel,
    state: State,
    panel: Panel,
    fold: Fold,
    factors: Array,
    previous: Basis | None,
) -> tuple[Array, Basis]:
    """Return each member's G, and the basis that the fold leaves to the next one."""
    latent = factors[:, :, model.n_identified :]
    known = np.isfinite(latent).all(axis=(0, 2))
    dates = panel.dates[fold.train_start : fold.validation_end][known]
    latent = latent[:, known]
    if previous is None:
        validation = panel.between(fold.validation_start, fold.validation_end)
        betas = model.betas(state, validation)[0]
        previous = first_basis(dates, latent[0], betas[:, model.n_identified :])
    rotations = rotations_onto(previous, dates, latent)
    unit = rotate_factors(latent, rotations).mean(axis=0) / previous.scale
    whole = beside_identified(rotations, model.n_identified)
    return whole, Basis(dates, unit, previous.scale)
