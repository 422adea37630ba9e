"""How likely a Sharpe ratio is real, given how many were looked at."""

from __future__ import annotations

import numpy as np
from scipy import stats

from latentbeta.evaluation.sample import Vector


def deflated_sharpe_ratio(returns: Vector, trials: Vector) -> float:
    """Probability that the true Sharpe ratio beats the best one that luck alone would show.

    Parameters
    ----------
    returns : (T,)
        Of the portfolio in question, per period; NaN where there is none.
    trials : (M,)
        Sharpe ratios per period of all that was tried, this portfolio included; NaN where a
        trial has none.

    Returns
    -------
    float
        Between 0 and 1; NaN where the returns do not vary.

    Notes
    -----
    Bailey and López de Prado (2014), equation 2. Trials count as independent; those of one
    family of models are not, which makes the probability too low rather than too high.
    """
    known = returns[np.isfinite(returns)]
    if len(known) < 2 or np.ptp(known) == 0:
        return float("nan")
    return probability_above(
        float(known.mean() / known.std(ddof=1)),
        expected_best_sharpe(trials),
        n_dates=len(known),
        skewness=float(stats.skew(known)),
        kurtosis=float(stats.kurtosis(known, fisher=False)),
    )


def expected_best_sharpe(trials: Vector) -> float:
    """Return the expected highest Sharpe ratio among trials whose true ones are all zero.

    Notes
    -----
    √V ((1 - γ) Φ⁻¹(1 - 1/M) + γ Φ⁻¹(1 - 1/(M e))) with V the variance of the M trials' ratios
    and γ the Euler-Mascheroni constant: Bailey and López de Prado (2014), equation 1. Zero with
    a single trial.
    """
    known = trials[np.isfinite(trials)]
    if len(known) < 2:
        return 0.0
    highest = (1 - np.euler_gamma) * stats.norm.ppf(1 - 1 / len(known))
    highest += np.euler_gamma * stats.norm.ppf(1 - 1 / (len(known) * np.e))
    return float(known.std(ddof=1) * highest)


def probability_above(
    sharpe: float, threshold: float, *, n_dates: int, skewness: float, kurtosis: float
) -> float:
    """Return the probability that the true Sharpe ratio is above a threshold.

    Parameters
    ----------
    sharpe, threshold : float
        Per period, not annualised.
    n_dates : int
        Number of returns.
    skewness, kurtosis : float
        Of the returns; 0 and 3 for a normal distribution.

    Notes
    -----
    The probabilistic Sharpe ratio: the estimate is taken as normal with the variance that the
    skewness and kurtosis of the returns imply. NaN where that variance is not positive.
    """
    spread = 1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2
    if spread <= 0:
        return float("nan")
    return float(stats.norm.cdf((sharpe - threshold) * np.sqrt((n_dates - 1) / spread)))
