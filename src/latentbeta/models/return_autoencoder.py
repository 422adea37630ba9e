"""The autoencoder on returns: a non-linear encoder, a linear decoder, constant betas."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentbeta.config import NetworkSettings
from latentbeta.models.autoencoder.estimator import (
    input_scale,
    network_weights,
    training_scale,
    with_networks,
)
from latentbeta.models.autoencoder.networks import Weights, dense, glorot
from latentbeta.models.autoencoder.sample import Sample
from latentbeta.models.autoencoder.search import search
from latentbeta.models.constant_betas import MINIMUM_OBSERVATIONS, spread_constant_betas
from latentbeta.models.lecture_autoencoder import (
    fixed_universe,
    no_fixed_universe,
    universe_returns,
)
from latentbeta.models.protocol import Array, Fit, State, names_for_state, save_loadings
from latentbeta.models.rotation import rotate_betas
from latentbeta.panel.panel import Panel
from latentbeta.panel.stack import stack

HIDDEN = (32,)
SILENT = 1e-10  # of the largest second moment of a member's factors


@dataclass(frozen=True)
class ReturnNetwork:
    """Shape of the network: L returns → hidden layers → K factors → L returns.

    No layer has a bias: twice the returns are twice the factors, and where nothing moves nothing
    is earned. Without hidden layers its best weights span the principal components.

    Source: Baldi and Hornik (1989), Neural Networks 2, for the linear one.
    """

    n_assets: int
    hidden: tuple[int, ...]
    n_factors: int

    def first_weights(self, seed: int) -> Weights:
        """Draw one member's kernels, Glorot uniform: ``encoder_1`` (L, H) …, ``decoder`` (K, L)."""
        random = np.random.default_rng(seed)
        sizes = (self.n_assets, *self.hidden, self.n_factors)
        weights = {
            f"encoder_{i}": glorot(n_in, n_out, random)
            for i, (n_in, n_out) in enumerate(itertools.pairwise(sizes), 1)
        }
        return weights | {"decoder": glorot(self.n_factors, self.n_assets, random)}

    def squares(
        self, weights: Mapping[str, Any], batch: Mapping[str, Any], *, training: bool
    ) -> tuple[Any, Any, dict[str, Any]]:
        """Return the sum of squared errors of each date (M, rows), how many returns it has.

        Parameters
        ----------
        batch : X (rows, L) inputs, R (rows, L) returns, known (rows, L) one where there is a
            return; a row is a date
        """
        from keras import ops

        del training
        values = ops.transpose(batch["X"])
        for i in range(1, len(self.hidden) + 1):
            values = ops.relu(dense(values, weights[f"encoder_{i}"]))
        factors = dense(values, weights[f"encoder_{len(self.hidden) + 1}"])
        fitted = ops.transpose(dense(factors, weights["decoder"]), (0, 2, 1))
        errors = batch["known"] * (batch["R"] - fitted)
        return ops.sum(ops.square(errors), axis=2), ops.sum(batch["known"], axis=1), {}


