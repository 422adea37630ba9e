"""Observed betas: exposures are given, factor returns are solved date by date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latentbeta.config import ObservedBetaSettings
from latentbeta.errors import ModelError
from latentbeta.models.cross_section import least_squares, robust_regression
from latentbeta.models.protocol import Array, Fit, State, save_loadings
from latentbeta.panel.panel import Panel


@dataclass(frozen=True)
class ObservedBetas:
    """Betas are a constant and exposures known before the period; factors their returns.

    K factors are the constant, one a sector (S of them, when industries are asked for), and the
    first K - 1 - S exposures. Sector factors sum to zero by market value on every date, so that
    the constant is the market.

    Source: Fama and MacBeth (1973); Rosenberg (1974), Extra-market components of covariance in
    security returns; Heston and Rouwenhorst (1994), equation 4, for the constraint.
    """

    n_factors: int
    settings: ObservedBetaSettings
    name: str = "observed_betas"
    leads: bool = False
    uses_characteristics: bool = True
    tradable: bool = True

    @property
    def n_identified(self) -> int:
        """K: every factor is published as it is."""
        return self.n_factors

    def obstacle(self, panel: Panel) -> str | None:
        """Say what the exposures need that the panel has not, else None."""
        wanted = self._wanted(panel)
        missing = [name for name in wanted if name not in panel.characteristic_names]
        if missing:
            known = ", ".join(panel.characteristic_names) or "none"
            return f"no exposure is called {', '.join(missing)}; the panel has {known}"
        if len(set(wanted)) < len(wanted):
            return f"an exposure is named twice: {', '.join(wanted)}"
        if self.settings.industries and not panel.sector_names:
            return "industries are asked for and the panel has no sectors"
        fewest = 1 + self._n_sectors(panel)
        if not fewest <= self.n_factors <= fewest + len(self.settings.exposures):
            return (
                f"{self.n_factors} factors, but the constant, {fewest - 1} industries and"
                f" {len(self.settings.exposures)} exposures allow {fewest} to"
                f" {fewest + len(self.settings.exposures)}"
            )
        if self.settings.regression == "value-weighted" and not (panel.market_equity > 0).any():
            return "market equity, the weight of a value-weighted regression, is not known"
        return None

    def fit(self, training: Panel, validation: Panel) -> Fit:  # noqa: ARG002
        """Nothing is estimated: keep what each factor is, and Γ where betas are [Z, 1] Γ."""
        if (obstacle := self.obstacle(training)) is not None:
            raise ModelError(f"{self.name}, K = {self.n_factors}: {obstacle}")
        sectors = training.sector_names if self.settings.industries else ()
        state: State = {"exposures": np.array(["constant", *sectors, *self._wanted(training)])}
        if not self.settings.industries:
            P = len(training.characteristic_names)
            state["gamma"] = np.eye(P + 1)[:, [P, *self._columns(training)]]
        return Fit(state)

    def betas(self, state: State, panel: Panel) -> Array:  # noqa: ARG002
        """(1, n, K): the constant, sector dummies where they are asked for, the exposures."""
        dummies = panel.sector[:, None] == np.arange(self._n_sectors(panel))
        parts = [np.ones((panel.n_rows, 1)), dummies, panel.Z[:, self._columns(panel)]]
        return np.hstack([part.astype(np.float64) for part in parts])[None]

    def factors(self, state: State, panel: Panel) -> Array:
        """(1, T, K): each date's regression; NaN with fewer returns than factors."""
        betas = self.betas(state, panel)[0]
        dates = [self._factors_of_date(panel, rows, betas[rows]) for rows in panel.blocks()]
        return np.array(dates).reshape(1, panel.n_dates, self.n_factors)

    def _factors_of_date(self, panel: Panel, rows: slice, betas: Array) -> Array:
        n_sectors = self._n_sectors(panel)
        value = np.nan_to_num(panel.market_equity[rows])
        seen = panel.observed[rows]
        if n_sectors:
            # An asset without a sector has the constant for its beta, and no part in finding it.
            seen = seen & (panel.sector[rows] >= 0)
        if self.settings.regression == "value-weighted":
            seen = seen & (value > 0)
        X, y, value = betas[seen], panel.R[rows][seen], value[seen]
        if n_sectors:
            return sector_factors(X, y, value, n_sectors, self._regress)
        return self._regress(X, y, value)

    def _regress(self, X: Array, y: Array, value: Array) -> Array:
        if self.settings.regression == "robust":
            return robust_regression(X, y)
        return least_squares(X, y, value if self.settings.regression == "value-weighted" else None)

    def _wanted(self, panel: Panel) -> tuple[str, ...]:
        return self.settings.exposures[: max(self.n_factors - 1 - self._n_sectors(panel), 0)]

    def _columns(self, panel: Panel) -> list[int]:
        return [panel.characteristic_names.index(name) for name in self._wanted(panel)]

    def _n_sectors(self, panel: Panel) -> int:
        return len(panel.sector_names) if self.settings.industries else 0

    def export(self, state: State, rotations: Array, premia: Array, folder: Path) -> None:  # noqa: ARG002
        """Save what each factor is, and Γ (P + 1, K) without industries: nothing is rotated."""
        save_loadings(folder, **state)


def sector_factors(
    X: Array,
    y: Array,
    value: Array,
    n_sectors: int,
    regress: Callable[[Array, Array, Array], Array],
) -> Array:
    """Regress on a constant, sector dummies and exposures, dummies' effects zero by value.

    Without the constant the dummies are free and each has its sector's return; the constant is
    their mean by value, an effect what is left. That is the regression under the constraint, for
    a constant moved into all dummies changes no fitted value.

    Parameters
    ----------
    X : (n, 1 + S + E)
        The constant, S dummies with one 1 in a row, E exposures.
    y : (n,)
    value : (n,)
        Not negative, 0 where not known; when all are, every asset counts the same.
    regress : maps X, y and value to coefficients

    Returns
    -------
    (1 + S + E,)
        Zero for a sector without a row; NaN with fewer rows than coefficients to find.

    Source: Heston and Rouwenhorst (1994), equations 4 and 5.
    """
    dummies = X[:, 1 : 1 + n_sectors]
    present = dummies.any(axis=0)
    used = np.concatenate([[False], present, np.ones(X.shape[1] - 1 - n_sectors, dtype=bool)])
    found = np.zeros(X.shape[1])
    found[used] = regress(X[:, used], y, value)
    if not present.any() or np.isnan(found).any():
        return np.full(len(found), np.nan)
    size = (value if value.any() else np.ones(len(value))) @ dummies
    found[0] = size @ found[1 : 1 + n_sectors] / size.sum()
    found[1 : 1 + n_sectors][present] -= found[0]
    return found
