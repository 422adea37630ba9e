"""What a fitted model makes of each characteristic: its importance and its beta function."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.models.protocol import Array, FactorModel, State
from latentbeta.models.rotation import rotate_betas
from latentbeta.panel.panel import Panel
from latentbeta.walk_forward.estimates import FoldEstimates

ROWS_AT_ONCE = 100_000  # through a network: its layers' values of more would fill the memory
GRID = np.linspace(-1.0, 1.0, 21)  # of ranks: lowest, median (zero), highest


def importance(model: FactorModel, state: State, estimates: FoldEstimates) -> pd.DataFrame:
    """Measure what the fit of a fold's test loses without each characteristic.

    One characteristic at a time is zero (its median) wherever betas are computed; the weights,
    the factor returns and all other characteristics stay what they were. Products are averaged
    over members, as fitted returns are.

    Returns
    -------
    DataFrame (characteristic, error, scale, lost)
        Over the rows whose return is known and fitted: Σ (r - fitted)², Σ r², and Σ (r - fitted)²
        without the characteristic; (lost - error) / scale is the fall in total R². No rows for
        a model whose betas are no function of characteristics.

    Source: Gu, Kelly and Xiu (2021), characteristic importance.
    """
    test = estimates.panel
    names = test.characteristic_names if model.uses_characteristics else ()
    scored = test.observed & np.isfinite(estimates.fitted)
    lost = np.zeros(len(names))
    # Date by date: a network has one call a date for all variants, and no large copies.
    for t, rows in enumerate(test.blocks()):
        kept = scored[rows]
        if len(names) and kept.any():
            fitted = _fitted_without(model, state, test.between(t, t + 1), estimates, t)
            lost += ((test.R[rows] - fitted)[:, kept] ** 2).sum(axis=1)
    return pd.DataFrame(
        {
            "characteristic": pd.array(list(names), dtype="str"),
            "error": np.sum((test.R - estimates.fitted)[scored] ** 2),
            "scale": np.sum(test.R[scored] ** 2),
            "lost": lost,
        }
    )


def beta_functions(
    model: FactorModel, state: State, rotations: Array, panel: Panel
) -> pd.DataFrame:
    """Follow published betas along each characteristic while all others are at their median.

    Parameters
    ----------
    rotations : (M, K, K) each member's G
    panel : whose characteristics these are; no row of it is read

    Returns
    -------
    DataFrame (characteristic, value, factor_1 … factor_K)
        Values are ranks from -1 to 1; no rows for a model whose betas are no function of
        characteristics.
    """
    names = panel.characteristic_names if model.uses_characteristics else ()
    at_median = np.zeros((len(names), len(GRID), len(names)), dtype=np.float32)
    for p in range(len(names)):
        at_median[p, :, p] = GRID
    columns: dict[str, object] = {
        "characteristic": pd.array([n for n in names for _ in GRID], dtype="str"),
        "value": np.tile(GRID, len(names)),
    }
    betas = np.empty((0, model.n_factors))
    if names:
        probes = _probes(at_median.reshape(-1, len(names)), panel)
        betas = rotate_betas(model.betas(state, probes), rotations).mean(axis=0)
    return pd.DataFrame(columns | {f"factor_{k + 1}": beta for k, beta in enumerate(betas.T)})


def _fitted_without(
    model: FactorModel, state: State, date: Panel, estimates: FoldEstimates, t: int
) -> Array:
    """Return (P, n) fitted returns of one date, each row without another characteristic."""
    factors = estimates.member_factors[:, t]
    every, at_once = range(date.Z.shape[1]), max(1, ROWS_AT_ONCE // date.n_rows)
    parts = []
    for start in every[::at_once]:
        left_out = every[start : start + at_once]
        variants = np.tile(date.Z, (len(left_out), 1, 1))
        variants[np.arange(len(left_out)), :, left_out] = 0.0
        betas = model.betas(state, _copies(date, variants))
        fitted = np.einsum("mnk,mk->n", betas, factors) / len(betas)
        parts.append(fitted.reshape(len(left_out), date.n_rows))
    return np.concatenate(parts)


def _copies(date: Panel, variants: NDArray[np.float32]) -> Panel:
    """Return one date that holds each of its rows once a variant (V, n, P) of characteristics."""
    n_variants = len(variants)
    return replace(
        date,
        offsets=np.array([0, n_variants * date.n_rows]),
        asset_index=np.tile(date.asset_index, n_variants),
        Z=variants.reshape(-1, date.Z.shape[1]),
        R=np.tile(date.R, n_variants),
        market_equity=np.tile(date.market_equity, n_variants),
        sector=np.tile(date.sector, n_variants),
    )


def _probes(Z: NDArray[np.float32], panel: Panel) -> Panel:
    """Return made-up assets without a sector, with the characteristics (n, P), on one date."""
    return replace(
        panel.between(panel.n_dates - 1, panel.n_dates),
        assets=np.array([f"probe {i}" for i in range(len(Z))]),
        offsets=np.array([0, len(Z)]),
        asset_index=np.arange(len(Z)),
        Z=Z,
        R=np.full(len(Z), np.nan),
        market_equity=np.full(len(Z), np.nan),
        sector=np.full(len(Z), -1),
    )
