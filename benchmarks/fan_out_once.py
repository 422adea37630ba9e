"""One way to fit eight folds, timed: `python -m benchmarks.fan_out_once LOAD WAY FOLDER`.

Ways: one (this process), two (workers started for it), ready (workers whose imports are done, as
in a whole run), start (two without anything to fit).
"""

from __future__ import annotations

import gc
import hashlib
import multiprocessing
import sys
import time
from pathlib import Path

import keras  # noqa: F401  # the stage has these imported when fits begin
import numpy as np
import pandas as pd
import prefect_dask.task_runners  # noqa: F401
from flows.api import one_api
from flows.fan_out import fit_side_by_side, import_for_workers
from prefect import flow

from benchmarks.fan_out_loads import LOADS, N_CHARACTERISTICS, N_FOLDS, N_SEEDS, Load
from benchmarks.market import factor_panel
from latentbeta.config import ExecutionSettings, WalkForwardSettings, read_settings
from latentbeta.models.ladder import ladder
from latentbeta.panel.files import PANEL_FILE, SUMMARY_FILE, read_panel
from latentbeta.panel.panel import Panel
from latentbeta.panel.ranks import IDENTITY, RANKS_FILE, identity, write_ranks
from latentbeta.storage import write_json, write_parquet
from latentbeta.walk_forward.fold_store import FoldStore
from latentbeta.walk_forward.folds import make_folds
from latentbeta.walk_forward.jobs import Job, open_jobs, run_job

FOLDS = WalkForwardSettings(scheme="expanding", train=180, validation=24, embargo=1, refit_every=12)
N_DATES = FOLDS.train + FOLDS.validation + FOLDS.embargo + N_FOLDS * FOLDS.refit_every


@flow(name="benchmark", validate_parameters=False)  # the stage asks for fits within a flow too
def main(load: Load, way: str, folder: Path) -> None:
    """Write a panel, fit its folds one way, and answer with the seconds and the fits' digest."""
    panel_folder, store = folder / "panel", folder / "fits"
    write_panel(factor_panel(N_DATES, load.n_assets, N_CHARACTERISTICS), panel_folder)
    jobs = prepared(load, panel_folder, store, n_workers=1 if way == "one" else 2)
    if way == "start":
        jobs = [Job(job.model, ()) for job in jobs]
    if way == "ready":
        stand_ready()
    fit = alone if way == "one" else side_by_side
    begun = time.perf_counter()
    fit(jobs, panel_folder, store)
    seconds = time.perf_counter() - begun
    write_json({"seconds": seconds, "digest": digest_of(store)}, folder / "answer.json")


def prepared(load: Load, panel_folder: Path, store: Path, n_workers: int) -> list[Job]:
    """Return what there is to fit, split as the stage splits it."""
    settings = read_settings()
    networks = settings.models.networks.model_copy(update={"l1_penalties": load.penalties})
    ca1 = {"names": ["ca1"], "n_factors": [3], "n_seeds": N_SEEDS, "networks": networks}
    chosen = settings.models.model_copy(update=ca1)
    folds = make_folds(N_DATES, FOLDS)
    if len(folds) != N_FOLDS:
        raise AssertionError(f"{len(folds)} folds")
    models = ladder(chosen, settings.seed)
    return open_jobs(models, read_panel(panel_folder), folds, FoldStore(store), n_workers)


def alone(jobs: list[Job], panel_folder: Path, store: Path) -> None:
    """Fit in this process, one job after another."""
    for job in jobs:
        run_job(job, panel_folder, store)


def side_by_side(jobs: list[Job], panel_folder: Path, store: Path) -> None:
    """Fit as the stage does with `execution.workers` two."""
    two = ExecutionSettings(workers=2, scheduler=None)
    fit_side_by_side(jobs, two, panel_folder, store, lambda _: None)


def stand_ready() -> None:
    """Have the workers' imports done, as a whole run has by the time that it trains."""
    import_for_workers()
    first = multiprocessing.get_context("forkserver").Process(target=int)
    first.start()
    first.join()


def digest_of(store: Path) -> str:
    """Hash the fits, whatever their files are called."""
    contents = sorted(hashlib.sha256(file.read_bytes()).digest() for file in store.glob("*.npz"))
    return hashlib.sha256(b"".join(contents)).hexdigest()


def write_panel(panel: Panel, folder: Path) -> None:
    """Write the panel as the stage characteristics leaves it, with ranks to be mapped."""
    dates = panel.dates[panel.date_index]
    table = pd.DataFrame(
        {
            "date": dates,
            "formation": dates - np.timedelta64(31, "D"),
            "asset": pd.array(panel.assets[panel.asset_index], dtype="str"),
            "return": panel.R,
            "market_equity": panel.market_equity,
        }
        | {name: panel.Z[:, p] for p, name in enumerate(panel.characteristic_names)}
    )
    file, ranks = folder / PANEL_FILE, folder / RANKS_FILE
    write_parquet(table, file)
    write_ranks(panel.Z, ranks)
    write_json({IDENTITY: identity(file, ranks)}, folder / SUMMARY_FILE)


if __name__ == "__main__":
    gc.freeze()  # the stage has its imports off the collector's list
    with one_api():
        main(LOADS[sys.argv[1]], sys.argv[2], Path(sys.argv[3]))
