"""One model's measures as rows of the tables that are written."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.evaluation.inference import Estimates, interval, standard_error
from latentbeta.evaluation.ladder import ModelKey
from latentbeta.evaluation.measures import DateScores, weighted_measures
from latentbeta.evaluation.portfolios import SortedPortfolios
from latentbeta.evaluation.sample import Vector

SIGNIFICANT_DIGITS = 12
FOLD_MEASURES = ("total_r2", "predictive_r2", "ic")


def metrics_of(
    key: ModelKey, scores: DateScores, estimates: Estimates, dates: NDArray[np.datetime64]
) -> dict[str, Any]:
    """Return one object of metrics.json: every measure with its error and interval, the sample.

    Parameters
    ----------
    dates : (T,) datetime64[us]
        The test dates.
    """
    record: dict[str, Any] = {"model": key.model, "n_factors": key.n_factors}
    for name, value in estimates.point.items():
        record |= with_uncertainty(name, value, estimates.draws[name])
    scored = scores.losses["total_r2"].count + scores.losses["predictive_r2"].count > 0
    tested = dates[scored]
    return record | {
        "n_observations": int(scores.losses["total_r2"].count.sum()),
        "n_forecasts": int(scores.losses["predictive_r2"].count.sum()),
        "n_dates": len(tested),
        "first_test_date": _day(tested[0]) if len(tested) else None,
        "last_test_date": _day(tested[-1]) if len(tested) else None,
    }


def with_uncertainty(name: str, value: float, draws: Vector) -> dict[str, float | None]:
    """Return a measure with its standard error and interval; all None where there is no value."""
    low, high = interval(draws)
    found = {
        name: value,
        f"{name}_se": standard_error(draws),
        f"{name}_low": low,
        f"{name}_high": high,
    }
    known = math.isfinite(value)
    return {label: plain(number) if known else None for label, number in found.items()}


def numbers_by_model(metrics: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return the numbers of metrics.json as ``{"ca1_3": {"total_r2": …}}``: DVC reads no lists.

    The ends of the intervals are left out: `dvc metrics` shows a column a number.
    """
    return {
        f"{record['model']}_{record['n_factors']}": {
            name: value
            for name, value in record.items()
            if isinstance(value, int | float)
            and name != "n_factors"
            and not name.endswith(("_low", "_high"))
        }
        for record in metrics
    }


def fold_metrics_of(key: ModelKey, scores: DateScores, folds: pd.Series) -> pd.DataFrame:
    """Measure each fold by itself, one row a fold; `folds` holds the fold of each test date."""
    numbers, place = np.unique(folds.to_numpy(), return_inverse=True)
    membership = (place == np.arange(len(numbers))[:, None]).astype(np.float64)
    measures = weighted_measures(scores, membership, 1)
    spans = folds.index.to_series().groupby(folds.to_numpy())
    return pd.DataFrame(
        {
            "model": key.model,
            "n_factors": key.n_factors,
            "fold": numbers,
            "first_date": spans.min().to_numpy(),
            "last_date": spans.max().to_numpy(),
            "n_observations": (membership @ scores.losses["total_r2"].count).astype(np.int64),
        }
        | {name: measures[name] for name in FOLD_MEASURES}
    )


def portfolios_of(
    key: ModelKey, sorted_: SortedPortfolios, dates: NDArray[np.datetime64]
) -> pd.DataFrame:
    """Return one model's portfolio returns, one row a test date."""
    columns = {f"portfolio_{q + 1}": returns for q, returns in enumerate(sorted_.quantiles.T)}
    return pd.DataFrame(
        {"model": key.model, "n_factors": key.n_factors, "date": dates}
        | columns
        | {
            "long_short": sorted_.long_short,
            "long_short_vw": sorted_.long_short_vw,
            "turnover": sorted_.turnover,
        }
    )


def _day(date: np.datetime64) -> str:
    return str(date.astype("M8[D]"))


def plain(value: Any) -> Any:
    """Make numbers fit for JSON: NaN becomes None, and noise of the last bits goes."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if math.isfinite(value) else None
    return value
