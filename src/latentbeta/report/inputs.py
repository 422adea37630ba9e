"""What the report is made from; all but the results themselves may be absent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from latentbeta.errors import DataError
from latentbeta.evaluation.ladder import ModelKey
from latentbeta.storage import content_hash, read_json

Record = dict[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportInputs:
    """Saved results, read once. None, or an empty table, where a stage left nothing.

    Attributes
    ----------
    metrics : list of dict
        In the order of the ladder.
    differences, portfolios, folds, betas, factors, history, selection, fold_metrics : DataFrame
    truth : dict
    prices_summary, panel_summary, validation : dict or None
    hashes : dict
        Name of an input to the SHA-256 of its content.
    """

    metrics: list[Record]
    differences: pd.DataFrame
    portfolios: pd.DataFrame
    fold_metrics: pd.DataFrame
    folds: pd.DataFrame
    betas: pd.DataFrame
    factors: pd.DataFrame
    history: pd.DataFrame
    selection: pd.DataFrame
    truth: Record
    prices_summary: Record | None
    panel_summary: Record | None
    validation: Record | None
    hashes: dict[str, str]

    def of_model(self, table: str, key: ModelKey) -> pd.DataFrame:
        """Return the rows of one model in one of the tables."""
        rows: pd.DataFrame = getattr(self, table)
        if rows.empty:
            return rows
        return rows[(rows["model"] == key.model) & (rows["n_factors"] == key.n_factors)]

    def record(self, key: ModelKey) -> Record | None:
        """Return one model's measures, None when it was not evaluated."""
        found = (r for r in self.metrics if (r["model"], r["n_factors"]) == key)
        return next(found, None)


def read_inputs(data: Path) -> ReportInputs:
    """Read what the stages left in the data folder.

    Raises
    ------
    DataError
        When there are no measures to report: the stage evaluate has not been run.
    """
    results, evaluation, training = data / "results", data / "evaluation", data / "training"
    if not (results / "metrics.json").exists():
        raise DataError(f"{results / 'metrics.json'}: no such file; run the stage evaluate first")
    return ReportInputs(
        metrics=read_json(results / "metrics.json"),
        differences=_table(evaluation / "differences.parquet"),
        portfolios=_table(evaluation / "portfolios.parquet"),
        fold_metrics=_table(evaluation / "fold_metrics.parquet"),
        folds=_table(results / "folds.parquet"),
        betas=_table(results / "betas.parquet"),
        factors=_table(results / "factors.parquet"),
        history=_table(training / "history.parquet"),
        selection=_table(training / "selection.parquet"),
        truth=_document(evaluation / "truth.json") or {"known": False},
        prices_summary=_document(data / "prices/summary.json"),
        panel_summary=_document(data / "panel/summary.json"),
        validation=_document(data / "validation/result.json"),
        hashes=_hashes(data),
    )


def _table(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path) if path.exists() else pd.DataFrame()


def _document(path: Path) -> Any:
    return read_json(path) if path.exists() else None


def _hashes(data: Path) -> dict[str, str]:
    files = (
        "prices/prices.parquet",
        "panel/panel.parquet",
        "results/folds.parquet",
        "results/predictions.parquet",
        "results/betas.parquet",
        "results/factors.parquet",
        "results/metrics.json",
    )
    return {name: content_hash(data / name) for name in files if (data / name).exists()}
