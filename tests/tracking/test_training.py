import subprocess
import sys

import mlflow
import numpy as np
import pandas as pd
import pytest

from latentbeta.environment import tracking_uri
from latentbeta.evaluation import LADDER
from latentbeta.storage import content_hash
from latentbeta.tracking.lineage import model_parameters
from latentbeta.tracking.model_runs import chosen_on_validation, loss_curves
from latentbeta.tracking.store import open_store
from latentbeta.tracking.training import (
    end_dead_runs,
    fail_training,
    start_training,
)


@pytest.fixture(scope="module")
def store(project):
    return open_store(project.folder)


def test_one_parent_has_one_finished_child_a_model(project, store):
    children = store.client.search_runs(
        [store.experiment_id], f"tags.`mlflow.parentRunId` = '{project.runs['parent']}'"
    )
    assert {run.info.run_name for run in children} == {"pca K=2", "ipca K=2", "ca1 K=3"}
    assert {run.info.status for run in children} == {"FINISHED"}
    assert store.client.get_run(project.runs["parent"]).info.status == "FINISHED"
    assert [c["model"] for c in project.runs["children"]] == ["pca", "ipca", "ca1"]


def test_a_child_has_the_parameters_of_its_own_model(project, store):
    network = store.client.get_run(project.run_id("ca1")).data.params
    linear = store.client.get_run(project.run_id("ipca")).data.params
    assert network["n_factors"] == "3"
    assert network["models.networks.epochs"] == str(project.settings.models.networks.epochs)
    assert [name for name in linear if name.startswith("models.")] == [
        "models.ipca.intercept",
        "models.ipca.observed",
    ]
    assert linear["walk_forward.scheme"] == project.settings.walk_forward.scheme
    assert not [name for name in network if name.startswith("data.columns")]


@pytest.mark.parametrize("model", LADDER)
def test_every_model_has_settings_of_its_own(project, model):
    kept = model_parameters(project.settings, model, 2)
    assert [name for name in kept if name.startswith("models.")]
    assert kept["n_factors"] == "2"
    assert ("models.networks.epochs" in kept) == (model in LADDER[LADDER.index("autoencoder") :])


def test_how_fits_are_spread_is_no_parameter(project, store):
    parameters = store.client.get_run(project.runs["parent"]).data.params
    assert "models.ipca.intercept" in parameters
    assert not [name for name in parameters if name.startswith("execution")]


def test_the_parent_says_what_was_left_out_and_how_betas_follow_characteristics(project, store):
    tables = {file.path for file in store.client.list_artifacts(project.runs["parent"], "tables")}
    assert {"tables/left_out.json", "tables/beta_functions.parquet"} <= tables


def test_the_gate_s_findings_and_pages_go_with_the_run(project, store):
    run_id = project.runs["parent"]
    kept = {file.path for file in store.client.list_artifacts(run_id, "validation")}
    assert kept == {"validation/result.json", "validation/docs"}
    pages = store.client.list_artifacts(run_id, "validation/docs")
    assert [page.path for page in pages] == ["validation/docs/index.html"]


def test_lineage_is_tagged_with_content_hashes(project, store):
    tags = store.client.get_run(project.runs["parent"]).data.tags
    assert tags["panel.hash"] == content_hash(project.files.panel / "panel.parquet")
    assert tags["folds.hash"] == content_hash(project.files.results / "folds.parquet")
    assert tags["prefect.flow_run_id"] == "night-1"
    assert tags["data.universe"] == "point-in-time"
    assert tags["data.last_date"] == "2010-06-15"


def test_the_panel_is_the_dataset_with_its_content_hash(project, store):
    (entry,) = store.client.get_run(project.run_id("ca1")).inputs.dataset_inputs
    digest = content_hash(project.files.panel / "panel.parquet")
    assert entry.dataset.digest == digest[:32]


def test_loss_curves_are_means_over_members_by_epoch(project, store):
    curve = store.client.get_metric_history(project.run_id("ca1"), "loss/validation/fold_00")
    assert [(point.step, point.value) for point in curve] == [(0, 7.0), (1, 3.0)]


def test_loss_curves_by_hand():
    history = pd.DataFrame(
        {
            "fold": [2, 2],
            "member": [0, 1],
            "epoch": [0, 0],
            "training_loss": [1.0, 2.0],
            "validation_loss": [3.0, 5.0],
        }
    )
    assert loss_curves(history) == [
        ("loss/training/fold_02", 1.5, 0),
        ("loss/validation/fold_02", 4.0, 0),
    ]


def test_what_validation_chose_by_hand():
    selection = pd.DataFrame({"fold": [1, 1], "best_epoch": [4, 8], "validation_loss": [0.5, 0.25]})
    selection = selection.assign(l1_penalty=0.01, learning_rate=0.02)
    assert chosen_on_validation(selection) == [
        ("fold/best_epoch", 6.0, 1),
        ("fold/validation_loss", 0.375, 1),
        ("fold/l1_penalty", 0.01, 1),
        ("fold/learning_rate", 0.02, 1),
    ]


