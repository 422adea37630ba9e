"""The conditional autoencoder of Gu, Kelly and Xiu (2021): CA0, CA1, CA2 and CA3."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentbeta.config import NetworkSettings
from latentbeta.models.autoencoder.estimator import (
    Inputs,
    beta_weights,
    ensemble_betas,
    ensemble_factors,
    fit_ensemble,
)
from latentbeta.models.autoencoder.export import export_networks
from latentbeta.models.managed_portfolios import managed_portfolios
from latentbeta.models.protocol import Array, Fit, State
from latentbeta.panel.panel import Panel
from latentbeta.panel.stack import stack

HIDDEN_LAYERS: dict[str, tuple[int, ...]] = {
    "ca0": (),
    "ca1": (32,),
    "ca2": (32, 16),
    "ca3": (32, 16, 8),
}


@dataclass(frozen=True)
class ConditionalAutoencoder:
    """r = β(z)'f + u with β a network of characteristics and f linear in managed portfolios.

    Any universe, gaps allowed: rows without a return are left out of the loss.

    Parameters
    ----------
    name : one of ca0 … ca3
    n_factors : K
    n_seeds : members of the ensemble
    settings : optimisation; the penalty and the epoch are chosen on the validation panel
    seed : of the first member's weights

    Source: Gu, Kelly and Xiu (2021), sections 2.2 and 2.3.
    """

    name: str
    n_factors: int
    n_seeds: int
    settings: NetworkSettings
    seed: int
    leads: bool = False
    n_identified: int = 0
    uses_characteristics: bool = True

    def obstacle(self, panel: Panel) -> str | None:  # noqa: ARG002
        """None: it can be estimated on any panel."""
        return None

    def fit(self, training: Panel, validation: Panel) -> Fit:
        """Train the ensemble; see `autoencoder.ensemble.train` for what it raises."""
        panel = stack(training, validation)
        return fit_ensemble(
            panel,
            Inputs(self._characteristics(panel), managed_portfolios(panel)),
            training.n_dates,
            hidden=HIDDEN_LAYERS[self.name],
            n_factors=self.n_factors,
            n_seeds=self.n_seeds,
            settings=self.settings,
            seed=self.seed,
        )

    def betas(self, state: State, panel: Panel) -> Array:
        """(M, n, K) betas of the panel's rows."""
        Z = self._characteristics(panel)
        return ensemble_betas(state, HIDDEN_LAYERS[self.name], Z, panel.blocks())

    def factors(self, state: State, panel: Panel) -> Array:
        """(M, T, K) factor returns: linear in each date's managed portfolios."""
        return ensemble_factors(state, managed_portfolios(panel))

    def export(self, state: State, rotations: Array, premia: Array, folder: Path) -> None:
        """Save the beta and the forecast network."""
        hidden = HIDDEN_LAYERS[self.name]
        export_networks(beta_weights(state), hidden, rotations, premia, folder)

    def _characteristics(self, panel: Panel) -> NDArray[np.float32]:
        if HIDDEN_LAYERS[self.name]:
            return panel.Z
        return np.column_stack([panel.Z, np.ones(panel.n_rows, np.float32)])
