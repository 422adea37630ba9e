import mlflow
import pytest

from latentbeta.storage import read_json
from latentbeta.tracking.evaluation import best_figures, record_evaluation, record_report
from latentbeta.tracking.store import open_store


@pytest.fixture(scope="module")
def store(project):
    record_evaluation(project.folder, project.settings)
    record_report(project.folder, project.settings)
    return open_store(project.folder)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_pooled_measures_are_those_of_the_metrics_file(project, store, place):
    saved = read_json(project.files.results / "metrics.json")[place]
    logged = store.client.get_run(project.run_id(saved["model"])).data.metrics
    for name in ("total_r2", "total_r2_se", "predictive_r2", "n_dates"):
        assert logged[name] == saved[name]
    assert "ic" not in logged  # None in the file: the measure does not exist
    assert not [name for name in logged if name.endswith(("_low", "_high"))]


def test_fold_measures_have_the_fold_as_step_and_leave_gaps_out(project, store):
    run_id = project.run_id("pca")
    history = store.client.get_metric_history(run_id, "fold/total_r2")
    assert [(point.step, point.value) for point in history] == [(0, 0.2), (1, 0.4)]
    gaps = store.client.get_metric_history(run_id, "fold/ic")
    assert [(point.step, point.value) for point in gaps] == [(0, 0.05)]


def test_the_parent_has_the_best_of_each_key_figure(project, store):
    metrics = store.client.get_run(project.runs["parent"]).data.metrics
    assert metrics["best/total_r2"] == 2.1
    assert metrics["best/predictive_r2"] == 0.5
    assert metrics["n_models"] == 3


def test_best_figures_leave_out_what_no_model_has():
    assert best_figures([{"ic": None, "total_r2": -0.5}]) == [("best/total_r2", -0.5, 0)]


def test_the_report_is_an_artifact_of_the_parent(project, store):
    uri = store.client.get_run(project.runs["parent"]).info.artifact_uri
    assert "verdict" in mlflow.artifacts.load_text(f"{uri}/report/report.html")


def test_recording_the_same_evaluation_again_adds_no_point(project, store):
    record_evaluation(project.folder, project.settings)
    history = store.client.get_metric_history(project.run_id("pca"), "fold/total_r2")
    assert len(history) == 2
