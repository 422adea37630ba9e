from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.simulated_panels import simulate

from latentbeta.config import NetworkSettings, read_settings
from latentbeta.models.conditional_autoencoder import ConditionalAutoencoder
from latentbeta.models.ipca import InstrumentedPCA
from latentbeta.models.ladder import LADDER, ladder
from latentbeta.models.lecture_autoencoder import fixed_universe
from latentbeta.models.observed_factors import ObservedFactors
from latentbeta.models.pca import PrincipalComponents
from latentbeta.models.protocol import Fit
from latentbeta.walk_forward import fold_store
from latentbeta.walk_forward.fold_store import FoldStore, fit_key
from latentbeta.walk_forward.folds import Fold

SETTINGS = NetworkSettings(
    learning_rates=(0.01,), l1_penalties=(0.001, 0.1), batch_size=64, epochs=3, patience=2
)
MODEL = ConditionalAutoencoder("ca1", 2, 2, SETTINGS, seed=1)


@pytest.fixture
def panel():
    return simulate(
        n_dates=34, n_assets=12, n_characteristics=3, seed=101, noise=0.02, absent=0.1
    ).panel


@pytest.fixture
def fit():
    return Fit(
        state={
            "weights": np.arange(6, dtype=np.float32).reshape(2, 3),
            "assets": np.array(["A", "Ünï"]),
            "scale": np.array(0.1),
        },
        history=pd.DataFrame(
            {"member": [0, 1], "epoch": [1, 1], "training_loss": [0.5, 0.6]}
        ).assign(validation_loss=np.nan),
        selection=pd.DataFrame({"member": [0], "best_epoch": [1], "l1_penalty": [0.1]}),
    )


def key(panel, model=MODEL, start=0, boundary=20, stop=30):
    return fit_key(model, panel, Fold(0, start, boundary, stop, stop, stop + 1))


def with_changed(values, place, value):
    changed = values.copy()
    changed[place] = value
    return changed


def test_a_fit_comes_back_as_it_was(tmp_path, fit):
    store = FoldStore(tmp_path)
    store.save("k", fit)
    found = store.load("k")
    assert found.state.keys() == fit.state.keys()
    for name, value in fit.state.items():
        assert found.state[name].dtype == value.dtype
        np.testing.assert_array_equal(found.state[name], value)
    pd.testing.assert_frame_equal(found.history, fit.history, check_exact=True)
    pd.testing.assert_frame_equal(found.selection, fit.selection, check_exact=True)


def test_a_solved_models_empty_tables_come_back_empty(tmp_path):
    store, fit = FoldStore(tmp_path), Fit({"gamma": np.eye(2)})
    store.save("k", fit)
    pd.testing.assert_frame_equal(store.load("k").history, fit.history)


def test_what_was_never_saved_is_not_there(tmp_path, fit):
    store = FoldStore(tmp_path / "folder")
    assert store.load("k") is None
    store.save("k", fit)
    assert store.load("other") is None


def test_the_same_fit_has_the_same_bytes(tmp_path, fit):
    store = FoldStore(tmp_path)
    store.save("one", fit)
    store.save("two", fit)
    assert store.path("one").read_bytes() == store.path("two").read_bytes()


def test_a_kill_while_saving_leaves_nothing_to_find(tmp_path, fit, monkeypatch):
    store = FoldStore(tmp_path)

    def killed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.write_bytes", killed)
    with pytest.raises(KeyboardInterrupt):
        store.save("k", fit)
    assert store.load("k") is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda p: replace(p, R=with_changed(p.R, 5, 0.123)),
        lambda p: replace(p, R=with_changed(p.R, 5, np.nan)),
        lambda p: replace(p, Z=with_changed(p.Z, (5, 1), 0.123)),
        lambda p: replace(p, assets=with_changed(p.assets, 3, "A003x")),
        lambda p: replace(p, dates=p.dates + np.timedelta64(1, "D")),
        lambda p: replace(p, characteristic_names=("c1", "c2", "other")),
        lambda p: replace(p, asset_index=with_changed(p.asset_index, 1, 0)),
    ],
)
def test_the_key_changes_with_every_number_of_the_samples(panel, change):
    changed = change(replace(panel, assets=panel.assets.astype("<U5")))
    assert key(changed) != key(panel)


@pytest.mark.parametrize(
    "model",
    [
        replace(MODEL, seed=2),
        replace(MODEL, n_seeds=3),
        replace(MODEL, n_factors=3),
        replace(MODEL, name="ca2"),
        *(
            replace(MODEL, settings=SETTINGS.model_copy(update=change))
            for change in (
                {"learning_rates": (0.02,)},
                {"l1_penalties": (0.001,)},
                {"batch_size": 65},
                {"epochs": 4},
                {"patience": 3},
            )
        ),
        InstrumentedPCA(2),
    ],
)
def test_the_key_changes_with_every_setting(panel, model):
    assert key(panel, model) != key(panel)


