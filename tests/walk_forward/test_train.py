import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.simulated_panels import write_panel_table

from latentbeta.config import read_settings
from latentbeta.errors import DataError, ModelError, SettingsError
from latentbeta.storage import content_hash, read_json
from latentbeta.walk_forward.train import train

PROJECT = Path(__file__).parents[2]


def settings_for(study, names=("observed_factors", "pca", "ipca"), n_factors=(1, 3)):
    settings = read_settings(PROJECT / "params.yaml")
    models = settings.models.model_copy(update={"names": names, "n_factors": n_factors})
    return settings.model_copy(update={"models": models, "walk_forward": study.settings})


def train_in(folder, study, on_run=None, **options):
    write_panel_table(study.panel, folder / "panel")
    return train(
        on_run=on_run,
        settings=settings_for(study, **options),
        panel_folder=folder / "panel",
        store=folder / "store",
        results=folder / "results",
        training=folder / "training",
    )


@pytest.fixture(scope="module")
def trained(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return folder, train_in(folder, study)


def read(folder, name):
    return pd.read_parquet(folder / f"{name}.parquet")


def test_every_model_is_in_every_table(trained):
    folder, runs = trained
    made = [(name, k) for name in ("observed_factors", "pca", "ipca") for k in (1, 3)]
    assert [(run.model.name, run.model.n_factors) for run in runs] == made
    for name in ("predictions", "betas", "factors"):
        table = read(folder / "results", name)
        assert set(zip(table["model"], table["n_factors"], strict=True)) == set(made)


def test_models_with_fewer_factors_leave_gaps_not_rows(trained):
    folder, runs = trained
    betas = read(folder / "results", "betas")
    rows = betas.groupby(["model", "n_factors"]).size()
    assert len(set(rows)) == 1
    narrow, wide = betas[betas["n_factors"] == 1], betas[betas["n_factors"] == 3]
    assert narrow["factor_1"].notna().all()
    assert narrow[["factor_2", "factor_3"]].isna().all().all()
    assert wide[["factor_1", "factor_2", "factor_3"]].notna().all().all()
    assert runs[0].predictions.dtypes["date"] == np.dtype("datetime64[us]")


def test_the_fold_table_holds_the_folds_dates(trained, study):
    folder, _ = trained
    table = read(folder / "results", "folds")
    assert len(table) == len(study.folds)
    dates = study.panel.dates
    np.testing.assert_array_equal(table["test_start"], dates[[f.test_start for f in study.folds]])
    assert (table["embargo"] == 1).all()


def test_importance_and_beta_functions_lie_with_the_training(trained, study):
    folder, _ = trained
    importance = read(folder / "training", "importance")
    assert set(importance["model"]) == {"ipca"}
    assert len(importance) == 2 * len(study.folds) * 4  # K, folds, characteristics
    with_fits = importance[importance["fold"] < 3]  # the last fold's only date has no return
    assert (with_fits["scale"] > 0).all()
    functions = read(folder / "training", "beta_functions")
    assert list(functions) == [
        "model", "n_factors", "characteristic", "value", "factor_1", "factor_2", "factor_3",
    ]  # fmt: skip
    assert len(functions) == 2 * 4 * 21


def test_the_tables_have_a_models_own_columns_in_its_own_order(trained):
    folder, runs = trained
    for name in ("betas", "factors"):
        table = read(folder / "results", name)
        widest = getattr(runs[1], name)
        assert list(table) == list(widest)
        for run in runs:
            of_model = table["model"] == run.model.name
            mine = table[of_model & (table["n_factors"] == run.model.n_factors)]
            own = getattr(run, name).dropna(axis="columns", how="all")
            assert list(mine.dropna(axis="columns", how="all")) == list(own)


def test_each_model_is_handed_on_when_it_is_done_before_anything_is_written(study, tmp_path):
    def on_run(run, exported):
        assert not (tmp_path / "results").exists()
        assert not (tmp_path / "training/models").exists()
        told.append((run.model.name, run.model.n_factors, read_json(exported / "about.json")))

    told: list[tuple] = []
    runs = train_in(tmp_path, study, on_run=on_run)
    assert [each[:2] for each in told] == [(r.model.name, r.model.n_factors) for r in runs]
    for name, n_factors, about in told:
        place = tmp_path / "training/models" / f"{name}_{n_factors}"
        assert read_json(place / "about.json") == about


def test_a_model_that_fails_leaves_the_models_of_the_run_before(study, tmp_path):
    def on_run(run, exported):
        raise ZeroDivisionError

    train_in(tmp_path, study, names=("pca",))
    before = content_hash(tmp_path / "training")
    killed = tmp_path / "training/.models.x/pca_1"  # as kill -9 leaves one
    killed.mkdir(parents=True)
    (killed / "about.json").write_text("{}")
    with pytest.raises(ZeroDivisionError):
        train_in(tmp_path, study, on_run=on_run, names=("pca",))
    assert content_hash(tmp_path / "training") == before


def test_nobody_was_left_out(trained):
    folder, _ = trained
    assert json.loads((folder / "training" / "left_out.json").read_text()) == []


def test_a_model_that_cannot_be_is_left_out_and_the_others_are_trained(study, tmp_path, capsys):
    runs = train_in(tmp_path, study, names=("pca", "ipca"), n_factors=(2, 6))
    made = [(run.model.name, run.model.n_factors) for run in runs]
    assert made == [("pca", 2), ("pca", 6), ("ipca", 2)]
    (left_out,) = json.loads((tmp_path / "training" / "left_out.json").read_text())
    assert (left_out["model"], left_out["n_factors"]) == ("ipca", 6)
    assert f"ipca K=6 is left out: {left_out['reason']}" in capsys.readouterr().out


def test_with_no_model_left_training_stops_before_anything_is_written(study, tmp_path):
    with pytest.raises(ModelError, match="ipca K=6"):
        train_in(tmp_path, study, names=("ipca",), n_factors=(6,))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["panel"]


@pytest.mark.parametrize("n_factors", [1, 3])
def test_a_saved_model_gives_the_newest_published_betas(trained, study, n_factors):
    folder, _ = trained
    place = folder / "training" / "models" / f"ipca_{n_factors}"
    with np.load(place / "loadings.npz", allow_pickle=False) as file:
        gamma = file["gamma"]
    Z = study.panel.Z[study.panel.date_index == 41]
    published = read(folder / "results", "betas").query(
        "model == 'ipca' and n_factors == @n_factors and fold == 3"
    )
    expected = np.column_stack([Z, np.ones(len(Z))]) @ gamma
    names = [f"factor_{k + 1}" for k in range(n_factors)]
    np.testing.assert_allclose(published[names], expected, atol=1e-12)


def test_and_with_its_premia_the_newest_forecasts(trained, study):
    folder, _ = trained
    place = folder / "training" / "models" / "ipca_3"
    about = json.loads((place / "about.json").read_text())
    with np.load(place / "loadings.npz", allow_pickle=False) as file:
        gamma = file["gamma"]
    assert about["characteristics"] == list(study.panel.characteristic_names)
    assert about["date"] == str(study.panel.dates[-1])[:10]
    assert (about["model"], about["n_factors"], about["fold"]) == ("ipca", 3, 3)
    Z = study.panel.Z[study.panel.date_index == 41]
    forecast = np.column_stack([Z, np.ones(len(Z))]) @ gamma @ about["premia"]
    published = read(folder / "results", "predictions").query(
        "model == 'ipca' and n_factors == 3 and fold == 3"
    )
    np.testing.assert_allclose(published["forecast"], forecast, atol=1e-12)


def test_a_second_run_trains_nothing_and_leaves_the_same_bytes(trained, study, tmp_path):
    folder, _ = trained
    fresh = train_in(tmp_path, study)
    assert all(run.n_fitted == 4 for run in fresh)
    files = {p.relative_to(tmp_path): p.read_bytes() for p in sorted(tmp_path.rglob("*.*"))
             if p.is_file()}  # fmt: skip
    again = train_in(tmp_path, study)
    assert all(run.n_fitted == 0 for run in again)
    for path, content in files.items():
        assert (tmp_path / path).read_bytes() == content, path
        assert (folder / path).read_bytes() == content, path


def test_progress_counts_models_times_folds(study, tmp_path, capsys):
    train_in(tmp_path, study, names=("pca", "ipca"), n_factors=(1,))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "train: started, 0 of 8"
    assert lines[-1].startswith("train: done, 8 of 8 in ")


def test_an_unknown_model_stops_before_anything_is_written(study, tmp_path):
    with pytest.raises(SettingsError, match="ca7"):
        train_in(tmp_path, study, names=("ca7",))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["panel"]


def test_without_a_panel_the_stage_to_run_is_named(study, tmp_path):
    with pytest.raises(DataError, match="characteristics"):
        train(
            settings=settings_for(study),
            panel_folder=tmp_path,
            store=tmp_path / "store",
            results=tmp_path / "results",
            training=tmp_path / "training",
        )