def test_a_childs_tables_are_its_rows_with_its_factors(project, store):
    uri = store.client.get_run(project.run_id("ipca")).info.artifact_uri
    betas = pd.read_parquet(mlflow.artifacts.download_artifacts(f"{uri}/tables/betas.parquet"))
    saved = pd.read_parquet(project.files.results / "betas.parquet")
    mine = saved[saved["model"] == "ipca"].drop(columns="factor_3").reset_index(drop=True)
    pd.testing.assert_frame_equal(betas, mine)


@pytest.mark.parametrize("model", ["ipca", "ca1"])
def test_a_logged_model_gives_the_saved_betas(project, store, model):
    outputs = store.client.get_run(project.run_id(model)).outputs.model_outputs
    loaded = mlflow.pyfunc.load_model(f"models:/{outputs[-1].model_id}")
    Z = np.random.default_rng(0).uniform(-1, 1, (7, 4)).astype(np.float32)
    folder = project.files.training / "models"
    if model == "ipca":
        gamma = np.load(folder / "ipca_2/loadings.npz")["gamma"]
        expected = [
            [sum(z[p] * gamma[p, k] for p in range(4)) + gamma[4, k] for k in (0, 1)] for z in Z
        ]
    else:
        import keras

        expected = keras.models.load_model(folder / "ca1_3/beta_network.keras").predict(
            Z, verbose=0
        )
    np.testing.assert_allclose(loaded.predict(Z), expected, rtol=1e-5)


def test_a_logged_model_refuses_other_characteristics(project, store):
    outputs = store.client.get_run(project.run_id("ipca")).outputs.model_outputs
    loaded = mlflow.pyfunc.load_model(f"models:/{outputs[-1].model_id}")
    with pytest.raises(mlflow.exceptions.MlflowException, match="shape"):
        loaded.predict(np.zeros((2, 3), np.float32))


def test_a_model_whose_betas_are_no_function_of_characteristics_is_files_only(project, store):
    run = store.client.get_run(project.run_id("pca"))
    assert not run.outputs.model_outputs
    assert [f.path for f in store.client.list_artifacts(run.info.run_id, "fitted")] == [
        "fitted/about.json",
        "fitted/loadings.npz",
    ]


def test_a_run_left_running_by_a_killed_process_is_ended_as_killed(project, store):
    dead = start_training(project.folder, project.settings)
    assert store.client.get_run(dead).info.status == "RUNNING"
    alive = start_training(project.folder, project.settings)
    assert store.client.get_run(dead).info.status == "KILLED"
    fail_training(project.folder, alive)
    assert store.client.get_run(alive).info.status == "FAILED"
    assert end_dead_runs(store) == []
    assert store.client.get_run(project.runs["parent"]).info.status == "FINISHED"


@pytest.mark.parametrize("model", ["ipca", "ca1"])
def test_a_logged_model_lies_with_its_run_and_has_no_losses_of_single_epochs(project, store, model):
    run = store.client.get_run(project.run_id(model))
    logged = store.client.get_logged_model(run.outputs.model_outputs[-1].model_id)
    assert (logged.experiment_id, logged.source_run_id) == (store.experiment_id, run.info.run_id)
    assert logged.artifact_location.startswith((project.folder / "mlruns/artifacts").as_uri())
    assert not logged.metrics


def test_a_training_that_fails_leaves_no_model_that_looks_finished(own_project):
    parent, child = own_project.runs["parent"], own_project.run_id("ca1")
    fail_training(own_project.folder, parent)
    own = open_store(own_project.folder)
    statuses = {own.client.get_run(run_id).info.status for run_id in (parent, child)}
    assert statuses == {"FAILED"}


@pytest.mark.slow
@pytest.mark.parametrize("model", ["ipca", "ca1"])
def test_a_logged_model_loads_in_a_fresh_process_without_the_package(
    project, store, model, tmp_path
):
    outputs = store.client.get_run(project.run_id(model)).outputs.model_outputs
    uri = f"models:/{outputs[-1].model_id}"
    script = (
        "import sys, mlflow, numpy as np\n"
        f"mlflow.set_tracking_uri({tracking_uri(project.folder)!r})\n"
        f"betas = mlflow.pyfunc.load_model({uri!r}).predict(np.full((2, 4), 0.5, np.float32))\n"
        "np.save('betas.npy', betas)\n"
        "assert 'latentbeta' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    here = mlflow.pyfunc.load_model(uri).predict(np.full((2, 4), 0.5, np.float32))
    np.testing.assert_array_equal(np.load(tmp_path / "betas.npy"), here)
