"""What the report is made from; all but the results themselves may be absent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from latentbeta.data.snapshots.words import restated_notes
from latentbeta.errors import DataError
from latentbeta.evaluation.ladder import ModelKey
from latentbeta.storage import content_hash, read_json

Record = dict[str, Any]
EVALUATED = (
    "differences",
    "portfolios",
    "deciles",
    "pricing_errors",
    "premia",
    "importance",
    "attribution",
)
RESULTS = ("folds", "factors")
TRAINED = ("history", "selection", "beta_functions")


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportInputs:
    """Saved results, read once. None, or an empty table, where a stage left nothing.

    Attributes
    ----------
    metrics : list of dict
        In the order of the ladder.
    differences, portfolios, deciles, pricing_errors, premia, importance, attribution : DataFrame
        From evaluation.
    folds, factors : DataFrame
        From the results.
    betas_file : Path
        By far the largest table: `betas` reads one model's rows of it.
    history, selection, beta_functions : DataFrame
        From training.
    left_out : list of dict
        Models that could not be made of this panel: model, n_factors, reason.
    null : list of dict
        What the models score on returns that were shuffled within each date.
    truth : dict
    prices_summary, panel_summary, validation : dict or None
    history_notes : list of str
        What the snapshots of the source say of its past.
    hashes : dict
        Name of an input to the SHA-256 of its content.
    """

    metrics: list[Record]
    differences: pd.DataFrame
    portfolios: pd.DataFrame
    deciles: pd.DataFrame
    pricing_errors: pd.DataFrame
    premia: pd.DataFrame
    importance: pd.DataFrame
    attribution: pd.DataFrame
    folds: pd.DataFrame
    betas_file: Path
    factors: pd.DataFrame
    history: pd.DataFrame
    selection: pd.DataFrame
    beta_functions: pd.DataFrame
    left_out: list[Record]
    null: list[Record]
    truth: Record
    prices_summary: Record | None
    panel_summary: Record | None
    validation: Record | None
    history_notes: list[str]
    hashes: dict[str, str]

    def of_model(self, table: str, key: ModelKey) -> pd.DataFrame:
        """Return the rows of one model in one of the tables."""
        rows: pd.DataFrame = getattr(self, table)
        if rows.empty:
            return rows
        return rows[(rows["model"] == key.model) & (rows["n_factors"] == key.n_factors)]

    def betas(self, key: ModelKey) -> pd.DataFrame:
        """Read the published betas of one model; empty where there are none."""
        if not self.betas_file.exists():
            return pd.DataFrame()
        return pd.read_parquet(
            self.betas_file,
            filters=[("model", "==", key.model), ("n_factors", "==", key.n_factors)],
        )

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
    summary = _document(data / "prices/summary.json")
    if not (results / "metrics.json").exists():
        raise DataError(f"{results / 'metrics.json'}: no such file; run the stage evaluate first")
    return ReportInputs(
        metrics=read_json(results / "metrics.json"),
        **{name: _table(evaluation / f"{name}.parquet") for name in EVALUATED},
        **{name: _table(results / f"{name}.parquet") for name in RESULTS},
        **{name: _table(training / f"{name}.parquet") for name in TRAINED},
        betas_file=results / "betas.parquet",
        left_out=_document(training / "left_out.json") or [],
        null=_document(data / "evaluation_null/null.json") or [],
        truth=_document(evaluation / "truth.json") or {"known": False},
        prices_summary=summary,
        panel_summary=_document(data / "panel/summary.json"),
        validation=_document(data / "validation/result.json"),
        history_notes=restated_notes(data / "snapshots", (summary or {}).get("source", "")),
        hashes=_hashes(data),
    )


def _table(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path) if path.exists() else pd.DataFrame()


def _document(path: Path) -> Any:
    return read_json(path) if path.exists() else None


def _hashes(data: Path) -> dict[str, str]:
    files = (
        "prices/prices.parquet",
        "prices/given_panel.parquet",
        "panel/panel.parquet",
        "results/folds.parquet",
        "results/predictions.parquet",
        "results/betas.parquet",
        "results/factors.parquet",
        "results/metrics.json",
    )
    return {name: content_hash(data / name) for name in files if (data / name).exists()}
