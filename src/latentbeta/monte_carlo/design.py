"""Simulated panels of Gu, Kelly and Xiu (2021), section 4: the design, drawn from one seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from latentbeta.panel.panel import Panel

Case = Literal["a", "b"]
Array = NDArray[np.float64]

N_TRUE = 3  # factors that move returns: W = [I₃, 0]
STREAM = 20210501  # keeps these draws apart from every other use of small seeds


@dataclass(frozen=True)
class Design:
    """Sizes and spreads of the simulation; the defaults are the paper's.

    Attributes
    ----------
    n_assets : N
    n_dates : in each of the three samples: train, validation, test
    n_characteristics : P, at least three
    n_inputs : number of x_t, at least three
    mean, volatility : of each x_t, decimal
    factor_noise : standard deviation of η
    noise : ε is this times a Student t with five degrees of freedom, not a standard deviation:
        read the other way, IPCA explains 51 % at K = 3, not the published 41
    """

    n_assets: int = 200
    n_dates: int = 60
    n_characteristics: int = 50
    n_inputs: int = 50
    mean: float = 0.03
    volatility: float = 0.1
    factor_noise: float = 0.01
    noise: float = 0.1

    @property
    def total_dates(self) -> int:
        """T, the three samples together."""
        return 3 * self.n_dates


@dataclass(frozen=True, eq=False)
class Simulated:
    """A panel whose F holds x_t, and what made its returns.

    Attributes
    ----------
    panel : F is x_t (T, L), known to all; `factor_names` x1 … xL
    betas : (n, 3) of the panel's rows
    factors : (T, 3), f_t = W x_t + η_t
    noise : (n,) ε
    """

    panel: Panel
    betas: Array
    factors: Array
    noise: Array


def linear_betas(c: Array) -> Array:
    """Return case (a): β = (1.2 c₁, c₂, 0.8 c₃) along the last axis."""
    return np.stack([1.2 * c[..., 0], c[..., 1], 0.8 * c[..., 2]], axis=-1)


def non_linear_betas(c: Array) -> Array:
    """Return case (b): β = (c₁², 2 c₁ c₂, 0.6 sgn c₃) along the last axis."""
    return np.stack([c[..., 0] ** 2, 2 * c[..., 0] * c[..., 1], 0.6 * np.sign(c[..., 2])], axis=-1)


BETAS: dict[Case, Callable[[Array], Array]] = {"a": linear_betas, "b": non_linear_betas}


def simulate(case: Case, repetition: int, design: Design) -> Simulated:
    """Simulate one repetition; cases of one number share every draw but the betas' form.

    r_{i,t} = β(c_{i,t-1})'f_t + ε_{i,t}. Row (t, i) of the panel's Z is c_{i,t-1}.
    """
    random = np.random.default_rng([STREAM, repetition])
    c = characteristics(random, design)
    shape = (design.total_dates, design.n_inputs)
    x = random.normal(design.mean, design.volatility, shape)
    factors = x[:, :N_TRUE] + random.normal(0, design.factor_noise, (len(x), N_TRUE))
    noise = design.noise * random.standard_t(5, c.shape[:2])
    betas = BETAS[case](c)
    R = np.einsum("tnk,tk->tn", betas, factors) + noise
    return Simulated(_panel(c, R, x), betas.reshape(-1, N_TRUE), factors, noise.ravel())


def characteristics(random: np.random.Generator, design: Design) -> Array:
    """Return c (T, N, P) in (-1, 1): 2 rank / (N + 1) - 1 across assets of c̄, date by date.

    c̄_t = ρ c̄_{t-1} + e with e standard normal, ρ ~ U[0.9, 1] one a characteristic, from c̄ = 0.
    """
    persistence = random.uniform(0.9, 1.0, design.n_characteristics)
    level = np.zeros((design.n_assets, design.n_characteristics))
    c = np.empty((design.total_dates, *level.shape))
    for t in range(design.total_dates):
        level = persistence * level + random.normal(size=level.shape)
        ranks = level.argsort(axis=0).argsort(axis=0) + 1
        c[t] = 2 * ranks / (design.n_assets + 1) - 1
    return c


def _panel(c: Array, R: Array, x: Array) -> Panel:
    n_dates, n_assets, n_characteristics = c.shape
    months = np.datetime64("2001-02", "M") + np.arange(n_dates)
    width = len(str(n_assets))
    return Panel(
        dates=(months.astype("datetime64[D]") - 1).astype("datetime64[us]"),
        assets=np.array([f"A{i + 1:0{width}d}" for i in range(n_assets)]),
        characteristic_names=tuple(f"c{j + 1}" for j in range(n_characteristics)),
        offsets=np.arange(n_dates + 1) * n_assets,
        asset_index=np.tile(np.arange(n_assets), n_dates),
        Z=c.reshape(-1, n_characteristics).astype(np.float32),
        R=R.ravel(),
        market_equity=np.ones(R.size),
        factor_names=tuple(f"x{j + 1}" for j in range(x.shape[1])),
        F=x,
    )
