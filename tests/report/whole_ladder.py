"""Results of every rung of the ladder with one to six factors, made up from a few numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from tests.report.evidence import LEFT_OUT, write_evidence
from tests.synthetic_results import folds_table, history_table, selection_table

from latentbeta.evaluation.ladder import LADDER, ModelKey, pairs
from latentbeta.storage import write_json

MOST_FACTORS, N_DATES = 6, 48
ABSENT = {(record["model"], record["n_factors"]) for record in LEFT_OUT}
KEYS = [
    ModelKey(model, count)
    for model in LADDER
    for count in range(1, MOST_FACTORS + 1)
    if (model, count) not in ABSENT
]
CHARACTERISTICS = [f"c{p}" for p in range(40)]
MEASURES = {
    "total_r2": 0.3,
    "predictive_r2": 0.01,
    "total_r2_managed": 0.5,
    "predictive_r2_managed": 0.01,
    "ic": 0.03,
    "rank_ic": 0.03,
    "long_short_sharpe": 1.0,
    "long_short_sharpe_vw": 0.8,
}


def write_ladder(data: Path) -> None:
    """Write results of all models, best at the top of the ladder and with most factors."""
    dates = pd.Series(pd.date_range("2015-01-30", periods=N_DATES, freq="BME").as_unit("us"))
    write_json([_record(key) for key in KEYS], data / "results/metrics.json")
    write_evidence(data, KEYS, CHARACTERISTICS, dates)
    tables = {
        "results/factors": pd.concat([_factors(key, dates) for key in KEYS]),
        "results/folds": folds_table(),
        "evaluation/portfolios": pd.concat([_portfolios(key, dates) for key in KEYS]),
        "evaluation/differences": _differences(),
        "training/history": history_table(),
        "training/selection": selection_table(),
    }
    for name, table in tables.items():
        path = data / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(path, index=False)


def height(key: ModelKey) -> float:
    """How much better than nothing a model is: 1 on the first rung with one factor."""
    return 1 + 0.03 * LADDER.index(key.model) + 0.02 * (key.n_factors - 1)


def _record(key: ModelKey) -> dict[str, object]:
    measures = {name: height(key) * level for name, level in MEASURES.items()}
    return {
        "model": key.model,
        "n_factors": key.n_factors,
        **measures,
        **{f"{name}_se": 0.05 * level for name, level in MEASURES.items()},
        "n_observations": 9000,
        "n_dates": N_DATES,
        "first_test_date": "2015-01-30",
        "last_test_date": "2018-12-31",
    }


def _draws(key: ModelKey, *shape: int) -> np.ndarray:
    return np.random.default_rng(KEYS.index(key)).normal(0.01, 0.03, shape)


def _factors(key: ModelKey, dates: pd.Series) -> pd.DataFrame:
    names = [f"factor_{k + 1}" for k in range(key.n_factors)]
    table = pd.DataFrame(_draws(key, len(dates), key.n_factors), columns=names)
    tangency = _draws(key, len(dates))
    return table.assign(model=key.model, n_factors=key.n_factors, date=dates, tangency=tangency)


def _portfolios(key: ModelKey, dates: pd.Series) -> pd.DataFrame:
    returns = _draws(key, len(dates))
    return pd.DataFrame({"date": dates, "long_short": returns}).assign(
        model=key.model, n_factors=key.n_factors
    )


def _differences() -> pd.DataFrame:
    rows = [
        (*a, *b, measure, difference := height(a) - height(b), difference / 0.1)
        for a, b in pairs(KEYS)
        for measure in ("total_r2", "predictive_r2", "long_short_sharpe", "tangency_sharpe")
    ]
    names = ["model_a", "n_factors_a", "model_b", "n_factors_b", "measure", "difference", "t"]
    return pd.DataFrame(rows, columns=names)
