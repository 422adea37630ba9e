"""Betas that stay with an asset through time: how they are kept and spread over a panel's rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentbeta.errors import ModelError
from latentbeta.models.protocol import Array, State, names_for_state, save_loadings
from latentbeta.models.rotation import rotate_betas
from latentbeta.panel.panel import Panel

MINIMUM_OBSERVATIONS = 12  # returns an asset needs before it gets betas of its own


def asset_regressions(R: Array, X: Array) -> Array:
    """Regress each asset's known returns on the regressors of their dates.

    Parameters
    ----------
    R : (T, N), NaN where missing
    X : (T, K)

    Returns
    -------
    (N, K) coefficients; NaN for an asset with fewer than K returns.
    """
    seen = np.isfinite(R)
    XX = np.einsum("tn,tj,tk->njk", seen.astype(np.float64), X, X, optimize=True)
    XR = np.where(seen, R, 0.0).T @ X
    enough = seen.sum(axis=0) >= X.shape[1]
    coefficients = np.full(XR.shape, np.nan)
    coefficients[enough] = np.linalg.solve(XX[enough], XR[enough][..., None])[..., 0]
    return coefficients


def constant_betas(assets: NDArray[np.str_], betas: Array, **others: Array) -> State:
    """Keep the (N, K) betas that are known, and what else is said of their assets, by name.

    Parameters
    ----------
    others : (N, …) each

    Raises
    ------
    ModelError
        When no asset has betas.
    """
    known = np.isfinite(betas).all(axis=1)
    if not known.any():
        raise ModelError(
            f"no asset has the {MINIMUM_OBSERVATIONS} returns that betas need;"
            " lengthen walk_forward.train"
        )
    kept = {name: values[known] for name, values in others.items()}
    return {"assets": names_for_state(assets[known]), "betas": betas[known], **kept}


def spread_constant_betas(state: State, panel: Panel) -> Array:
    """Return (1, n, K): each row's asset's betas.

    An asset that was not estimated (listed since) gets the mean of those that were: the best
    guess without a history, and it lets every model be scored on the same rows.
    """
    betas = np.asarray(state["betas"], dtype=np.float64)
    place = {asset: i for i, asset in enumerate(state["assets"])}
    columns = np.array([place.get(asset, len(betas)) for asset in panel.assets])
    with_mean = np.vstack([betas, betas.mean(axis=0)])
    return with_mean[columns[panel.asset_index]][None]


def export_constant_betas(state: State, rotations: Array, folder: Path) -> None:
    """Save each estimated asset's published betas."""
    betas = np.asarray(state["betas"], dtype=np.float64)
    published = rotate_betas(betas[None], rotations)[0]
    save_loadings(folder, assets=state["assets"], betas=published)
