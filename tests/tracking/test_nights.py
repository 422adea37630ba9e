"""Registry, gate and publication together, over nights of one project."""

import numpy as np
import pandas as pd
import pytest

from latentbeta.errors import TrackingError
from latentbeta.storage import content_hash, read_json, write_json, write_parquet
from latentbeta.tracking import registry
from latentbeta.tracking.publication import publish, scored
from latentbeta.tracking.replay import runs_of
from latentbeta.tracking.succession import settle
from latentbeta.tracking.training import record_training, start_training


def night(project, *, worse_by=0.0, new_hash=None, last_date=None):
    """Train anew as the pipeline would, then settle and publish."""
    if last_date:
        write_json({"last_date": last_date}, project.files.prices / "summary.json")
    if new_hash:
        about = project.files.training / "models/ca1_3/about.json"
        write_json(read_json(about) | {"hash": new_hash}, about)
    path = project.files.results / "predictions.parquet"
    table = pd.read_parquet(path)
    table.loc[table["model"] == "ca1", "fitted"] -= worse_by
    write_parquet(table, path)
    parent = start_training(project.folder, project.settings)
    runs = runs_of(record_training(project.folder, project.settings, parent))
    succession = settle(project.folder, project.settings.nightly, runs)
    return succession, publish(project.folder, project.settings, succession)


def test_three_nights(own_project):
    project = own_project
    first, folder = night(project, last_date="2010-06-15")
    assert first.registered
    assert first.champion == first.challenger == registry.champion(project.folder)
    assert folder.name == "2010-06-15"
    published = content_hash(folder)

    again, folder = night(project)  # the same night, trained again to the same weights
    assert not again.registered
    assert again.champion.number == 1
    assert content_hash(folder) == published

    refused, folder = night(project, worse_by=5.0, new_hash="worse", last_date="2010-06-16")
    assert refused.registered
    assert not refused.decision.accepted
    assert registry.champion(project.folder).number == 1
    assert registry.challenger(project.folder).number == 2
    assert read_json(folder / "manifest.json")["version"] == 1
    check_scored_by_the_champion(project, folder)

    better, folder = night(project, worse_by=-5.0, new_hash="better", last_date="2010-06-17")
    assert better.decision.accepted
    assert registry.champion(project.folder).number == 3
    assert read_json(project.files.published / "latest.json")["as_of"] == "2010-06-17"
    assert sorted(p.name for p in project.files.published.iterdir()) == [
        "2010-06-15",
        "2010-06-16",
        "2010-06-17",
        "latest.json",
    ]

    night(project, last_date="2010-06-14")  # an older night published late
    assert read_json(project.files.published / "latest.json")["as_of"] == "2010-06-17"


def check_scored_by_the_champion(project, folder):
    import keras

    network = keras.models.load_model(project.files.training / "models/ca1_3/beta_network.keras")
    panel = pd.read_parquet(project.files.panel / "panel.parquet")
    newest = panel[panel["date"] == panel["date"].max()]
    Z = newest[["mom1m", "mom12m", "mvel1", "beta"]].to_numpy(np.float32)
    betas = network.predict(Z, verbose=0)
    forecasts = pd.read_parquet(folder / "forecasts.parquet")
    assert list(forecasts["asset"]) == ["A0", "A1", "A2", "A3", "A4"]
    own = keras.models.load_model(project.files.training / "models/ca1_3/forecast_network.keras")
    np.testing.assert_allclose(forecasts["forecast"], own.predict(Z, verbose=0)[:, 0], rtol=1e-5)
    stored = pd.read_parquet(folder / "betas.parquet")
    np.testing.assert_allclose(stored[["factor_1", "factor_2", "factor_3"]], betas, rtol=1e-5)


def test_what_the_champion_publishes_on_its_own_night_is_tonights_results(project):
    succession = settle(project.folder, project.settings.nightly, runs_of(project.runs))
    folder = publish(project.folder, project.settings, succession)
    predictions = pd.read_parquet(project.files.results / "predictions.parquet")
    newest = predictions[
        (predictions["model"] == "ca1") & (predictions["date"] == predictions["date"].max())
    ]
    forecasts = pd.read_parquet(folder / "forecasts.parquet")
    np.testing.assert_array_equal(forecasts["forecast"], newest["forecast"])
    manifest = read_json(folder / "manifest.json")
    assert manifest["period_end"] == "2010-06-30"
    assert manifest["files"]["forecasts.parquet"] == content_hash(folder / "forecasts.parquet")


def test_a_model_that_cannot_be_loaded_is_not_registered(project):
    with pytest.raises(TrackingError, match="no fitted model to register"):
        registry.register_challenger(project.folder, project.run_id("pca"))


def test_a_model_that_was_not_trained_is_named(project):
    wanted = project.settings.nightly.model_copy(update={"model": "ca3"})
    with pytest.raises(TrackingError, match="ca3 with 3 factors was not trained"):
        settle(project.folder, wanted, runs_of(project.runs))


def test_promoting_what_is_not_registered_is_an_error(project):
    with pytest.raises(TrackingError, match="no version 99"):
        registry.promote(project.folder, 99)


def test_a_panel_without_the_champions_characteristics_is_named(project):
    class Model:
        model, n_factors, characteristics = "ca1", 3, ("mom1m", "gone")

    with pytest.raises(TrackingError, match="tonight's panel lacks: gone"):
        scored(Model(), pd.DataFrame({"date": [], "asset": [], "mom1m": []}))
