"""Models recorded by a process of their own, against the same recorded from the saved files."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import psutil
import pytest
from flows.recording import Recorder
from tests.tracking.conftest import write_project

from latentbeta.errors import TrackingError
from latentbeta.tracking import (
    fail_training,
    finish_training,
    initialise,
    record_training,
    start_training,
)
from latentbeta.tracking.store import open_store

ROOT = Path(__file__).parents[2]
MODELS = (("ipca", 2), ("ca1", 3))
TABLES = {
    **dict.fromkeys(("predictions", "betas", "factors"), "results"),
    **dict.fromkeys(("history", "selection"), "training"),
}
KILLED = """
import os, signal, sys, time
from pathlib import Path
from flows.recording import Recorder
from latentbeta.config import read_settings

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    recorder = Recorder(read_settings(folder / "params.yaml"), "no run", project=folder)
    os.kill(recorder._process.pid, signal.SIGSTOP)
    for name in ("ipca", "ca1"):
        recorder._connection.send(((name, 2), folder))
    print(recorder._process.pid, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def project(tmp_path):
    return tmp_path, write_project(tmp_path, MODELS)


def done(folder, model, n_factors):
    """Return what the training has of a model when it is done."""
    tables = {}
    for name, place in TABLES.items():
        table = pd.read_parquet(folder / "data" / place / f"{name}.parquet")
        mine = table[(table["model"] == model) & (table["n_factors"] == n_factors)]
        tables[name] = mine.dropna(axis="columns", how="all") if len(mine) else mine
    return SimpleNamespace(model=SimpleNamespace(name=model, n_factors=n_factors), **tables)


def hand_over(recorder, folder, models=MODELS):
    for model, n_factors in models:
        run = done(folder, model, n_factors)
        recorder(run, folder / f"data/training/models/{model}_{n_factors}")


def files_of(store, run_id, folder=None):
    for file in store.client.list_artifacts(run_id, folder):
        if file.is_dir:
            yield from files_of(store, run_id, file.path)
        else:
            yield file.path


def told(store, run_id):
    """Return all that a run says, without what is different of every run."""
    run = store.client.get_run(run_id)
    tags = {k: v for k, v in run.data.tags.items() if k != "mlflow.parentRunId"}
    tables = {
        name: pd.read_parquet(store.client.download_artifacts(run_id, name))
        for name in files_of(store, run_id, "tables")
    }
    said = (
        *(run.info.status, run.info.run_name, run.data.params, run.data.metrics, tags),
        *(sorted(files_of(store, run_id)), len(run.outputs.model_outputs)),
        [each.dataset.digest for each in run.inputs.dataset_inputs],
    )
    return said, tables


def test_the_runs_are_those_recorded_from_the_saved_files(project):
    folder, settings = project
    parent = start_training(folder, settings)
    with Recorder(settings, parent, project=folder) as recorder:
        hand_over(recorder, folder)
        children = recorder.children()
        store = open_store(folder)
        open_runs = {store.client.get_run(run_id).info.status for run_id in children.values()}
        assert open_runs == {"RUNNING"}
        assert list(recorder._folder.iterdir()) == []
        runs = finish_training(folder, settings, parent, children)
    again = record_training(folder, settings, start_training(folder, settings))
    assert [(c["model"], c["n_factors"]) for c in runs["children"]] == list(MODELS)
    for ours, from_files in zip(runs["children"], again["children"], strict=True):
        said, tables = told(store, ours["run_id"])
        expected, expected_tables = told(store, from_files["run_id"])
        assert said == expected
        assert said[0] == "FINISHED"
        for name, table in tables.items():
            pd.testing.assert_frame_equal(table, expected_tables[name], check_exact=True)


def test_a_model_that_cannot_be_recorded_fails_the_training_with_the_reason(project):
    folder, settings = project
    (folder / "data/training/models/ca1_3/about.json").write_text("{}")
    parent = start_training(folder, settings)
    with Recorder(settings, parent, project=folder) as recorder:
        hand_over(recorder, folder)
        with pytest.raises(TrackingError, match=r"(?s)could not record.*KeyError.*'hash'.*again"):
            recorder.children()
    fail_training(folder, parent)
    store = open_store(folder)
    runs = store.client.search_runs([store.experiment_id])
    assert {run.data.tags.get("model") for run in runs} == {None, "ipca", "ca1"}
    assert {run.info.status for run in runs} == {"FAILED"}


@pytest.mark.parametrize("unread", [False, True])
def test_a_recorder_that_was_killed_is_told_of(project, unread):
    folder, settings = project
    with Recorder(settings, start_training(folder, settings), project=folder) as recorder:
        process = psutil.Process(recorder._process.pid)
        if unread:
            process.suspend()
            hand_over(recorder, folder)
        process.kill()
        recorder._process.join()
        if not unread:
            hand_over(recorder, folder)
        with pytest.raises(TrackingError, match="its process was killed; run again"):
            recorder.children()


def test_it_ends_with_a_training_that_fails(project):
    folder, settings = project
    with pytest.raises(ZeroDivisionError), Recorder(settings, "none", project=folder) as recorder:
        raise ZeroDivisionError
    assert not recorder._process.is_alive()
    assert not recorder._folder.exists()


def test_and_with_one_that_is_killed(project, tmp_path):
    folder, _ = project
    script = tmp_path / "training.py"
    script.write_text(KILLED)
    initialise(folder)
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    command = [sys.executable, str(script), str(folder)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as training:
        recorder = psutil.Process(int(training.stdout.readline()))
        os.kill(training.pid, signal.SIGKILL)
    recorder.resume()
    recorder.wait(60)
    runs = open_store(folder).client.search_runs([open_store(folder).experiment_id])
    assert runs == []  # what it was sent before is not recorded for a training that is no more
