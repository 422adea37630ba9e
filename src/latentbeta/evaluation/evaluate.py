"""From saved results to the table of measures, and everything the report needs beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from latentbeta.config import Settings
from latentbeta.evaluation import plots
from latentbeta.evaluation.attribution import stacked_attributions
from latentbeta.evaluation.comparisons import differences
from latentbeta.evaluation.deflated_sharpe import deflated_sharpe_ratio
from latentbeta.evaluation.importance import IMPORTANCE_COLUMNS, importance_of
from latentbeta.evaluation.ladder import ModelKey, rung
from latentbeta.evaluation.managed import Characteristics
from latentbeta.evaluation.measures import Context
from latentbeta.evaluation.model_results import TABLES, ModelResults, Sources, results_of
from latentbeta.evaluation.published import Published
from latentbeta.evaluation.resampling import resampled_dates
from latentbeta.evaluation.rows import numbers_by_model, plain
from latentbeta.evaluation.sample import Predictions, Vector
from latentbeta.evaluation.saved_results import ByModel, SavedResults, read_saved_results
from latentbeta.evaluation.truth import oracle_r_squared, recovered_truth
from latentbeta.panel import Panel, read_panel
from latentbeta.progress import track
from latentbeta.storage import folder_written_atomically, write_csv, write_json, write_parquet

DEFLATED = {
    "long_short_deflated_sharpe": "long_short",
    "tangency_deflated_sharpe": "tangency",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """Everything that is measured.

    Attributes
    ----------
    metrics : list of dict
        One object a model and factor count, in the order of the ladder; None where a measure
        does not exist.
    tables : dict of DataFrame
        By the name of the file: differences, importance, and `TABLES`; their columns are in
        docs/measures.md.
    truth : dict
        ``known``, and where it is: ``oracle_total_r2`` and ``models``.
    """

    metrics: list[dict[str, Any]]
    tables: dict[str, pd.DataFrame]
    truth: dict[str, Any]


def evaluate(
    *,
    results: Path,
    panel: Path,
    truth: Path | None,
    training: Path | None,
    output: Path,
    settings: Settings,
) -> list[dict[str, Any]]:
    """Measure the saved results and write what was found.

    Parameters
    ----------
    results : Path
        Folder with predictions.parquet, betas.parquet and factors.parquet; metrics.json is
        written into it.
    panel : Path
        panel.parquet.
    truth : Path or None
        Folder with betas.parquet and factors.parquet of a simulated market; used if it exists.
    training : Path or None
        Folder with history.parquet and importance.parquet; used if they exist.
    output : Path
        Folder for the tables of `Evaluation`, truth.json, metrics.json (the numbers by model,
        for DVC) and plots/*.csv; replaced as a whole.
    settings : Settings

    Returns
    -------
    list of dict
        What metrics.json holds.
    """
    saved = read_saved_results(results, training)
    found = with_truth(measure(saved, read_panel(panel), settings), saved, truth)
    tables = found.tables
    with folder_written_atomically(output) as folder:
        for name, table in tables.items():
            write_parquet(table, folder / f"{name}.parquet")
        write_json(found.truth, folder / "truth.json")
        write_json(numbers_by_model(found.metrics), folder / "metrics.json")
        write_csv(plots.cumulative_returns(tables["portfolios"]), folder / "plots/cumulative.csv")
        write_csv(plots.fold_r_squared(tables["fold_metrics"]), folder / "plots/fold_r2.csv")
        write_csv(plots.losses(saved.history), folder / "plots/loss.csv")
    write_json(found.metrics, results / "metrics.json")
    return found.metrics


def measure(saved: SavedResults, panel: Panel, settings: Settings) -> Evaluation:
    """Measure every model in the saved predictions; the truth is left unknown.

    Parameters
    ----------
    saved : SavedResults
    panel : Panel
        The panel the models were trained on: its characteristics and market values are used.
    settings : Settings
        Seed, rebalancing and evaluation are used.
    """
    table = Predictions(saved.predictions, panel.assets)
    chosen = settings.evaluation
    sources = Sources(
        context=_context(table, panel, settings),
        resamples=resampled_dates(
            len(table.dates),
            draws=chosen.bootstrap_draws,
            block=chosen.bootstrap_block,
            seed=settings.seed,
        ),
        published=Published(saved.betas, saved.factors, table.dates, panel.assets),
        dates=table.dates,
        folds=table.folds(),
    )
    found = {
        key: results_of(key, table.sample(key), sources) for key in track(table.keys, "evaluate")
    }
    scored = {key: result.scored for key, result in found.items()}
    compared = differences(table, scored, sources.resamples, sources.context)
    parts = {name: [result.tables[name] for result in found.values()] for name in TABLES}
    return Evaluation(
        metrics=_with_deflated(found),
        tables={name: _stacked(of_models) for name, of_models in parts.items()}
        | {
            "attribution": stacked_attributions(parts["attribution"]),
            "differences": compared,
            "importance": _importance(saved),
        },
        truth={"known": False},
    )


def with_truth(found: Evaluation, saved: SavedResults, truth: Path | None) -> Evaluation:
    """Add how much of the true betas and factors was recovered, where the truth is known."""
    if truth is None or not (truth / "betas.parquet").exists():
        return found
    true_betas = pd.read_parquet(truth / "betas.parquet")
    true_factors = pd.read_parquet(truth / "factors.parquet")
    models = recovered_truth(saved.betas, saved.factors, true_betas, true_factors)
    by_key = {(record["model"], record["n_factors"]): record for record in models}
    metrics = [
        record | _beta_correlations(by_key.get((record["model"], record["n_factors"])))
        for record in found.metrics
    ]
    oracle = oracle_r_squared(saved.predictions, true_betas, true_factors)
    return replace(
        found,
        metrics=metrics,
        truth=plain({"known": True, "oracle_total_r2": oracle, "models": models}),
    )


def _context(table: Predictions, panel: Panel, settings: Settings) -> Context:
    place = pd.Index(panel.dates).get_indexer(pd.Index(table.dates))
    market_equity = np.where((place >= 0)[:, None], panel.dense(panel.market_equity)[place], np.nan)
    return Context(
        characteristics=Characteristics.of(panel, table.dates),
        market_equity=market_equity,
        quantile=settings.evaluation.quantile,
        cost=settings.evaluation.cost,
        periods_per_year=settings.periods_per_year,
    )


def _with_deflated(found: dict[ModelKey, ModelResults]) -> list[dict[str, Any]]:
    """Return the metrics with each Sharpe ratio set against all that were tried."""
    trials = {
        name: np.array([_sharpe(result.scored.series[series]) for result in found.values()])
        for name, series in DEFLATED.items()
    }
    return [
        result.metrics
        | {
            name: plain(deflated_sharpe_ratio(result.scored.series[series], trials[name]))
            for name, series in DEFLATED.items()
        }
        for result in found.values()
    ]


def _sharpe(returns: Vector) -> float:
    """Sharpe ratio per period, NaN where there is none."""
    known = returns[np.isfinite(returns)]
    if len(known) < 2 or np.ptp(known) == 0:
        return float("nan")
    return float(known.mean() / known.std(ddof=1))


def _importance(saved: SavedResults) -> pd.DataFrame:
    sums = ByModel(saved.importance)
    parts = [importance_of(key, sums[key]) for key in sorted(sums, key=rung)]
    return _stacked(parts) if parts else pd.DataFrame(columns=list(IMPORTANCE_COLUMNS))


def _beta_correlations(recovered: dict[str, Any] | None) -> dict[str, float | None]:
    if recovered is None:
        return {}
    correlations = np.array(recovered["beta_correlation"])
    named = {f"beta_correlation_{k + 1}": plain(float(r)) for k, r in enumerate(correlations)}
    return named | {"beta_correlation_mean": plain(float(correlations.mean()))}


def _stacked(tables: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True)
