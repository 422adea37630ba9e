"""The conditional autoencoder of Gu, Kelly and Xiu (2021): CA0, CA1, CA2 and CA3."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from latentbeta.config import NetworkSettings
from latentbeta.models.autoencoder.estimator import (
    Inputs,
    ensemble_betas,
    ensemble_factors,
    fit_ensemble,
    network_weights,
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
    """r = β(z)'f + u with β a network of characteristics and f linear in portfolios' returns.

    Any universe, gaps allowed: rows without a return are left out of the loss.

    Parameters
    ----------
    name : one of ca0 … ca3
    n_factors : K
    n_seeds : members of the ensemble
    settings : optimisation; the penalty and the epoch are chosen on the validation panel
    seed : of the first member's weights
    factor_inputs : "managed" makes factors of characteristic-managed portfolios; "observed" of
        the panel's own F, as in the paper's section 4, whose factors no linear managed
        portfolio spans
    constant : whether one joins CA0's characteristics; deeper networks have biases instead

    Source: Gu, Kelly and Xiu (2021), sections 2.2 and 2.3.
    """

    name: str
    n_factors: int
    n_seeds: int
    settings: NetworkSettings
    seed: int
    factor_inputs: Literal["managed", "observed"] = "managed"
    constant: bool = True
    leads: bool = False
    n_identified: int = 0
    uses_characteristics: bool = True
    tradable: bool = True

    def obstacle(self, panel: Panel) -> str | None:
        """Say so when factors are to be made of observed ones and the panel has none."""
        if self.factor_inputs == "managed":
            return None
        if not panel.factor_names:
            return (
                "models.factor_inputs is observed, but the panel has no observed factors; name a"
                " file of them in data.factors or set models.factor_inputs to managed"
            )
        if not np.isfinite(panel.F).all(axis=1).any():
            return (
                f"models.factor_inputs is observed, but all of {', '.join(panel.factor_names)} are"
                " known on no date of the sample; name fewer in data.factor_columns"
            )
        return None

    def fit(self, training: Panel, validation: Panel) -> Fit:
        """Train the ensemble; see `autoencoder.ensemble.train` for what it raises."""
        panel = stack(training, validation)
        return fit_ensemble(
            panel,
            Inputs(self._characteristics(panel), self._portfolios(panel)),
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
        return ensemble_betas(state, Z, panel.blocks())

    def factors(self, state: State, panel: Panel) -> Array:
        """(M, T, K) factor returns: linear in each date's portfolio returns."""
        return ensemble_factors(state, self._portfolios(panel))

    def export(self, state: State, rotations: Array, premia: Array, folder: Path) -> None:
        """Save the beta and the forecast network."""
        weights = network_weights(state)
        if not HIDDEN_LAYERS[self.name] and not self.constant:
            # a constant without a say
            weights["output"] = np.pad(weights["output"], [(0, 0), (0, 1), (0, 0)])
        export_networks(weights, rotations, premia, folder)

    def _characteristics(self, panel: Panel) -> NDArray[np.float32]:
        if HIDDEN_LAYERS[self.name] or not self.constant:
            return panel.Z
        return np.column_stack([panel.Z, np.ones(panel.n_rows, np.float32)])

    def _portfolios(self, panel: Panel) -> Array:
        return panel.F if self.factor_inputs == "observed" else managed_portfolios(panel)
