"""What `latentbeta null` does: shuffle, run the walk-forward, measure, show and write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console

from latentbeta.config import Settings, factor_counts
from latentbeta.models.ladder import ladder
from latentbeta.models.protocol import FactorModel
from latentbeta.panel.files import read_panel
from latentbeta.panel.panel import Panel
from latentbeta.permutation.measure import Score, null_scores, record
from latentbeta.permutation.shuffle import shuffled
from latentbeta.permutation.table import null_table
from latentbeta.progress import counting, say
from latentbeta.storage import write_json
from latentbeta.walk_forward.fold_store import FoldStore
from latentbeta.walk_forward.folds import make_folds
from latentbeta.walk_forward.loop import run_model
from latentbeta.walk_forward.obstacles import without_obstacles

NULL_FILE = "null.json"


def permutation_null(
    settings: Settings, *, panel_folder: Path, store: Path, output: Path, repetitions: int
) -> list[dict[str, Any]]:
    """Run every model on shuffled returns, and write how far from zero its forecasts score.

    Parameters
    ----------
    panel_folder : with panel.parquet
    store : folder of finished fits; a stopped run goes on there
    output : folder that gets null.json
    repetitions : shuffles, each of its own seed; the scores are averaged over them

    Returns
    -------
    list of dict
        What null.json holds: model, n_factors, repetitions, each measure with its ``_se``, and
        ``within``, whether gain, IC and rank IC are within two standard errors of zero.

    Raises
    ------
    SettingsError, ModelError
        As `latentbeta.walk_forward.train` does.
    """
    panel = read_panel(panel_folder)
    folds = make_folds(panel.n_dates, settings.walk_forward)
    first = panel.between(folds[0].train_start, folds[0].validation_end)
    models, _ = without_obstacles(ladder(settings.models, settings.seed), first)
    seeds = [settings.seed + 1 + repetition for repetition in range(repetitions)]
    shuffles = [shuffled(panel, seed) for seed in seeds]
    with counting("null", len(models) * len(shuffles) * len(folds)) as advance:

        def scores(model: FactorModel, panel: Panel) -> dict[str, Score]:
            run = run_model(model, panel, folds, FoldStore(store), on_fold=advance)
            return null_scores(run.predictions, panel.assets, settings.evaluation, settings.seed)

        records = [
            record(model.name, model.n_factors, [scores(model, panel) for panel in shuffles])
            for model in models
        ]
    write_json(records, output / NULL_FILE)
    return records


def show(records: list[dict[str, Any]]) -> None:
    """Print the table, and how many models pass."""
    Console().print(null_table(records))
    near = sum(each["within"] for each in records)
    say(
        f"{near} of {len(records)} models are within two standard errors of zero in gain, IC and"
        " rank IC; by chance about one number in twenty is not"
    )


def chosen(settings: Settings, models: str | None, n_factors: str | None) -> Settings:
    """Return the settings with the models and numbers of factors of two lists, where given.

    Raises
    ------
    SettingsError
        When a number of factors is not one.
    """
    changes: dict[str, Any] = {}
    if models is not None:
        changes["names"] = tuple(models.split(","))
    if n_factors is not None:
        changes["n_factors"] = factor_counts(n_factors)
    return settings.model_copy(update={"models": settings.models.model_copy(update=changes)})
