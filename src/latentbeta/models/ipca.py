"""Instrumented principal components: betas are linear in characteristics, beta = [Z, 1] Γ."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latentbeta.errors import ModelError
from latentbeta.models.ipca_solver import estimate_gamma, not_identified
from latentbeta.models.ipca_steps import factors_given_gamma
from latentbeta.models.managed_portfolios import second_moments, with_constant
from latentbeta.models.panel_factors import factor_obstacle, observed_factors
from latentbeta.models.protocol import Array, Fit, State, save_loadings
from latentbeta.models.rotation import rotate_betas
from latentbeta.panel.panel import Panel
from latentbeta.panel.stack import stack


@dataclass(frozen=True)
class InstrumentedPCA:
    """IPCA over training and validation: there is nothing to select.

    The first factors are given: a constant of one, whose beta is the intercept [Z, 1] Γα, where
    there is one; then the observed ones, with betas [Z, 1] Γδ. The latent ones follow.

    Attributes
    ----------
    n_latent : how many factors are solved for
    intercept : whether returns may differ by characteristics without any factor
    observed : names of observed factors; see `panel_factors.observed_factors`
    """

    n_latent: int
    intercept: bool = False
    observed: tuple[str, ...] = ()
    name: str = "ipca"
    leads: bool = False
    uses_characteristics: bool = True
    tradable: bool = True

    @property
    def n_identified(self) -> int:
        """The constant and the observed factors."""
        return self.intercept + len(self.observed)

    @property
    def n_factors(self) -> int:
        """K: the constant, the observed and the latent factors."""
        return self.n_identified + self.n_latent

    def obstacle(self, panel: Panel) -> str | None:
        """Say which observed factor is missing, or how few directions characteristics span."""
        missing = factor_obstacle(panel, self.observed, len(self.observed))
        if missing is not None:
            return missing
        given, ZZ, _ = self._statistics(panel)
        return not_identified(ZZ, self.n_latent, given)

    def fit(self, training: Panel, validation: Panel) -> Fit:
        """[Γα, Γδ, Γβ] from the sufficient statistics of both samples.

        Raises
        ------
        ModelError
            When there is an obstacle.
        """
        panel = stack(training, validation)
        missing = factor_obstacle(panel, self.observed, len(self.observed))
        if missing is not None:
            raise ModelError(f"ipca: {missing}")
        given, ZZ, ZR = self._statistics(panel)
        return Fit({"gamma": estimate_gamma(ZZ, ZR, self.n_latent, given)})

    def betas(self, state: State, panel: Panel) -> Array:
        """(1, n, K): [Z, 1] Γ."""
        gamma = np.asarray(state["gamma"], dtype=np.float64)
        # Not a matrix product: its last bits depend on the number of rows, here of later dates.
        return np.einsum("np,pk->nk", with_constant(panel.Z), gamma)[None]

    def factors(self, state: State, panel: Panel) -> Array:
        """(1, T, K): the given ones, and least squares of what they leave on the latent betas."""
        ZZ, ZR, counts = second_moments(panel)
        gamma = np.asarray(state["gamma"], dtype=np.float64)
        given = self._given(panel)
        known = (counts > 0) & np.isfinite(given).all(axis=1)
        latent = np.full((panel.n_dates, self.n_latent), np.nan)
        latent[known] = factors_given_gamma(ZZ[known], ZR[known], gamma, given[known])
        return np.hstack([given, latent])[None]

    def export(self, state: State, rotations: Array, premia: Array, folder: Path) -> None:  # noqa: ARG002
        """Save Γ (P + 1, K)."""
        gamma = np.asarray(state["gamma"], dtype=np.float64)
        save_loadings(folder, gamma=rotate_betas(gamma[None], rotations)[0])

    def _given(self, panel: Panel) -> Array:
        """(T, n_identified): the constant and the observed factors."""
        constant = np.ones((panel.n_dates, int(self.intercept)))
        if not self.observed:
            return constant
        return np.hstack([constant, observed_factors(panel, self.observed, len(self.observed))])

    def _statistics(self, panel: Panel) -> tuple[Array, Array, Array]:
        """Return g, Z'Z and Z'r of the dates on which all of them are known."""
        ZZ, ZR, counts = second_moments(panel)
        given = self._given(panel)
        known = (counts > 0) & np.isfinite(given).all(axis=1)
        return given[known], ZZ[known], ZR[known]
