"""Pooled and per-fold measures, and the report, onto the runs of the training they measure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from latentbeta.config import Settings
from latentbeta.storage import content_hash, read_json
from latentbeta.tracking.files import ProjectFiles
from latentbeta.tracking.model_runs import Measurement, log_measurements
from latentbeta.tracking.replay import Runs, ensure_training
from latentbeta.tracking.store import Store, open_store

FOLD_COLUMNS = ("model", "n_factors", "fold", "first_date", "last_date")
KEY_FIGURES = ("total_r2", "predictive_r2", "ic", "long_short_sharpe")
EVALUATION_HASH, REPORT_HASH = "evaluation.hash", "report.hash"


def record_evaluation(project: Path, settings: Settings) -> Runs:
    """Log the pooled out-of-sample measures of metrics.json onto each model's run.

    The fold measures go beside them with the fold as the step, and the best of each key figure
    onto the parent. Recording the same evaluation again changes nothing.
    """
    store = open_store(project)
    runs = ensure_training(store, settings)
    _record_evaluation(store, runs)
    return runs


def _record_evaluation(store: Store, runs: Runs) -> None:
    files = ProjectFiles(store.project)
    digest = _evaluation_hash(files)
    if _tag(store, runs.parent, EVALUATION_HASH) == digest:
        return
    metrics = read_json(files.results / "metrics.json")
    folds = pd.read_parquet(files.evaluation / "fold_metrics.parquet")
    for record in metrics:
        key = str(record["model"]), int(record["n_factors"])
        if key not in runs.children:
            continue
        mine = folds[(folds["model"] == key[0]) & (folds["n_factors"] == key[1])]
        log_measurements(store, runs.children[key], pooled_measures(record) + fold_measures(mine))
    log_measurements(store, runs.parent, best_figures(metrics))
    store.client.log_artifact(runs.parent, str(files.results / "metrics.json"), "tables")
    store.client.log_artifacts(runs.parent, str(files.evaluation), "evaluation")
    store.client.set_tag(runs.parent, EVALUATION_HASH, digest)


def record_report(project: Path, settings: Settings) -> Runs:
    """Log the HTML report and its figures onto the parent run."""
    store = open_store(project)
    runs = ensure_training(store, settings)
    _record_report(store, runs)
    return runs


def _record_report(store: Store, runs: Runs) -> None:
    report = ProjectFiles(store.project).report
    digest = content_hash(report)
    if _tag(store, runs.parent, REPORT_HASH) != digest:
        store.client.log_artifacts(runs.parent, str(report), "report")
        store.client.set_tag(runs.parent, REPORT_HASH, digest)


def ensure_recorded(project: Path, settings: Settings) -> Runs | None:
    """Make sure that the results that lie in the project have their runs, whole.

    Results that came out of DVC's cache, and results whose store is gone, were recorded by no
    process of this checkout; they are recorded now, from the files. Nothing happens when all is
    there; None when there are no results.
    """
    files = ProjectFiles(project)
    if not files.runs.exists() or not (files.results / "predictions.parquet").exists():
        return None
    store = open_store(project)
    runs = ensure_training(store, settings)
    if (files.results / "metrics.json").exists() and files.evaluation.exists():
        _record_evaluation(store, runs)
    if files.report.exists():
        _record_report(store, runs)
    lock = files.project / "dvc.lock"
    if lock.exists():  # only now does it name this training's outputs
        store.client.set_tag(runs.parent, "dvc.lock.hash", content_hash(lock))
    return runs


def pooled_measures(record: Mapping[str, Any]) -> list[Measurement]:
    """Return the numbers of one object of metrics.json, none for measures that do not exist.

    The ends of the intervals are left out: they would double the list, and are in the file.
    """
    return [
        (name, float(value), 0)
        for name, value in record.items()
        if isinstance(value, int | float)
        and not isinstance(value, bool)
        and name != "n_factors"
        and not name.endswith(("_low", "_high"))
    ]


def fold_measures(folds: pd.DataFrame) -> list[Measurement]:
    """Return one model's measures by fold: the fold is the step."""
    return [
        (f"fold/{name}", float(value), int(fold))
        for name in folds.columns.difference(list(FOLD_COLUMNS))
        for fold, value in zip(folds["fold"], folds[name], strict=True)
    ]


def best_figures(metrics: list[dict[str, Any]]) -> list[Measurement]:
    """Return the best of each key figure over the models."""
    known = {
        name: [float(r[name]) for r in metrics if r.get(name) is not None] for name in KEY_FIGURES
    }
    return [(f"best/{name}", max(values), 0) for name, values in known.items() if values]


def _evaluation_hash(files: ProjectFiles) -> str:
    parts = [content_hash(files.results / "metrics.json"), content_hash(files.evaluation)]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _tag(store: Store, run_id: str, name: str) -> str | None:
    value: str | None = store.client.get_run(run_id).data.tags.get(name)
    return value
