"""Bootstrap tests of IPCA: is there an intercept, does a characteristic matter.

Managed portfolios Z'r are rebuilt under the null from its factors and resampled residual vectors,
and the model without the null is estimated anew from them: rows are read once, before any draw.

Source: Kelly, Pruitt and Su (2019), Characteristics are covariances, Journal of Financial
Economics 134.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from latentbeta.models.ipca_newton import Statistics, newton
from latentbeta.models.ipca_solver import estimate_gamma, independent_directions
from latentbeta.models.ipca_steps import factors_given_gamma, normalise
from latentbeta.models.managed_portfolios import second_moments
from latentbeta.models.protocol import Array
from latentbeta.panel.panel import Panel

DEGREES_OF_FREEDOM = 5
# Newton's steps square what is left: after one of a hundredth, W is known to a thousandth or so.
TOLERANCE, MAX_ITERATIONS = 1e-2, 100


def _nothing() -> None:
    """Take no notice of a draw."""


@dataclass(frozen=True)
class BootstrapTest:
    """A statistic, and what it is in samples in which the null is true.

    Attributes
    ----------
    tested : str
        What the null says is nothing: ``intercept``, a characteristic's name, or ``constant``.
    statistic : float
        W, the sum of squares of the row or column of Γ that the null sets to zero.
    draws : (B,)
    """

    tested: str
    statistic: float
    draws: Array

    @property
    def p_value(self) -> float:
        """Share of draws above the statistic."""
        return float(np.mean(self.draws > self.statistic))


@dataclass(frozen=True)
class Moments:
    """What the tests read of a sample's dates with returns.

    Attributes
    ----------
    ZZ : (T, P + 1, P + 1); ZR : (T, P + 1)
    counts : (T,) returns of a date
    """

    ZZ: Array
    ZR: Array
    counts: Array

    @classmethod
    def of(cls, panel: Panel) -> Moments:
        """Read the panel's rows."""
        ZZ, ZR, counts = second_moments(panel)
        known = counts > 0
        return cls(ZZ[known], ZR[known], counts[known].astype(np.float64))


def intercept_test(
    moments: Moments,
    n_latent: int,
    *,
    n_draws: int,
    seed: int,
    on_draw: Callable[[], None] = _nothing,
) -> BootstrapTest:
    """Test that no return differs by characteristics but through factors: W = Γα'Γα.

    Parameters
    ----------
    n_latent : K, factors beside the intercept
    on_draw : called after each draw

    Raises
    ------
    ModelError
        When characteristics span no more than K directions.
    """
    ones = np.ones((len(moments.ZZ), 1))
    gamma = estimate_gamma(moments.ZZ, moments.ZR, n_latent, ones)
    null = np.hstack([np.zeros_like(gamma[:, :1]), gamma[:, 1:]])
    draws = _draws(moments, gamma, null, ones, _size_of_intercept, n_draws, seed, on_draw)
    return BootstrapTest("intercept", _size_of_intercept(gamma), draws)


def characteristic_test(
    moments: Moments,
    n_latent: int,
    place: int,
    name: str,
    *,
    n_draws: int,
    seed: int,
    on_draw: Callable[[], None] = _nothing,
) -> BootstrapTest:
    """Test that a characteristic has no part in any beta: W = γ'γ, γ its row of Γ.

    Parameters
    ----------
    place : column of [Z, 1]
    name : of the characteristic, for the result

    Raises
    ------
    ModelError
        When characteristics span fewer than K directions.
    """

    def size(gamma: Array) -> float:
        return float(np.sum(gamma[place] ** 2))

    none = np.empty((len(moments.ZZ), 0))
    gamma = estimate_gamma(moments.ZZ, moments.ZR, n_latent)
    null = gamma.copy()
    null[place] = 0.0
    draws = _draws(moments, gamma, null, none, size, n_draws, seed, on_draw)
    return BootstrapTest(name, size(gamma), draws)


def bootstrap_tests(
    panel: Panel, n_latent: int, *, n_draws: int, seed: int, on_draw: Callable[[], None] = _nothing
) -> list[BootstrapTest]:
    """Run W_α, then W_β of each characteristic and of the constant, on the panel's whole sample.

    Every test resamples alike, so that a difference between two is no luck of the draw.
    """
    moments = Moments.of(panel)
    names = (*panel.characteristic_names, "constant")
    first = intercept_test(moments, n_latent, n_draws=n_draws, seed=seed, on_draw=on_draw)
    return [first] + [
        characteristic_test(
            moments, n_latent, place, name, n_draws=n_draws, seed=seed, on_draw=on_draw
        )
        for place, name in enumerate(names)
    ]


def _size_of_intercept(gamma: Array) -> float:
    return float(np.sum(gamma[:, 0] ** 2))


def _draws(
    moments: Moments,
    gamma: Array,
    null: Array,
    given: Array,
    size: Callable[[Array], float],
    n_draws: int,
    seed: int,
    on_draw: Callable[[], None],
) -> Array:
    """Return W in samples made under the null, from the estimates without it: (B,)."""
    ZZ, counts = moments.ZZ, moments.counts[:, None]
    basis = independent_directions(ZZ)
    h = np.hstack([given, factors_given_gamma(ZZ, moments.ZR, gamma, given)])
    residuals = (moments.ZR - np.einsum("tpq,qk,tk->tp", ZZ, gamma, h)) @ basis / counts
    fitted = np.einsum("tpq,qk,tk->tp", ZZ, null, h) @ basis
    projected = basis.T @ ZZ @ basis
    start = np.linalg.lstsq(basis, null, rcond=None)[0]
    rng = np.random.default_rng(seed)
    found = np.empty(n_draws)
    for draw in range(n_draws):
        shocks = counts * _resampled(residuals, rng)
        statistics = Statistics.of(projected, fitted + shocks, given)
        point = newton(statistics, start, tolerance=TOLERANCE, max_iterations=MAX_ITERATIONS)
        B, latent = basis @ statistics.in_given_units(point.B), point.h[:, given.shape[1] :]
        found[draw] = size(normalise(B, latent, given)[0])
        on_draw()
    return found


def _resampled(residuals: Array, rng: np.random.Generator) -> Array:
    """Draw residual vectors (T, D) of whole dates, each times a Student t of unit variance."""
    n_dates = len(residuals)
    dates = rng.integers(n_dates, size=n_dates)
    scale = np.sqrt((DEGREES_OF_FREEDOM - 2) / DEGREES_OF_FREEDOM)
    return residuals[dates] * (scale * rng.standard_t(DEGREES_OF_FREEDOM, n_dates))[:, None]
