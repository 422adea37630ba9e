"""Made-up evidence of any models: what evaluation and training leave besides the measures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from latentbeta.evaluation.ladder import ModelKey
from latentbeta.storage import read_json, write_json

Maker = Callable[[ModelKey, np.random.Generator, Sequence[str], pd.Series], pd.DataFrame]
N_PORTFOLIOS = 10
WITHOUT_BETA_FUNCTION = ("observed_factors", "observed_betas", "pca", "rp_pca", "autoencoder")
LEFT_OUT = [
    {"model": "rp_pca", "n_factors": count, "reason": "6 assets are too few for 8 factors"}
    for count in (1, 2, 3, 5)
]


def write_evidence(
    data: Path, keys: Sequence[ModelKey], characteristics: Sequence[str], dates: pd.Series
) -> None:
    """Write all that the report shows besides the measures, and add to these, in `data`."""
    draw = np.random.default_rng(5)
    own = [key for key in keys if key.model not in WITHOUT_BETA_FUNCTION]
    tables: dict[str, tuple[Maker, Sequence[ModelKey]]] = {
        "evaluation/deciles": (_deciles, keys),
        "evaluation/pricing_errors": (_pricing_errors, keys),
        "evaluation/premia": (_premia, keys),
        "evaluation/importance": (_importance, own),
        "evaluation/attribution": (_attribution, keys),
    }
    for name, (make, models) in tables.items():
        _write(data / f"{name}.parquet", make, models, draw, characteristics, dates)
    metrics = [record | _more(record, draw) for record in read_json(data / "results/metrics.json")]
    write_json(metrics, data / "results/metrics.json")
    write_training(data, own, characteristics)
    write_json([null_of(*key) for key in keys], data / "evaluation_null/null.json")


def write_training(data: Path, keys: Sequence[ModelKey], characteristics: Sequence[str]) -> None:
    """Write beta functions and the models that were left out."""
    draw, dates = np.random.default_rng(6), pd.Series(dtype="datetime64[us]")
    file = data / "training/beta_functions.parquet"
    _write(file, _beta_functions, keys, draw, characteristics, dates)
    write_json(LEFT_OUT, data / "training/left_out.json")


def _write(
    file: Path,
    make: Maker,
    keys: Sequence[ModelKey],
    draw: np.random.Generator,
    characteristics: Sequence[str],
    dates: pd.Series,
) -> None:
    tables = [
        make(key, draw, characteristics, dates).assign(model=key.model, n_factors=key.n_factors)
        for key in keys
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    pd.concat(tables, ignore_index=True).to_parquet(file, index=False)


def null_of(model: str, n_factors: int, t: float = 0.8) -> dict[str, Any]:
    """One object of null.json whose measures are `t` standard errors from zero."""
    measures = {"predictive_r2": 0.0004, "gain": 0.0004, "ic": 0.004, "rank_ic": 0.004}
    return {
        "model": model,
        "n_factors": n_factors,
        **{name: t * error for name, error in measures.items()},
        **{f"{name}_se": error for name, error in measures.items()},
        "within": abs(t) <= 2,
    }


def _more(record: dict[str, Any], draw: np.random.Generator) -> dict[str, Any]:
    total, error = record["total_r2"], record["total_r2_se"]
    return {
        "total_r2_low": total - 1.9 * error,
        "total_r2_high": total + 2.1 * error,
        "long_short_net_sharpe": record["long_short_sharpe"] - 0.3,
        "long_short_drawdown": float(draw.uniform(0.1, 0.5)),
        "tangency_sharpe": float(draw.normal(1.0 + 0.2 * record["n_factors"], 0.2)),
        "tangency_sharpe_se": 0.31,
        "n_pricing_errors": int(draw.integers(0, 6)),
        "n_portfolios": 17,
        "mean_abs_alpha": float(draw.uniform(0.0005, 0.002)),
        "mean_abs_alpha_se": 0.0002,
        "long_short_deflated_sharpe": 0.973,
    }


def _deciles(
    key: ModelKey, draw: np.random.Generator, characteristics: Sequence[str], dates: pd.Series
) -> pd.DataFrame:
    names = [f"portfolio_{q + 1}" for q in range(N_PORTFOLIOS)]
    slope = draw.uniform(0.01, 0.03)
    means = 0.08 + slope * (np.arange(N_PORTFOLIOS) - 4.5) + draw.normal(0, 0.01, N_PORTFOLIOS)
    table = pd.DataFrame(
        {
            "portfolio": [*names, "long_short"],
            "mean": [*means, means[-1] - means[0]],
            "volatility": 0.2,
            "sharpe": 0.7,
            "sharpe_se": 0.25,
            "turnover": 0.61,
            "net_sharpe": 0.52,
            "drawdown": 0.34,
        }
    )
    both = [table.assign(weighting=weighting) for weighting in ("equal", "value")]
    return pd.concat(both, ignore_index=True)


def _pricing_errors(
    key: ModelKey, draw: np.random.Generator, characteristics: Sequence[str], dates: pd.Series
) -> pd.DataFrame:
    names = [*characteristics, "constant"]
    mean = draw.normal(0, 0.004, len(names))
    alpha = mean * draw.uniform(0, 1) + draw.normal(0, 0.0005, len(names))
    return pd.DataFrame(
        {
            "portfolio": names,
            "mean_return": mean,
            "mean_return_t": mean / 0.001,
            "alpha": alpha,
            "alpha_t": alpha / 0.0006,
        }
    )


def _premia(
    key: ModelKey, draw: np.random.Generator, characteristics: Sequence[str], dates: pd.Series
) -> pd.DataFrame:
    mean = draw.normal(0.004, 0.003, key.n_factors)
    names = [f"factor_{k + 1}" for k in range(key.n_factors)]
    return pd.DataFrame({"factor": names, "mean": mean, "se": 0.0015, "t": mean / 0.0015})


def _importance(
    key: ModelKey, draw: np.random.Generator, characteristics: Sequence[str], dates: pd.Series
) -> pd.DataFrame:
    fall = draw.exponential(0.02, len(characteristics))
    return pd.DataFrame(
        {"characteristic": list(characteristics), "fall": fall, "share": fall / fall.sum()}
    )


def _attribution(
    key: ModelKey, draw: np.random.Generator, characteristics: Sequence[str], dates: pd.Series
) -> pd.DataFrame:
    tables = []
    for portfolio in ("market", "long_short"):
        table = pd.DataFrame({"portfolio": portfolio, "date": dates})
        parts = draw.normal(0.003, 0.02, (len(dates), key.n_factors + 1))
        names = [*(f"factor_{k + 1}" for k in range(key.n_factors)), "specific"]
        table[names] = parts
        tables.append(table.assign(total=parts.sum(axis=1)))
    return pd.concat(tables, ignore_index=True)


def _beta_functions(
    key: ModelKey, draw: np.random.Generator, characteristics: Sequence[str], dates: pd.Series
) -> pd.DataFrame:
    value = np.linspace(-1, 1, 21)
    tables = []
    for name in characteristics:
        table = pd.DataFrame({"characteristic": name, "value": value})
        for k in range(key.n_factors):
            bend, slope = draw.normal(0, 0.4, 2)
            table[f"factor_{k + 1}"] = 0.5 + slope * value + bend * value**2
        tables.append(table)
    return pd.concat(tables, ignore_index=True)
