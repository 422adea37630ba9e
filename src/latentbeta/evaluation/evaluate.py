"""From saved results to the table of measures, and everything the report needs beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from latentbeta.config import Settings
from latentbeta.evaluation import plots
from latentbeta.evaluation.inference import DIFFERENCE_COLUMNS, compare, resampled_dates
from latentbeta.evaluation.ladder import ModelKey, pairs
from latentbeta.evaluation.measures import Context, DateScores, score_dates
from latentbeta.evaluation.r_squared import Characteristics
from latentbeta.evaluation.rows import (
    fold_metrics_of,
    metrics_of,
    numbers_by_model,
    plain,
    portfolios_of,
)
from latentbeta.evaluation.sample import Matrix, Predictions
from latentbeta.evaluation.truth import oracle_r_squared, recovered_truth
from latentbeta.panel import Panel, read_panel
from latentbeta.progress import track
from latentbeta.storage import folder_written_atomically, write_csv, write_json, write_parquet


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """Everything that is measured.

    Attributes
    ----------
    metrics : list of dict
        One object a model and factor count, in the order of the ladder; None where a measure
        does not exist.
    fold_metrics : DataFrame
        model, n_factors, fold, first_date, last_date, n_observations, total_r2,
        predictive_r2, ic.
    differences : DataFrame
        See `latentbeta.evaluation.inference.compare`.
    portfolios : DataFrame
        model, n_factors, date, portfolio_1 … portfolio_Q, long_short, long_short_vw, turnover.
    truth : dict
        ``known``, and where it is: ``oracle_total_r2`` and ``models``.
    """

    metrics: list[dict[str, Any]]
    fold_metrics: pd.DataFrame
    differences: pd.DataFrame
    portfolios: pd.DataFrame
    truth: dict[str, Any]


def evaluate(
    *,
    results: Path,
    panel: Path,
    truth: Path | None,
    history: Path | None,
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
    history : Path or None
        history.parquet of the training; used if it exists.
    output : Path
        Folder for fold_metrics.parquet, differences.parquet, portfolios.parquet, truth.json,
        metrics.json (the numbers by model, for DVC) and plots/*.csv; replaced as a whole.
    settings : Settings

    Returns
    -------
    list of dict
        What metrics.json holds.
    """
    predictions = pd.read_parquet(results / "predictions.parquet")
    found = measure_predictions(predictions, read_panel(panel), settings)
    found = _with_truth(found, predictions, results, truth)
    with folder_written_atomically(output) as folder:
        write_parquet(found.fold_metrics, folder / "fold_metrics.parquet")
        write_parquet(found.differences, folder / "differences.parquet")
        write_parquet(found.portfolios, folder / "portfolios.parquet")
        write_json(found.truth, folder / "truth.json")
        write_json(numbers_by_model(found.metrics), folder / "metrics.json")
        write_csv(plots.cumulative_returns(found.portfolios), folder / "plots/cumulative.csv")
        write_csv(plots.fold_r_squared(found.fold_metrics), folder / "plots/fold_r2.csv")
        write_csv(plots.losses(_history(history)), folder / "plots/loss.csv")
    write_json(found.metrics, results / "metrics.json")
    return found.metrics


def measure_predictions(predictions: pd.DataFrame, panel: Panel, settings: Settings) -> Evaluation:
    """Measure every model in a table of predictions; the truth is left unknown.

    Parameters
    ----------
    predictions : DataFrame
        As in predictions.parquet.
    panel : Panel
        The panel the models were trained on: its characteristics and market values are used.
    settings : Settings
        Seed, rebalancing and evaluation are used.
    """
    table = Predictions(predictions, panel.assets)
    context = _context(table, panel, settings)
    chosen = settings.evaluation
    weights = resampled_dates(
        len(table.dates),
        draws=chosen.bootstrap_draws,
        block=chosen.bootstrap_block,
        seed=settings.seed,
    )
    scores = {key: score_dates(table.sample(key), context) for key in track(table.keys, "evaluate")}
    folds = table.folds()
    return Evaluation(
        metrics=[
            metrics_of(key, scores[key], weights, table, settings.periods_per_year)
            for key in table.keys
        ],
        fold_metrics=_stacked([fold_metrics_of(key, scores[key], folds) for key in table.keys]),
        differences=_differences(table, scores, weights, context),
        portfolios=_stacked([portfolios_of(key, scores[key], table) for key in table.keys]),
        truth={"known": False},
    )


def _context(table: Predictions, panel: Panel, settings: Settings) -> Context:
    place = pd.Index(panel.dates).get_indexer(pd.Index(table.dates))
    market_equity = np.where((place >= 0)[:, None], panel.dense(panel.market_equity)[place], np.nan)
    return Context(
        characteristics=Characteristics.of(panel, table.dates),
        market_equity=market_equity,
        quantile=settings.evaluation.quantile,
        periods_per_year=settings.periods_per_year,
    )


def _differences(
    table: Predictions, scores: dict[ModelKey, DateScores], weights: Matrix, context: Context
) -> pd.DataFrame:
    rows = []
    for a, b in track(pairs(table.keys), "compare"):
        one, other = table.sample(a), table.sample(b)
        if one.covers_as(other):
            both = scores[a], scores[b]
        else:
            both = (
                score_dates(one.restricted(other), context),
                score_dates(other.restricted(one), context),
            )
        rows.append(compare((a, b), both, weights, context.periods_per_year))
    return _stacked(rows) if rows else pd.DataFrame(columns=list(DIFFERENCE_COLUMNS))


def _with_truth(
    found: Evaluation, predictions: pd.DataFrame, results: Path, truth: Path | None
) -> Evaluation:
    if truth is None or not (truth / "betas.parquet").exists():
        return found
    true_betas = pd.read_parquet(truth / "betas.parquet")
    true_factors = pd.read_parquet(truth / "factors.parquet")
    models = recovered_truth(
        pd.read_parquet(results / "betas.parquet"),
        pd.read_parquet(results / "factors.parquet"),
        true_betas,
        true_factors,
    )
    by_key = {(record["model"], record["n_factors"]): record for record in models}
    metrics = [
        record | _beta_correlations(by_key.get((record["model"], record["n_factors"])))
        for record in found.metrics
    ]
    oracle = oracle_r_squared(predictions, true_betas, true_factors)
    return replace(
        found,
        metrics=metrics,
        truth=plain({"known": True, "oracle_total_r2": oracle, "models": models}),
    )


def _beta_correlations(recovered: dict[str, Any] | None) -> dict[str, float | None]:
    if recovered is None:
        return {}
    correlations = np.array(recovered["beta_correlation"])
    named = {f"beta_correlation_{k + 1}": plain(float(r)) for k, r in enumerate(correlations)}
    return named | {"beta_correlation_mean": plain(float(correlations.mean()))}


def _history(path: Path | None) -> pd.DataFrame:
    if path is not None and path.exists():
        return pd.read_parquet(path)
    columns = ["model", "n_factors", "epoch", "training_loss", "validation_loss"]
    return pd.DataFrame(columns=columns)


def _stacked(tables: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True)
