"""Fama-MacBeth: premia of characteristics from the cross-section of returns of every date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latentbeta.errors import ModelError
from latentbeta.models.cross_section import least_squares
from latentbeta.models.hac import newey_west_means
from latentbeta.models.protocol import Array
from latentbeta.panel.panel import Panel


@dataclass(frozen=True)
class FamaMacBeth:
    """What a unit of each exposure earned a period, on average over dates.

    Attributes
    ----------
    names : tuple of 1 + E str
        ``constant``, then the exposures.
    premia, standard_errors, t_statistics : (1 + E,)
        Decimal a period; errors after Newey and West.
    coefficients : (T, 1 + E)
        Of each date's regression; NaN on a date with fewer returns than coefficients.
    n_dates : int
        Dates with a regression.
    r_squared : float
        Mean over these dates of the share of the variance of returns that the regression
        explains; NaN where none has any variance.
    """

    names: tuple[str, ...]
    premia: Array
    standard_errors: Array
    t_statistics: Array
    coefficients: Array
    n_dates: int
    r_squared: float


def fama_macbeth(
    panel: Panel,
    exposures: Sequence[str],
    *,
    weights: Array | None = None,
    lag: int | None = None,
) -> FamaMacBeth:
    """Regress each date's returns on a constant and the exposures; average over dates.

    Parameters
    ----------
    panel : Panel
    exposures : names of characteristics of the panel
    weights : (n,), optional
        Of the panel's rows, `panel.market_equity` say; a row with none, or NaN, is left out.
    lag : int, optional
        Of the Newey-West errors; floor(4 (T / 100)^(2/9)) of T dates, when not given.

    Raises
    ------
    ModelError
        When the panel has no such characteristic, or no date enough returns.

    Notes
    -----
    Premium λ = mean of λ_t over dates; its variance is the Newey-West sum of λ_t - λ over T²,
    without a correction for small samples.

    Source: Fama and MacBeth (1973); Newey and West (1987).
    """
    X = _regressors(panel, exposures)
    weights = np.ones(panel.n_rows) if weights is None else weights
    used = panel.observed & (weights > 0)
    coefficients = np.full((panel.n_dates, X.shape[1]), np.nan)
    shares = np.full(panel.n_dates, np.nan)
    for t, rows in enumerate(panel.blocks()):
        seen = used[rows]
        x, y, w = X[rows][seen], panel.R[rows][seen], weights[rows][seen]
        coefficients[t] = least_squares(x, y, w)
        shares[t] = _explained_share(y, x @ coefficients[t], w)
    return _averaged(("constant", *exposures), coefficients, shares, lag)


def _averaged(
    names: tuple[str, ...], coefficients: Array, shares: Array, lag: int | None
) -> FamaMacBeth:
    known = np.isfinite(coefficients).all(axis=1)
    if not known.any():
        raise ModelError(f"no date has the {len(names)} returns that {', '.join(names)} need")
    found = newey_west_means(coefficients, lag)
    explained = shares[np.isfinite(shares)]
    return FamaMacBeth(
        names=names,
        premia=found.means,
        standard_errors=found.standard_errors,
        t_statistics=found.t_statistics,
        coefficients=coefficients,
        n_dates=int(known.sum()),
        r_squared=float(explained.mean()) if len(explained) else np.nan,
    )


def _regressors(panel: Panel, exposures: Sequence[str]) -> Array:
    missing = [name for name in exposures if name not in panel.characteristic_names]
    if missing:
        raise ModelError(
            f"no exposure is called {', '.join(missing)}; the panel has"
            f" {', '.join(panel.characteristic_names) or 'none'}"
        )
    columns = [panel.characteristic_names.index(name) for name in exposures]
    return np.column_stack([np.ones(panel.n_rows), panel.Z[:, columns]]).astype(np.float64)


def _explained_share(y: Array, fitted: Array, weights: Array) -> float:
    if not len(y):
        return np.nan
    total = weights @ (y - np.average(y, weights=weights)) ** 2
    return float(1.0 - weights @ (y - fitted) ** 2 / total) if total > 0 else np.nan
