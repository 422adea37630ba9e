import os

import pytest

from latentbeta.environment import configure, single_threaded, tracking_uri


@pytest.fixture
def environment(monkeypatch):
    own = {"TF_NUM_INTRAOP_THREADS": "7"}
    monkeypatch.setattr(os, "environ", own)
    return own


def test_every_tool_keeps_its_state_inside_the_project(environment, tmp_path):
    configure(tmp_path)
    assert environment["MLFLOW_TRACKING_URI"] == f"sqlite:///{tmp_path}/mlruns/mlflow.db"
    assert environment["MLFLOW_TRACKING_URI"] == tracking_uri(tmp_path)
    places = ("PREFECT_HOME", "PREFECT_LOCAL_STORAGE_PATH", "KERAS_HOME", "MPLCONFIGDIR")
    for name in (*places, "DVC_SITE_CACHE_DIR"):
        assert environment[name].startswith(f"{tmp_path}/.")


def test_what_the_caller_has_set_stays(environment, tmp_path):
    configure(tmp_path)
    assert environment["TF_NUM_INTRAOP_THREADS"] == "7"
    assert environment["TF_ENABLE_ONEDNN_OPTS"] == "0"


def test_processes_started_meanwhile_compute_on_one_thread(environment):
    environment["OMP_NUM_THREADS"] = "4"
    before = dict(environment)
    with single_threaded():
        assert environment["TF_NUM_INTRAOP_THREADS"] == "1"
        assert environment["OMP_NUM_THREADS"] == "1"
        assert environment["TF_ENABLE_ONEDNN_OPTS"] == "0"
    assert environment == before