SHIPPED = read_settings(Path(__file__).parents[2] / "params.yaml").models
NETWORKS = {"autoencoder", "cae_lecture", "ca0", "ca1", "ca2", "ca3"}


def names_by_key(panel, settings, seed=1):
    every_rung = settings.model_copy(update={"names": LADDER})
    return {key(panel, model): model.name for model in ladder(every_rung, seed)}


@pytest.mark.parametrize(
    ("change", "refitted"),
    [
        ({"n_factors": (2, 3, 5)}, set()),
        ({"n_seeds": SHIPPED.n_seeds + 1}, NETWORKS),
        ({"networks": SHIPPED.networks.model_copy(update={"epochs": 7})}, NETWORKS),
        (
            {"lecture": SHIPPED.lecture.model_copy(update={"hidden_units": 3})},
            {"cae_lecture"},
        ),
        (
            {"observed_factors": SHIPPED.observed_factors.model_copy(update={"length": 24})},
            {"observed_factors"},
        ),
        (
            {"observed_betas": SHIPPED.observed_betas.model_copy(update={"exposures": ("beta",)})},
            {"observed_betas"},
        ),
        ({"ipca": SHIPPED.ipca.model_copy(update={"intercept": True})}, {"ipca"}),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_setting_refits_only_the_models_it_is_for(panel, change, refitted):
    before = names_by_key(panel, SHIPPED)
    after = names_by_key(panel, SHIPPED.model_copy(update=change))
    assert {name for found, name in before.items() if found not in after} <= refitted


def test_the_seed_refits_networks_alone(panel):
    before, after = names_by_key(panel, SHIPPED), names_by_key(panel, SHIPPED, seed=2)
    assert {name for found, name in before.items() if found not in after} == NETWORKS


def test_a_folds_samples_are_hashed_once_for_all_models(panel, monkeypatch):
    calls = []
    hashed = fold_store._hash_of
    monkeypatch.setattr(fold_store, "_hash_of", lambda *p: calls.append(1) or hashed(*p))
    for model in (MODEL, InstrumentedPCA(2), PrincipalComponents(2)):
        key(panel, model)
    assert len(calls) == 1
    key(panel, start=1)
    key(replace(panel), MODEL)
    assert len(calls) == 3


def test_the_key_changes_with_the_samples_ends(panel):
    keys = {key(panel), key(panel, start=1), key(panel, boundary=19), key(panel, stop=29)}
    assert len(keys) == 4


def test_the_key_changes_with_the_code(panel, monkeypatch):
    before = key(panel)
    monkeypatch.setattr(fold_store, "code_hash", lambda: "other code")
    assert key(panel) != before


def test_later_dates_do_not_change_the_key(panel):
    later = replace(panel, R=with_changed(panel.R, slice(panel.offsets[30], None), 9.0))
    assert key(later) == key(panel) == key(panel.between(0, 30))


@pytest.mark.parametrize(
    "changed",
    [
        lambda panel: {"market_equity": panel.market_equity * 2},
        lambda panel: {"sector": panel.sector + 1},
        lambda panel: {"F": np.ones((panel.n_dates, 1)), "factor_names": ("MktRF",)},
    ],
)
def test_market_values_sectors_and_observed_factors_change_the_key(panel, changed):
    assert key(replace(panel, **changed(panel))) != key(panel)


def with_newcomers(panel):
    """The same rows on an asset axis to which a later, longer-named asset has been added."""
    place = 4
    return replace(
        panel,
        assets=np.insert(panel.assets.astype("<U9"), place, "A003-late"),
        asset_index=panel.asset_index + (panel.asset_index >= place),
    )


def test_assets_listed_later_do_not_change_the_key(panel):
    assert key(with_newcomers(panel)) == key(panel)


@pytest.mark.parametrize("model", [ObservedFactors(), PrincipalComponents(2), InstrumentedPCA(2)])
def test_and_they_do_not_change_a_byte_of_what_it_finds(panel, model, tmp_path):
    """Else a fit found under the key would differ from the one that a new run would make."""
    store = FoldStore(tmp_path)
    for name, chosen in (("now", panel), ("later", with_newcomers(panel))):
        store.save(name, model.fit(chosen.between(0, 20), chosen.between(20, 30)))
    assert store.path("now").read_bytes() == store.path("later").read_bytes()


def test_nor_a_byte_of_the_lectures_universe(panel):
    universes = [fixed_universe(p.between(0, 20)) for p in (panel, with_newcomers(panel))]
    assert universes[0].dtype == universes[1].dtype
    np.testing.assert_array_equal(*universes)
