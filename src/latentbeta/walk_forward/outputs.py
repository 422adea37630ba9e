"""What training leaves behind: the tables of results, and the newest fold's models."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from latentbeta.panel.panel import Panel
from latentbeta.storage import write_json, write_parquet
from latentbeta.walk_forward.interpretation import beta_functions
from latentbeta.walk_forward.loop import ModelRun, labelled
from latentbeta.walk_forward.obstacles import LeftOut

RESULT_TABLES = ("predictions", "betas", "factors")
TRAINING_TABLES = ("history", "selection", "importance")


def write_results(runs: list[ModelRun], folds: pd.DataFrame, folder: Path) -> None:
    """Write predictions, betas, factors and folds; models with fewer factors leave gaps."""
    for name in RESULT_TABLES:
        write_parquet(_joined([getattr(run, name) for run in runs]), folder / f"{name}.parquet")
    write_parquet(folds, folder / "folds.parquet")


def write_training(
    runs: list[ModelRun], left_out: list[LeftOut], panel: Panel, folder: Path
) -> None:
    """Write loss curves, choices, importance, beta functions, and who was left out."""
    for name in TRAINING_TABLES:
        write_parquet(_joined([getattr(run, name) for run in runs]), folder / f"{name}.parquet")
    functions = [_beta_functions(run, panel) for run in runs]
    write_parquet(_joined(functions), folder / "beta_functions.parquet")
    write_json([asdict(each) for each in left_out], folder / "left_out.json")


def export_newest(run: ModelRun, panel: Panel, models: Path) -> Path:
    """Write the newest fold's model into a folder of its own among the models', and return it."""
    place = models / f"{run.model.name}_{run.model.n_factors}"
    newest = run.last_estimates
    run.model.export(run.last_fit.state, newest.rotations, newest.newest_premia, place)
    write_json(_about(run, panel), place / "about.json")
    return place


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Stack tables, with the columns in the order of the one that has the most factors."""
    widest = max(tables, key=lambda table: len(table.columns))
    stacked = pd.concat([t for t in tables if len(t)] or tables[:1], ignore_index=True)
    return stacked[[name for name in widest.columns if name in stacked.columns]]


def _beta_functions(run: ModelRun, panel: Panel) -> pd.DataFrame:
    model, rotations = run.model, run.last_estimates.rotations
    table = beta_functions(model, run.last_fit.state, rotations, panel)
    return labelled(table, {"model": model.name, "n_factors": model.n_factors})


def _about(run: ModelRun, panel: Panel) -> dict[str, object]:
    """Describe a published model: enough to apply it to tomorrow's characteristics."""
    estimates = run.last_estimates
    return {
        "model": run.model.name,
        "n_factors": run.model.n_factors,
        "settings": repr(run.model),
        "fold": len(run.keys) - 1,
        "fit_key": run.keys[-1],
        "characteristics": list(panel.characteristic_names),
        "date": str(np.datetime64(estimates.panel.dates[-1], "D")),
        "premia": [float(premium) for premium in estimates.premia[-1]],
        "hash": _weights_hash(run),
    }


def _weights_hash(run: ModelRun) -> str:
    """Name what the model says: its fit and the basis it is published in."""
    digest = hashlib.sha256(run.keys[-1].encode())
    digest.update(run.last_estimates.rotations.tobytes())
    return digest.hexdigest()
