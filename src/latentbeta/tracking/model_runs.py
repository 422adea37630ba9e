"""One run a model: its tables, losses, choices and fitted model, from a folder of its own."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from latentbeta.config import Settings
from latentbeta.storage import write_parquet
from latentbeta.tracking import fitted, lineage
from latentbeta.tracking.files import ProjectFiles
from latentbeta.tracking.store import Store, open_store

TABLES = ("predictions", "betas", "factors")
CURVES = ("history", "selection")
PARAMETERS_A_REQUEST, METRICS_A_REQUEST = 100, 1000
DIGEST_LENGTH = 32  # the store takes at most 36 characters

Key = tuple[str, int]  # model, factor count
Measurement = tuple[str, float, int]  # name, value, step


def lay_out(tables: Mapping[str, pd.DataFrame], exported: Path, folder: Path) -> None:
    """Put one model's results into a folder of its own, as `record_models` reads it.

    Parameters
    ----------
    tables : predictions, betas, factors and, of models that have them, history and selection
    exported : folder of its newest fold's model, which need not exist
    folder : to write to
    """
    for name, table in tables.items():
        write_parquet(table, folder / ("tables" if name in TABLES else "") / f"{name}.parquet")
    if exported.exists():
        shutil.copytree(exported, folder / fitted.FOLDER)


def record_models(
    project: Path, settings: Settings, parent: str, folders: Iterable[tuple[Key, Path]]
) -> dict[Key, str]:
    """Record models as they come, each from its folder, and leave their runs open.

    Parameters
    ----------
    parent : str
        From `start_training`; `finish_training` ends the models' runs with it.
    folders : of `lay_out`
    """
    store, files = open_store(project), ProjectFiles(project)
    tags = lineage.lineage_tags(files, settings)
    tags.pop("folds.hash", None)  # of the training before, where this one's are not written yet
    tags |= {"mlflow.parentRunId": parent}
    return {key: _record(store, files, settings, tags, key, folder) for key, folder in folders}


def loss_curves(history: pd.DataFrame) -> list[Measurement]:
    """Return one model's losses by epoch, a metric a fold and sample, the mean over members.

    Members that stopped before an epoch have no loss there and are left out of its mean.
    """
    means = history.groupby(["fold", "epoch"], as_index=False)[
        ["training_loss", "validation_loss"]
    ].mean()
    return [
        (f"loss/{sample}/fold_{int(fold):02d}", float(loss), int(epoch))
        for sample in ("training", "validation")
        for fold, epoch, loss in zip(
            means["fold"], means["epoch"], means[f"{sample}_loss"], strict=True
        )
    ]


def chosen_on_validation(selection: pd.DataFrame) -> list[Measurement]:
    """Return what validation chose for one model a fold, and its loss; the mean over members."""
    names = ["best_epoch", "validation_loss", "l1_penalty", "learning_rate"]
    means = selection.groupby("fold", as_index=False)[names].mean()
    return [
        (f"fold/{name}", float(value), int(fold))
        for name in names
        for fold, value in zip(means["fold"], means[name], strict=True)
    ]


def log_measurements(store: Store, run_id: str, measurements: Iterable[Measurement]) -> None:
    """Log metrics in as few requests as the store takes; values that do not exist are left out."""
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    metrics = [Metric(n, v, now, step) for n, v, step in measurements if np.isfinite(v)]
    for batch in _batches(metrics, METRICS_A_REQUEST):
        store.client.log_batch(run_id, metrics=batch)


def log_parameters(store: Store, run_id: str, parameters: Mapping[str, str]) -> None:
    """Log parameters in as few requests as the store takes."""
    from mlflow.entities import Param

    entities = [Param(name, value) for name, value in parameters.items()]
    for batch in _batches(entities, PARAMETERS_A_REQUEST):
        store.client.log_batch(run_id, params=batch)


def _record(
    store: Store,
    files: ProjectFiles,
    settings: Settings,
    tags: Mapping[str, str],
    key: Key,
    folder: Path,
) -> str:
    model, n_factors = key
    run = store.client.create_run(
        store.experiment_id,
        run_name=f"{model} K={n_factors}",
        tags={"kind": "model", "model": model} | dict(tags),
    )
    run_id = str(run.info.run_id)
    log_parameters(store, run_id, lineage.model_parameters(settings, model, n_factors))
    log_dataset(store, run_id, files, tags)
    store.client.log_artifacts(run_id, str(folder / "tables"), "tables")
    if (folder / fitted.FOLDER / fitted.ABOUT).exists():
        # Before the losses: MLflow would copy those of the first epoch onto the fitted model.
        fitted.log_fitted(store, run_id, folder / fitted.FOLDER)
    log_measurements(store, run_id, _curves(folder))
    return run_id


def _curves(folder: Path) -> list[Measurement]:
    measured: list[Measurement] = []
    for name, measure in zip(CURVES, (loss_curves, chosen_on_validation), strict=True):
        path = folder / f"{name}.parquet"
        measured += measure(pd.read_parquet(path)) if path.exists() else []
    return measured


def log_dataset(store: Store, run_id: str, files: ProjectFiles, tags: Mapping[str, str]) -> None:
    """Name the panel as the run's input by its content hash; MLflow's own digest reads part."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    if "panel.hash" not in tags:
        return
    dataset = Dataset(
        name=f"panel of {tags['data.source']}",
        digest=tags["panel.hash"][:DIGEST_LENGTH],
        source_type="local",
        source=json.dumps({"uri": str(files.panel / "panel.parquet")}),
    )
    context = [InputTag("mlflow.data.context", "walk-forward")]
    store.client.log_inputs(run_id, datasets=[DatasetInput(dataset, context)])


def _batches(items: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
