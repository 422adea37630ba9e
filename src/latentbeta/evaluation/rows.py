"""One model's measures as rows of the tables that are written."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from latentbeta.evaluation.inference import standard_error
from latentbeta.evaluation.ladder import ModelKey
from latentbeta.evaluation.measures import MEASURES, DateScores, every_measure, measure, moments
from latentbeta.evaluation.sample import Matrix, Predictions

SIGNIFICANT_DIGITS = 12
FOLD_MEASURES = ("total_r2", "predictive_r2", "ic")


def metrics_of(
    key: ModelKey, scores: DateScores, weights: Matrix, table: Predictions, periods_per_year: int
) -> dict[str, Any]:
    """Return one object of metrics.json: every measure, its standard error, and the sample."""
    once = np.ones((1, len(table.dates)))
    point = every_measure(scores, once, periods_per_year)
    draws = every_measure(scores, weights, periods_per_year)
    record: dict[str, Any] = {"model": key.model, "n_factors": key.n_factors}
    for name in MEASURES:
        record[name] = plain(float(point[name][0]))
        record[f"{name}_se"] = (
            plain(standard_error(draws[name])) if record[name] is not None else None
        )
    record["turnover"] = plain(float(moments(scores.portfolios.turnover, once).mean[0]))
    scored = scores.losses["total_r2"].count + scores.losses["predictive_r2"].count > 0
    dates = table.dates[scored]
    return record | {
        "n_observations": int(scores.losses["total_r2"].count.sum()),
        "n_forecasts": int(scores.losses["predictive_r2"].count.sum()),
        "n_dates": len(dates),
        "first_test_date": _day(dates[0]) if len(dates) else None,
        "last_test_date": _day(dates[-1]) if len(dates) else None,
    }


def numbers_by_model(metrics: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return the numbers of metrics.json as ``{"ca1_3": {"total_r2": …}}``: DVC reads no lists."""
    return {
        f"{record['model']}_{record['n_factors']}": {
            name: value
            for name, value in record.items()
            if isinstance(value, int | float) and name != "n_factors"
        }
        for record in metrics
    }


def fold_metrics_of(key: ModelKey, scores: DateScores, folds: pd.Series) -> pd.DataFrame:
    """Measure each fold by itself, one row a fold; `folds` holds the fold of each test date."""
    numbers, place = np.unique(folds.to_numpy(), return_inverse=True)
    membership = (place == np.arange(len(numbers))[:, None]).astype(np.float64)
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
        | {name: measure(name, scores, membership, 1) for name in FOLD_MEASURES}
    )


def portfolios_of(key: ModelKey, scores: DateScores, table: Predictions) -> pd.DataFrame:
    """Return one model's portfolio returns, one row a test date."""
    sorted_ = scores.portfolios
    columns = {f"portfolio_{q + 1}": returns for q, returns in enumerate(sorted_.quantiles.T)}
    return pd.DataFrame(
        {"model": key.model, "n_factors": key.n_factors, "date": table.dates}
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
