"""Observed factors: their returns are given, betas are solved by time-series regression."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latentbeta.config import ObservedFactorSettings
from latentbeta.errors import ModelError
from latentbeta.models.constant_betas import (
    MINIMUM_OBSERVATIONS,
    constant_betas,
    spread_constant_betas,
)
from latentbeta.models.panel_factors import MARKET, factor_obstacle, observed_factors
from latentbeta.models.protocol import Array, Fit, State, save_loadings
from latentbeta.models.time_series import time_series_regressions
from latentbeta.panel.panel import Panel
from latentbeta.panel.stack import stack

MARKET_ALONE = ObservedFactorSettings(names=(MARKET,), window="full", length=60)


def window_weights(settings: ObservedFactorSettings, n_dates: int) -> Array:
    """Return the (T,) weight of each date of the sample, the newest last.

    ``full`` 1; ``rolling`` 1 for the last `length`, 0 before; ``exponential`` halved every
    `length` periods back from 1.
    """
    age = np.arange(n_dates)[::-1]
    if settings.window == "rolling":
        return (age < settings.length).astype(np.float64)
    if settings.window == "exponential":
        return 0.5 ** (age / settings.length)
    return np.ones(n_dates)


@dataclass(frozen=True)
class ObservedFactors:
    """Constant betas on the first K observed factors of the settings; the market alone, unless set.

    Source: Black, Jensen and Scholes (1972); Fama and French (1993).
    """

    n_factors: int = 1
    settings: ObservedFactorSettings = MARKET_ALONE
    name: str = "observed_factors"
    leads: bool = False
    uses_characteristics: bool = False
    tradable: bool = True

    @property
    def n_identified(self) -> int:
        """K: every factor is published as it is."""
        return self.n_factors

    def obstacle(self, panel: Panel) -> str | None:
        """Say which factor the panel has not, or not for long enough, else None."""
        names = self.settings.names
        if (missing := factor_obstacle(panel, names, self.n_factors)) is not None:
            return missing
        known = np.isfinite(self._window(panel)[0])
        if known.all(axis=1).sum() >= MINIMUM_OBSERVATIONS:
            return None
        return (
            f"the first {self.n_factors} of {', '.join(names)} must be known together on"
            f" {MINIMUM_OBSERVATIONS} dates of the sample; of {len(known)}, the {self.n_factors}"
            " factors are on"
            f" {', '.join(str(count) for count in known.sum(axis=0))}"
        )

    def fit(self, training: Panel, validation: Panel) -> Fit:
        """Estimate on both samples, or their newest dates: there is nothing to select."""
        panel = stack(training, validation)
        if (obstacle := self.obstacle(panel)) is not None:
            raise ModelError(f"{self.name}, K = {self.n_factors}: {obstacle}")
        F, weights = self._window(panel)
        R = panel.dense(panel.R)[-len(F) :]
        found = time_series_regressions(R, F, weights)
        others = {"betas_se": found.betas_se, "alphas": found.alphas, "alphas_se": found.alphas_se}
        return Fit(constant_betas(panel.assets, found.betas, **others))

    def _window(self, panel: Panel) -> tuple[Array, Array]:
        """Return the factors (T', K) of the dates that count, and these dates' weights (T',)."""
        weights = window_weights(self.settings, panel.n_dates)
        F = observed_factors(panel, self.settings.names, self.n_factors)
        return F[weights > 0], weights[weights > 0]

    def betas(self, state: State, panel: Panel) -> Array:
        """(1, n, K): each asset's constant betas."""
        return spread_constant_betas(state, panel)

    def factors(self, state: State, panel: Panel) -> Array:  # noqa: ARG002
        """(1, T, K): the observed factors' returns."""
        return observed_factors(panel, self.settings.names, self.n_factors)[None]

    def export(self, state: State, rotations: Array, premia: Array, folder: Path) -> None:  # noqa: ARG002
        """Save each asset's alpha and betas with their errors: no rotation touches them."""
        save_loadings(folder, **state)
