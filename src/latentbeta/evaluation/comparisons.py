"""Every pair of models that is comparable, measured on what both cover."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from latentbeta.evaluation.inference import DIFFERENCE_COLUMNS, Estimates, compare, estimate
from latentbeta.evaluation.ladder import ModelKey, pairs
from latentbeta.evaluation.measures import Context, DateScores, score_dates
from latentbeta.evaluation.r_squared import Loss
from latentbeta.evaluation.resampling import Resamples
from latentbeta.evaluation.sample import Mask, OutOfSample, Predictions, Vector
from latentbeta.progress import track


class Scored(NamedTuple):
    """What is kept of a model's scores, and the measures that follow from them."""

    losses: dict[str, Loss]
    series: dict[str, Vector]
    estimates: Estimates


def scored_dates(scores: DateScores, resamples: Resamples, periods_per_year: int) -> Scored:
    """Compute the measures of one model and keep what comparisons need."""
    return Scored(scores.losses, scores.series, estimate(scores, resamples, periods_per_year))


def differences(
    table: Predictions,
    scored: Mapping[ModelKey, Scored],
    resamples: Resamples,
    context: Context,
) -> pd.DataFrame:
    """Compare the models pair by pair.

    Returns
    -------
    DataFrame
        Columns `DIFFERENCE_COLUMNS`; see `latentbeta.evaluation.inference.compare`. Models that
        cover different (date, asset) pairs are measured again on those that both have, and
        tangency portfolios on the dates that both have.
    """
    common = _Common(table, scored, resamples, context)
    rows = []
    for a, b in track(pairs(table.keys), "compare"):
        one, other = common.measured(a, b), common.measured(b, a)
        rows += compare((a, b), (one.losses, other.losses), (one.estimates, other.estimates))
    return pd.DataFrame(rows, columns=list(DIFFERENCE_COLUMNS))


class _Common:
    """Models measured on what another one covers too; once for all that cover the same."""

    def __init__(
        self,
        table: Predictions,
        scored: Mapping[ModelKey, Scored],
        resamples: Resamples,
        context: Context,
    ) -> None:
        self._table, self._resamples, self._context = table, resamples, context
        self._scored = scored
        self._traded = {key: _traded(one.series["tangency"]) for key, one in scored.items()}
        self._covered = {key: _coverage(table.sample(key), self._traded[key]) for key in scored}
        self._again: dict[tuple[ModelKey, bytes], Scored] = {}

    def measured(self, key: ModelKey, other: ModelKey) -> Scored:
        """Return what is known of model `key` on the pairs and dates that `other` has as well."""
        both = self._covered[key] & self._covered[other]
        if np.array_equal(both, self._covered[key]):
            return self._scored[key]
        place = key, hashlib.sha256(both.tobytes()).digest()
        if place not in self._again:
            sample = self._table.sample(key).restricted(self._table.sample(other))
            tangency = np.where(self._traded[other], self._scored[key].series["tangency"], np.nan)
            scores = score_dates(sample, self._context, tangency)
            periods_per_year = self._context.periods_per_year
            self._again[place] = scored_dates(scores, self._resamples, periods_per_year)
        return self._again[place]


def _traded(tangency: Vector) -> Mask:
    """Return the dates with a tangency return; all, of a model that has no such portfolio."""
    known = np.isfinite(tangency)
    return known if known.any() else np.ones(known.shape, dtype=bool)


def _coverage(sample: OutOfSample, traded: Mask) -> np.ndarray:
    """Return which fitted values, forecasts and tangency returns there are, a bit each."""
    known = [np.isfinite(part).ravel() for part in (sample.fitted, sample.forecast)]
    return np.packbits(np.concatenate([*known, traded]))
