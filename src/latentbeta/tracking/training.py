"""One parent run a training, one child a model, recorded from saved files alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from latentbeta.config import Settings
from latentbeta.tracking import lineage
from latentbeta.tracking.files import ProjectFiles
from latentbeta.tracking.model_runs import (
    CURVES,
    TABLES,
    Key,
    lay_out,
    log_dataset,
    log_parameters,
    record_models,
)
from latentbeta.tracking.store import EXPERIMENT, Store, open_store


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
    return _end(store, "KILLED", "attributes.status = 'RUNNING'")


def fail_training(project: Path, parent: str) -> None:
    """End the run of a training that stopped with an error, and those of its models."""
    store = open_store(project)
    store.client.set_terminated(parent, status="FAILED")
    _end(store, "FAILED", f"tags.`mlflow.parentRunId` = '{parent}'")


def record_training(project: Path, settings: Settings, parent: str) -> dict[str, Any]:
    """Record the saved results of a training, every model's and its own, and end its runs.

    Parameters
    ----------
    parent : str
        From `start_training`.

    Returns
    -------
    dict
        As `finish_training`.
    """
    folders = _laid_out(ProjectFiles(project))
    children = record_models(project, settings, parent, folders)
    return finish_training(project, settings, parent, children)


def finish_training(
    project: Path, settings: Settings, parent: str, children: Mapping[Key, str]
) -> dict[str, Any]:
    """Record what a training saved beside its models, and end its runs.

    Parameters
    ----------
    parent : str
        From `start_training`.
    children : dict of (model, factor count) to run id
        From `record_models`.

    Returns
    -------
    dict
        What runs.json holds: ``experiment``, ``parent`` and ``children``, a list of ``model``,
        ``n_factors`` and ``run_id``.
    """
    store, files = open_store(project), ProjectFiles(project)
    tags = lineage.lineage_tags(files, settings)
    _set_tags(store, parent, tags)
    log_dataset(store, parent, files, tags)
    _log_files(store, parent, files)
    store.client.log_metric(parent, "n_models", len(children))
    for run_id in children.values():
        _set_tags(store, run_id, tags)
    for run_id in (*children.values(), parent):
        store.client.set_terminated(run_id, status="FINISHED")
    listed = [{"model": m, "n_factors": k, "run_id": run_id} for (m, k), run_id in children.items()]
    return {"experiment": EXPERIMENT, "parent": parent, "children": listed}


def model_keys(table: pd.DataFrame) -> list[Key]:
    """Return the (model, factor count) pairs of a results table, in its order."""
    pairs = table[["model", "n_factors"]].drop_duplicates()
    return [(str(m), int(k)) for m, k in zip(pairs["model"], pairs["n_factors"], strict=True)]


def _laid_out(files: ProjectFiles) -> Iterator[tuple[Key, Path]]:
    """Give each model's part of the saved results in a folder of its own."""
    tables = {name: pd.read_parquet(files.results / f"{name}.parquet") for name in TABLES}
    tables |= {
        name: pd.read_parquet(files.training / f"{name}.parquet")
        for name in CURVES
        if (files.training / f"{name}.parquet").exists()
    }
    for key in model_keys(tables["predictions"]):
        mine = {name: _of_model(table, key) for name, table in tables.items()}
        with TemporaryDirectory() as name:
            lay_out(mine, files.training / "models" / f"{key[0]}_{key[1]}", Path(name))
            yield key, Path(name)


def _of_model(table: pd.DataFrame, key: Key) -> pd.DataFrame:
    """Keep one model's rows, and of the factor columns those that it has."""
    rows = table[(table["model"] == key[0]) & (table["n_factors"] == key[1])]
    unused = [
        name
        for name in rows.columns
        if name.startswith(("factor_", "premium_")) and int(name.rpartition("_")[2]) > key[1]
    ]
    return rows.drop(columns=unused).reset_index(drop=True)


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


def _end(store: Store, status: str, which: str) -> list[str]:
    runs = store.client.search_runs([store.experiment_id], filter_string=which)
    for run in runs:
        store.client.set_terminated(run.info.run_id, status=status)
    return [run.info.run_id for run in runs]
