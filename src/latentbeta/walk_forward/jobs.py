"""Fits as independent jobs: processes, or machines, share them through the fold store."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from latentbeta.models.protocol import FactorModel, Fit
from latentbeta.panel.files import read_panel
from latentbeta.panel.panel import Panel
from latentbeta.storage import content_hash
from latentbeta.walk_forward.fold_store import FoldStore, fit_key
from latentbeta.walk_forward.folds import Fold

JOBS_PER_WORKER = 4  # enough to even out long and short ones; each new job may compile anew


@dataclass(frozen=True)
class Job:
    """Some folds of one model, to be fitted one after another by one process."""

    model: FactorModel
    folds: tuple[Fold, ...]


def fit_or_find(
    model: FactorModel, panel: Panel, fold: Fold, store: FoldStore
) -> tuple[str, Fit, bool]:
    """Return a fold's key, its fit, and whether it was fitted now rather than found."""
    key = fit_key(model, panel, fold)
    found = store.load(key)
    if found is not None:
        return key, found, False
    training = panel.between(fold.train_start, fold.validation_start)
    validation = panel.between(fold.validation_start, fold.validation_end)
    fit = model.fit(training, validation)
    store.save(key, fit)
    return key, fit, True


def open_jobs(
    models: list[FactorModel], panel: Panel, folds: list[Fold], store: FoldStore, n_workers: int
) -> list[Job]:
    """Return the fits that the store does not have, the largest models first, their last folds too.

    What is long begins early, so that no process waits long for another at the end.

    One model's folds stay together, for they share one compiled program, unless that would
    leave workers without a job.
    """
    n_parts = math.ceil(JOBS_PER_WORKER * n_workers / len(models))
    jobs = []
    for model in reversed(models):  # the ladder goes from quick to slow
        missing = [f for f in folds if not store.path(fit_key(model, panel, f)).exists()]
        size = math.ceil(len(missing) / n_parts)
        parts = [tuple(missing[i : i + size]) for i in range(0, len(missing), max(size, 1))]
        jobs += [Job(model, part) for part in reversed(parts)]  # an expanding sample grows
    return jobs


def run_job(job: Job, panel_folder: Path, store: Path) -> None:
    """Fit a job's folds into the store."""
    panel = _panel(panel_folder, content_hash(panel_folder))
    for fold in job.folds:
        fit_or_find(job.model, panel, fold, FoldStore(store))


@lru_cache(maxsize=1)
def _panel(folder: Path, digest: str) -> Panel:  # noqa: ARG001  # a changed panel is read anew
    return read_panel(folder)
