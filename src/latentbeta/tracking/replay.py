"""Results without runs: finding the runs that results belong to, or recording them anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from latentbeta.config import Settings
from latentbeta.progress import say
from latentbeta.storage import read_json
from latentbeta.tracking.files import ProjectFiles
from latentbeta.tracking.store import Store
from latentbeta.tracking.training import record_training, start_training

REPLAYS = "replays"  # tag: the run id kept with the outputs that this run stands in for


@dataclass(frozen=True)
class Runs:
    """Ids, in this store, of a training's runs.

    Attributes
    ----------
    parent : str
    children : dict of (model, n_factors) to run id
    """

    parent: str
    children: Mapping[tuple[str, int], str]


def ensure_training(store: Store, settings: Settings) -> Runs:
    """Return the runs of the training in the project, recording it anew where the store has none.

    runs.json is an output that DVC versions: it is never rewritten, or the training would count
    as changed and run again. A new recording carries the id it stands in for as a tag instead.
    """
    files = ProjectFiles(store.project)
    content = read_json(files.runs)
    runs = find_runs(store, content)
    if runs is not None:
        return runs
    say("MLflow has no runs of these results (restored from a cache?): recording them from files")
    parent = start_training(store.project, settings, tags={REPLAYS: content["parent"]})
    return runs_of(record_training(store.project, settings, parent))


def find_runs(store: Store, content: Mapping[str, Any]) -> Runs | None:
    """Return the finished runs that the content of a runs.json names, or those in their stead."""
    if _is_whole(store, content):
        return runs_of(content)
    found = store.client.search_runs(
        [store.experiment_id],
        filter_string=f"tags.{REPLAYS} = '{content['parent']}' AND attributes.status = 'FINISHED'",
        order_by=["attributes.start_time DESC"],
        max_results=1,
    )
    if not found:
        return None
    parent = found[0].info.run_id
    children = store.client.search_runs(
        [store.experiment_id], filter_string=f"tags.`mlflow.parentRunId` = '{parent}'"
    )
    keyed = {
        (run.data.params["model"], int(run.data.params["n_factors"])): str(run.info.run_id)
        for run in children
    }
    return Runs(parent=str(parent), children=keyed)


def runs_of(content: Mapping[str, Any]) -> Runs:
    """Read the content of a runs.json."""
    return Runs(
        parent=content["parent"],
        children={(c["model"], int(c["n_factors"])): c["run_id"] for c in content["children"]},
    )


def _is_whole(store: Store, content: Mapping[str, Any]) -> bool:
    """Tell whether every run is in the store, not deleted, and its parent finished."""
    ids = {content["parent"], *(child["run_id"] for child in content["children"])}
    named = ", ".join(f"'{run_id}'" for run_id in ids)
    found = store.client.search_runs(
        [store.experiment_id],
        filter_string=f"attributes.run_id IN ({named})",
        max_results=len(ids),
    )
    statuses = {run.info.run_id: run.info.status for run in found}
    return set(statuses) == ids and statuses[content["parent"]] == "FINISHED"
