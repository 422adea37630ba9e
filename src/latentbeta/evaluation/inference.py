"""Standard errors by resampling dates, and paired comparisons of models."""

from __future__ import annotations

import numpy as np
import pandas as pd
from arch.bootstrap import StationaryBootstrap
from arch.covariance.kernel import Bartlett

from latentbeta.evaluation.ladder import ModelKey
from latentbeta.evaluation.measures import LOSSES, DateScores, every_measure
from latentbeta.evaluation.sample import Matrix, Vector

FEWEST_DATES = 10
DIFFERENCE_COLUMNS = (
    "model_a",
    "n_factors_a",
    "model_b",
    "n_factors_b",
    "measure",
    "difference",
    "se",
    "t",
    "diebold_mariano",
    "n_observations",
)


def resampled_dates(n_dates: int, *, draws: int, block: float, seed: int) -> Matrix:
    """Draw samples of the dates by the stationary bootstrap.

    Parameters
    ----------
    n_dates : int
        T.
    draws : int
        B.
    block : float
        Mean length of a block, in dates; block lengths are geometric.
    seed : int

    Returns
    -------
    (B, T)
        How often each date occurs in each draw; rows sum to T.

    Notes
    -----
    Politis and Romano (1994). Whole dates are drawn, so the dependence across assets on a date
    is kept as it is; blocks keep the dependence between neighbouring dates. Every model meets
    the same draws, which makes differences between models paired.
    """
    weights = np.zeros((draws, n_dates))
    if n_dates == 0:
        return weights
    bootstrap = StationaryBootstrap(block, np.arange(n_dates), seed=np.random.default_rng(seed))
    for draw, ((dates,), _) in enumerate(bootstrap.bootstrap(draws)):
        weights[draw] = np.bincount(dates, minlength=n_dates)
    return weights


def standard_error(draws: Vector) -> float:
    """Return the standard deviation over draws; NaN when most draws have no value."""
    known = draws[np.isfinite(draws)]
    return float(known.std(ddof=1)) if len(known) > max(len(draws) / 2, 1) else float("nan")


def compare(
    keys: tuple[ModelKey, ModelKey],
    scores: tuple[DateScores, DateScores],
    weights: Matrix,
    periods_per_year: int,
) -> pd.DataFrame:
    """Compare two models, measure by measure, on the pairs that both have.

    Parameters
    ----------
    keys, scores
        Model a and model b.
    weights : (B, T)
        The draws of the dates.

    Returns
    -------
    DataFrame
        One row a measure, columns `DIFFERENCE_COLUMNS`: a less b, its standard error over the
        draws, their ratio t, the Diebold-Mariano statistic (positive: a errs less; measures
        that are not losses have none), and the number of (date, asset) or (date, portfolio)
        pairs it rests on.
    """
    once = np.ones((1, weights.shape[1]))
    point_a, point_b = (every_measure(score, once, periods_per_year) for score in scores)
    draws_a, draws_b = (every_measure(score, weights, periods_per_year) for score in scores)
    a, b = keys
    rows = []
    for name in point_a:
        difference = float(point_a[name][0] - point_b[name][0])
        se = standard_error(draws_a[name] - draws_b[name])
        rows.append(
            (
                *a,
                *b,
                name,
                difference,
                se,
                difference / se if se > 0 else float("nan"),
                _diebold_mariano_of(name, scores),
                _observations(name, scores[0]),
            )
        )
    return pd.DataFrame(rows, columns=list(DIFFERENCE_COLUMNS))


def diebold_mariano(error_a: Vector, error_b: Vector, count: Vector) -> float:
    """Test that two models err alike, on the cross-section's mean squared error per date.

    Parameters
    ----------
    error_a, error_b : (T,)
        Squared errors of models a and b, summed over the same pairs.
    count : (T,)
        Number of pairs; dates without any are left out.

    Returns
    -------
    float
        Mean of (error_b - error_a) / count over its standard error: positive when a errs less.
        NaN with fewer than ten dates or models that never differ.

    Notes
    -----
    Diebold and Mariano (1995) on cross-sectional means, as in Gu, Kelly and Xiu (2020). The
    long-run variance is Newey and West's, Bartlett weights and automatic bandwidth.
    """
    used = count > 0
    if used.sum() < FEWEST_DATES:
        return float("nan")
    gain = (error_b[used] - error_a[used]) / count[used]
    if np.ptp(gain) == 0:
        return float("nan")
    long_run = float(Bartlett(gain).cov.long_run[0, 0])
    return float(gain.mean() / np.sqrt(long_run / len(gain))) if long_run > 0 else float("nan")


def _diebold_mariano_of(name: str, scores: tuple[DateScores, DateScores]) -> float:
    if name not in LOSSES:
        return float("nan")
    a, b = (score.losses[name] for score in scores)
    return diebold_mariano(a.error, b.error, a.count)


def _observations(name: str, scores: DateScores) -> int:
    loss = scores.losses[name if name in LOSSES else "predictive_r2"]
    return int(loss.count.sum())