@dataclass(frozen=True)
class ReturnAutoencoder:
    """r = β f + u with f a network of the returns of a fixed universe, and β its last layer.

    Parameters
    ----------
    n_factors : K
    n_seeds : members of the ensemble
    settings : optimisation; a batch holds as many dates as have `batch_size` returns
    seed : of the first member's weights
    hidden : units of the encoder's hidden layers; () is principal components by descent

    The universe is the assets with (nearly) all of their training returns. An asset outside it
    gets betas by regression of its training returns on the factors, one with too few of them
    the mean of all betas.
    """

    n_factors: int
    n_seeds: int
    settings: NetworkSettings
    seed: int
    hidden: tuple[int, ...] = HIDDEN
    name: str = "autoencoder"
    leads: bool = False
    n_identified: int = 0
    uses_characteristics: bool = False

    @property
    def tradable(self) -> bool:
        """Only without a hidden layer: a rectified sum of returns is no portfolio's return."""
        return not self.hidden

    def obstacle(self, panel: Panel) -> str | None:
        """Say so when there is no fixed universe."""
        return no_fixed_universe(panel)

    def fit(self, training: Panel, validation: Panel) -> Fit:
        """Train the ensemble, then regress the assets outside the universe on its factors.

        Raises
        ------
        ModelError
            When no asset has its training returns; see also `autoencoder.ensemble.train`.
        """
        universe = fixed_universe(training)
        panel = stack(training, validation)
        X = universe_returns(panel, universe, lag=0)
        scales = training_scale(panel, training.n_dates), input_scale(X[: training.n_dates])
        sample = _sample(panel, universe, X, training.n_dates, scales)
        network = ReturnNetwork(len(universe), self.hidden, self.n_factors)
        batch_size = max(1, self.settings.batch_size // len(universe))
        settings = self.settings.model_copy(update={"batch_size": batch_size})
        found = search(network, sample, settings, self.n_seeds, self.seed)
        scale = {"return_scale": np.array(scales[0]), "input_scale": scales[1]}
        state = with_networks({"universe": universe, **scale}, found.weights)
        return Fit(state | self._all_betas(state, training), found.history, found.selection)

    def betas(self, state: State, panel: Panel) -> Array:
        """(M, n, K): each asset's constant betas."""
        assets = state["assets"]
        members = np.moveaxis(np.asarray(state["betas"], dtype=np.float64), 1, 0)
        spread = [spread_constant_betas({"assets": assets, "betas": b}, panel) for b in members]
        return np.concatenate(spread)

    def factors(self, state: State, panel: Panel) -> Array:
        """(M, T, K) factor returns: the encoder's answer to each date's returns."""
        X = universe_returns(panel, state["universe"].astype(np.str_), lag=0)
        weights = {n: w.astype(np.float64) for n, w in network_weights(state).items()}
        shared = X / np.asarray(state["input_scale"], dtype=np.float64)
        values = np.broadcast_to(shared, (len(weights["decoder"]), *shared.shape))
        for i in range(1, len(self.hidden) + 1):
            hidden = np.einsum("mtl,mlh->mth", values, weights[f"encoder_{i}"])
            values = np.maximum(hidden, 0.0)
        last = weights[f"encoder_{len(self.hidden) + 1}"]
        return np.einsum("mth,mhk->mtk", values, last) * float(state["return_scale"])

    def export(self, state: State, rotations: Array, premia: Array, folder: Path) -> None:
        """Save each estimated asset's published betas, and the members' mean forecast."""
        betas = np.moveaxis(np.asarray(state["betas"], dtype=np.float64), 1, 0)
        published = rotate_betas(betas, rotations).mean(axis=0)
        forecasts = np.einsum("mnk,mk->n", betas, premia) / len(betas)
        save_loadings(folder, assets=state["assets"], betas=published, forecasts=forecasts)

    def _all_betas(self, state: State, training: Panel) -> State:
        """Return the names of the assets that have betas, and those, (N, M, K)."""
        R = training.dense(training.R)
        members = self.factors(state, training)
        betas = np.stack([regressions(R, factors) for factors in members], axis=1)
        enough = max(MINIMUM_OBSERVATIONS, self.n_factors + 2)
        betas[np.isfinite(R).sum(axis=0) < enough] = np.nan
        decoder = network_weights(state)["decoder"].astype(np.float64)
        betas[np.searchsorted(training.assets, state["universe"])] = np.moveaxis(decoder, 2, 0)
        known = np.isfinite(betas).all(axis=(1, 2))
        return {"assets": names_for_state(training.assets[known]), "betas": betas[known]}


def regressions(R: Array, factors: Array) -> Array:
    """Regress each asset's known returns (T, N) on one member's factors (T, K): (N, K).

    A factor that the penalty has silenced gets betas of zero: the solution of smallest norm.
    """
    seen = np.isfinite(R) & np.isfinite(factors).all(axis=1, keepdims=True)
    F, R = np.nan_to_num(factors), np.where(seen, R, 0.0)
    FF = np.einsum("tn,tj,tk->njk", seen.astype(np.float64), F, F)
    FR = np.einsum("tn,tk->nk", R, F)
    inverse = np.linalg.pinv(FF, rcond=SILENT, hermitian=True)
    return np.einsum("njk,nk->nj", inverse, FR)


def _sample(
    panel: Panel,
    universe: NDArray[np.str_],
    X: Array,
    n_training_dates: int,
    scales: tuple[float, Array],
) -> Sample:
    R = panel.dense(panel.R)[:, np.searchsorted(panel.assets, universe)]
    known = np.isfinite(R)
    data = {
        "X": np.nan_to_num(X / scales[1]).astype(np.float32),
        "R": np.nan_to_num(R / scales[0]).astype(np.float32),
        "known": known.astype(np.float32),
    }
    dated = np.flatnonzero(known.any(axis=1))
    is_training = dated < n_training_dates
    return Sample(data, dated[is_training], dated[~is_training])
