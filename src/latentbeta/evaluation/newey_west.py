"""Whether a mean over dates differs from zero, when neighbouring dates depend on each other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from arch.covariance.kernel import Bartlett

from latentbeta.evaluation.sample import Vector

FEWEST_DATES = 10


class MeanTest(NamedTuple):
    """A mean, its standard error and their ratio; the last two NaN where there is no error."""

    mean: float
    se: float
    t: float


def mean_test(series: Vector) -> MeanTest:
    """Test that a mean over dates is zero.

    Parameters
    ----------
    series : (T,)
        One value a date; NaN where there is none, which is left out.

    Returns
    -------
    MeanTest
        No standard error with fewer than ten dates, or where the series does not vary; no mean
        either without any date.

    Notes
    -----
    The variance of the mean is the long-run variance of Newey and West (1987) over T: Bartlett
    weights, bandwidth chosen from the series as in Andrews (1991) and Newey and West (1994).
    """
    known = series[np.isfinite(series)]
    mean = float(known.mean()) if len(known) else float("nan")
    if len(known) < FEWEST_DATES or np.ptp(known) == 0:
        return MeanTest(mean, float("nan"), float("nan"))
    long_run = float(Bartlett(known).cov.long_run[0, 0])
    se = float(np.sqrt(long_run / len(known))) if long_run > 0 else float("nan")
    return MeanTest(mean, se, mean / se)
