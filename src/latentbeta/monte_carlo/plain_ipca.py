"""IPCA on the characteristics alone: the study's design has no constant among them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latentbeta.models.ipca import InstrumentedPCA
from latentbeta.models.ipca_solver import estimate_gamma
from latentbeta.models.ipca_steps import factors_given_gamma
from latentbeta.models.managed_portfolios import second_moments
from latentbeta.models.protocol import Array, Fit, State
from latentbeta.panel.panel import Panel
from latentbeta.panel.stack import stack


@dataclass(frozen=True)
class PlainInstrumentedPCA(InstrumentedPCA):
    """β = ZΓ with Γ (P, K), estimated by the solver of `models.ipca`."""

    def fit(self, training: Panel, validation: Panel) -> Fit:
        """Γ from the sufficient statistics of both samples."""
        panel = stack(training, validation)
        given = np.empty((panel.n_dates, 0))
        return Fit({"gamma": estimate_gamma(*_moments(panel), self.n_factors, given)})

    def betas(self, state: State, panel: Panel) -> Array:
        """(1, n, K): Z Γ."""
        gamma = np.asarray(state["gamma"], dtype=np.float64)
        return np.einsum("np,pk->nk", panel.Z.astype(np.float64), gamma)[None]

    def factors(self, state: State, panel: Panel) -> Array:
        """(1, T, K): least squares of each date's returns on the betas."""
        gamma = np.asarray(state["gamma"], dtype=np.float64)
        given = np.empty((panel.n_dates, 0))
        return factors_given_gamma(*_moments(panel), gamma, given)[None]

    def export(self, state: State, rotations: Array, premia: Array, folder: Path) -> None:
        """Nothing of the study is published."""
        raise NotImplementedError


def _moments(panel: Panel) -> tuple[Array, Array]:
    ZZ, ZR, _ = second_moments(panel)
    return ZZ[:, :-1, :-1], ZR[:, :-1]
