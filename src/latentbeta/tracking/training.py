"""One parent run a training, one child a model, recorded from saved files alone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from latentbeta.config import Settings
from latentbeta.storage import write_parquet
from latentbeta.tracking import fitted, lineage
from latentbeta.tracking.files import ProjectFiles
from latentbeta.tracking.store import EXPERIMENT, Store, open_store

TABLES = ("predictions", "betas", "factors")
PARAMETERS_A_REQUEST, METRICS_A_REQUEST = 100, 1000
DIGEST_LENGTH = 32  # the store takes at most 36 characters

Measurement = tuple[str, float, int]  # name, value, step


def start_training(
    project: Path, settings: Settings, *, tags: Mapping[str, str] | None = None
) -> str:
    """Open the parent run of a training and return its id.

    Only one training of a project runs at a time, so a run that still says it is running was
    killed; it is ended as such.

    Parameters
    ----------
    tags : mapping of str to str
        Further tags, such as ``prefect.flow_run_id``.
    """
    store = open_store(project)
    end_dead_runs(store)
    files = ProjectFiles(project)
    source, until = settings.data.path.name, lineage.last_date(files)
    parent = store.client.create_run(
        store.experiment_id,
        run_name=f"training on {source} to {until or 'now'}",
        tags={"kind": "training"} | lineage.lineage_tags(files, settings) | dict(tags or {}),
    )
    run_id = str(parent.info.run_id)
    log_parameters(store, run_id, lineage.flat_parameters(settings))
    return run_id


def end_dead_runs(store: Store) -> list[str]:
    """End every run that a killed process left running, and return their ids."""
    running = store.client.search_runs(
        [store.experiment_id], filter_string="attributes.status = 'RUNNING'"
    )
    for run in running:
        store.client.set_terminated(run.info.run_id, status="KILLED")
    return [run.info.run_id for run in running]


def fail_training(project: Path, parent: str) -> None:
    """End the parent run of a training that stopped with an error."""
    open_store(project).client.set_terminated(parent, status="FAILED")


def record_training(project: Path, settings: Settings, parent: str) -> dict[str, Any]:
    """Record the saved results of a training under its parent run.

    Parameters
    ----------
    parent : str
        From `start_training`.

    Returns
    -------
    dict
        What runs.json holds: ``experiment``, ``parent`` and ``children``, a list of ``model``,
        ``n_factors`` and ``run_id``.
    """
    store, files = open_store(project), ProjectFiles(project)
    tables = {name: pd.read_parquet(files.results / f"{name}.parquet") for name in TABLES}
    tables |= {
        name: pd.read_parquet(files.training / f"{name}.parquet")
        for name in ("history", "selection")
        if (files.training / f"{name}.parquet").exists()
    }
    tags = lineage.lineage_tags(files, settings)
    _set_tags(store, parent, tags)
    _log_dataset(store, parent, files, tags)
    _log_files(store, parent, files)
    tags |= {"mlflow.parentRunId": parent}
    children = [
        {
            "model": model,
            "n_factors": n_factors,
            "run_id": _record_model(store, files, settings, tags, (model, n_factors), tables),
        }
        for model, n_factors in model_keys(tables["predictions"])
    ]
    store.client.log_metric(parent, "n_models", len(children))
    store.client.set_terminated(parent, status="FINISHED")
    return {"experiment": EXPERIMENT, "parent": parent, "children": children}


def model_keys(table: pd.DataFrame) -> list[tuple[str, int]]:
    """Return the (model, factor count) pairs of a results table, in its order."""
    pairs = table[["model", "n_factors"]].drop_duplicates()
    return [(str(m), int(k)) for m, k in zip(pairs["model"], pairs["n_factors"], strict=True)]


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


def _record_model(
    store: Store,
    files: ProjectFiles,
    settings: Settings,
    tags: Mapping[str, str],
    key: tuple[str, int],
    tables: Mapping[str, pd.DataFrame],
) -> str:
    model, n_factors = key
    run = store.client.create_run(
        store.experiment_id,
        run_name=f"{model} K={n_factors}",
        tags={"kind": "model", "model": model} | dict(tags),
    )
    run_id = str(run.info.run_id)
    log_parameters(store, run_id, lineage.model_parameters(settings, model, n_factors))
    mine = {name: _of_model(table, key) for name, table in tables.items()}
    curves = loss_curves(mine["history"]) if "history" in mine else []
    chosen = chosen_on_validation(mine["selection"]) if "selection" in mine else []
    log_measurements(store, run_id, curves + chosen)
    _log_dataset(store, run_id, files, tags)
    _log_tables(store, run_id, {name: mine[name] for name in TABLES})
    folder = files.training / "models" / f"{model}_{n_factors}"
    if (folder / fitted.ABOUT).exists():
        fitted.log_fitted(store, run_id, folder)
    store.client.set_terminated(run_id, status="FINISHED")
    return run_id


def _of_model(table: pd.DataFrame, key: tuple[str, int]) -> pd.DataFrame:
    """Keep one model's rows, and of the factor columns those that it has."""
    rows = table[(table["model"] == key[0]) & (table["n_factors"] == key[1])]
    unused = [
        name
        for name in rows.columns
        if name.startswith(("factor_", "premium_")) and int(name.rpartition("_")[2]) > key[1]
    ]
    return rows.drop(columns=unused).reset_index(drop=True)


def _log_tables(store: Store, run_id: str, tables: Mapping[str, pd.DataFrame]) -> None:
    with TemporaryDirectory() as name:
        for table_name, table in tables.items():
            write_parquet(table, Path(name) / f"{table_name}.parquet")
        store.client.log_artifacts(run_id, name, "tables")


def _log_dataset(store: Store, run_id: str, files: ProjectFiles, tags: Mapping[str, str]) -> None:
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


def _log_files(store: Store, run_id: str, files: ProjectFiles) -> None:
    """Put what describes the data, the folds and the models onto the parent run."""
    for path, folder in (
        (files.results / "folds.parquet", "tables"),
        (files.training / "left_out.json", "tables"),
        (files.training / "beta_functions.parquet", "tables"),
        (files.prices / "summary.json", "data/prices"),
        (files.panel / "summary.json", "data/panel"),
        (files.project / "params.yaml", "settings"),
        (files.project / "dvc.lock", "settings"),
    ):
        if path.exists():
            store.client.log_artifact(run_id, str(path), folder)
    if files.validation.exists():  # the gate's pages, which the report links to
        store.client.log_artifacts(run_id, str(files.validation), "validation")


def _set_tags(store: Store, run_id: str, tags: Mapping[str, str]) -> None:
    from mlflow.entities import RunTag

    store.client.log_batch(run_id, tags=[RunTag(name, value) for name, value in tags.items()])


def _batches(items: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
