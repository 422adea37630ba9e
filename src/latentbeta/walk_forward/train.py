"""The training stage: every model of the ladder over every fold of the panel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from latentbeta.config import Settings
from latentbeta.models.ladder import ladder
from latentbeta.panel.files import read_panel
from latentbeta.progress import counting
from latentbeta.storage import folder_written_atomically, undo_killed_write
from latentbeta.walk_forward.fold_store import FoldStore
from latentbeta.walk_forward.folds import fold_table, make_folds
from latentbeta.walk_forward.jobs import Job, open_jobs
from latentbeta.walk_forward.loop import ModelRun, run_model
from latentbeta.walk_forward.obstacles import without_obstacles
from latentbeta.walk_forward.outputs import export_newest, write_results, write_training


def train(
    *,
    settings: Settings,
    panel_folder: Path,
    store: Path,
    results: Path,
    training: Path,
    fit_ahead: Callable[[list[Job]], None] | None = None,
    on_run: Callable[[ModelRun, Path], None] | None = None,
) -> list[ModelRun]:
    """Run the ladder walk-forward and write its results.

    Parameters
    ----------
    panel_folder : with panel.parquet
    store : folder of finished fits; a killed run picks up there
    results, training : folders to write to
    fit_ahead : runs jobs side by side, each with `run_job`; None: they are fitted here, in turn
    on_run : is given each model once it is done, and the folder of its newest fold's model, which
        lies there until the call returns

    Raises
    ------
    SettingsError
        When a model is unknown or the panel is too short for one fold.
    ModelError
        When a model cannot be estimated, or none can exist on this panel.
    """
    panel = read_panel(panel_folder)
    folds = make_folds(panel.n_dates, settings.walk_forward)
    first = panel.between(folds[0].train_start, folds[0].validation_end)
    models, left_out = without_obstacles(ladder(settings.models, settings.seed), first)
    finished = FoldStore(store)
    if fit_ahead is not None:
        fit_ahead(open_jobs(models, panel, folds, finished, settings.execution.workers))
    runs = []
    undo_killed_write(training / "models")  # a killed training's would be kept with the results
    with folder_written_atomically(training / "models") as exported:
        with counting("train", len(models) * len(folds)) as advance:
            for model in models:
                run = run_model(model, panel, folds, finished, on_fold=advance)
                place = export_newest(run, panel, exported)
                if on_run is not None:
                    on_run(run, place)
                runs.append(run)
        write_results(runs, fold_table(folds, panel.dates, settings.walk_forward.embargo), results)
        write_training(runs, left_out, panel, training)
    return runs
