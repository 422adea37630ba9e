import shutil

import pytest

from latentbeta.storage import content_hash
from latentbeta.tracking.evaluation import ensure_recorded
from latentbeta.tracking.store import open_store


@pytest.fixture
def restored(project, tmp_path):
    """Return the same outputs in another checkout, as DVC's cache restores them: no store."""
    shutil.copytree(project.folder / "data", tmp_path / "data")
    shutil.copy(project.folder / "params.yaml", tmp_path)
    return tmp_path


def test_results_without_runs_are_recorded_from_their_files_once(project, restored):
    kept = content_hash(restored / "data/training/runs.json")
    first = ensure_recorded(restored, project.settings)
    again = ensure_recorded(restored, project.settings)
    store = open_store(restored)
    assert again == first
    assert first.parent != project.runs["parent"]
    assert len(store.client.search_runs([store.experiment_id])) == 4
    assert content_hash(restored / "data/training/runs.json") == kept  # DVC sees no change

    parent, child = (store.client.get_run(i) for i in (first.parent, first.children["ca1", 3]))
    assert parent.data.tags["replays"] == project.runs["parent"]
    assert parent.data.tags["panel.hash"] == content_hash(restored / "data/panel/panel.parquet")
    assert child.data.metrics["total_r2"] == 2.1
    assert child.outputs.model_outputs
    assert [f.path for f in store.client.list_artifacts(first.parent, "report")] == [
        "report/report.html"
    ]

    store.client.set_terminated(first.parent, status="KILLED")  # as if it had been cut short
    assert ensure_recorded(restored, project.settings).parent != first.parent


def test_runs_that_are_here_are_used_as_they_are(project):
    runs = ensure_recorded(project.folder, project.settings)
    assert runs.parent == project.runs["parent"]
    assert runs.children["pca", 2] == project.run_id("pca")


def test_without_results_nothing_is_recorded(project, tmp_path):
    assert ensure_recorded(tmp_path, project.settings) is None
