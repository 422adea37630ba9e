import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.simulated_panels import simulate, write_panel_table

from latentbeta.config import NetworkSettings, WalkForwardSettings, read_settings
from latentbeta.errors import SettingsError
from latentbeta.models.ipca import InstrumentedPCA
from latentbeta.models.ladder import LADDER
from latentbeta.permutation import command
from latentbeta.permutation.command import chosen, permutation_null

SHIPPED = read_settings(Path(__file__).parents[2] / "params.yaml")
QUICK = NetworkSettings(
    learning_rates=(0.01,), l1_penalties=(0.001,), batch_size=400, epochs=3, patience=2
)
LONGER = ("cae_lecture", "ca0", "ca2", "ca3")  # each network's compilation takes seconds


def settings_for(names, n_factors=(2,)):
    models = {"names": names, "n_factors": n_factors, "n_seeds": 2, "networks": QUICK}
    return SHIPPED.model_copy(
        update={
            "models": SHIPPED.models.model_copy(update=models),
            "walk_forward": WalkForwardSettings(
                scheme="expanding", train=24, validation=12, embargo=1, refit_every=24
            ),
        }
    )


@pytest.fixture(scope="module")
def panel_folder(tmp_path_factory):
    """Betas and factors that a forecast could well use, were the returns not shuffled."""
    panel = simulate(n_dates=100, n_assets=40, n_characteristics=4, seed=170, noise=0.05).panel
    panel = replace(panel, characteristic_names=("mvel1", "mom12m", "retvol", "beta"))
    folder = tmp_path_factory.mktemp("panel")
    write_panel_table(panel, folder)
    return folder


def null_of(names, panel_folder, folder, *, repetitions=1, n_factors=(2,)):
    return permutation_null(
        settings_for(names, n_factors),
        panel_folder=panel_folder,
        store=folder / "store",
        output=folder / "out",
        repetitions=repetitions,
    )


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if n in LONGER else []) for n in LADDER],
)
def test_no_model_forecasts_what_cannot_be(name, panel_folder, tmp_path):
    """Three standard errors: with all these numbers one is beyond two by chance."""
    (row,) = null_of((name,), panel_folder, tmp_path)
    for measure in ("gain", "ic", "rank_ic"):
        assert abs(row[measure]) < 3 * row[f"{measure}_se"]
    assert row["predictive_r2"] < row["gain"]


@dataclass(frozen=True)
class _Leaking(InstrumentedPCA):
    """IPCA that takes a date's own factors for a forecast of them."""

    leads: bool = True


def test_a_model_that_looks_ahead_is_found_out(panel_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "ladder", lambda *_: [_Leaking(2)])
    (row,) = null_of(("ipca",), panel_folder, tmp_path)
    assert row["gain"] > 5 * row["gain_se"]
    assert row["within"] is False


def test_the_same_models_do_forecast_before_the_shuffle(panel_folder, tmp_path, monkeypatch):
    """Else the test would pass on a panel that says nothing."""
    monkeypatch.setattr(command, "shuffled", lambda panel, seed: panel)
    (row,) = null_of(("ipca",), panel_folder, tmp_path)
    assert row["ic"] > 3 * row["ic_se"]
    assert row["gain"] > 3 * row["gain_se"]


def test_what_is_written_is_what_is_returned_and_the_store_is_used_again(
    panel_folder, tmp_path, capsys
):
    first = null_of(("pca", "ipca"), panel_folder, tmp_path, repetitions=2, n_factors=(1, 2))
    assert json.loads((tmp_path / "out" / "null.json").read_text()) == first
    assert [(row["model"], row["n_factors"]) for row in first] == [
        ("pca", 1), ("pca", 2), ("ipca", 1), ("ipca", 2),
    ]  # fmt: skip
    fits = {path.name for path in (tmp_path / "store").iterdir()}
    assert len(fits) == 4 * 2 * 3  # models, repetitions, folds
    capsys.readouterr()
    again = null_of(("pca", "ipca"), panel_folder, tmp_path, repetitions=2, n_factors=(1, 2))
    assert again == first
    assert {path.name for path in (tmp_path / "store").iterdir()} == fits
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "null: started, 0 of 24"
    assert sum("0 of 3 folds fitted" in line for line in lines) == 8


def test_a_model_that_cannot_be_is_left_out(panel_folder, tmp_path):
    rows = null_of(("pca", "ipca"), panel_folder, tmp_path, n_factors=(6,))
    assert [row["model"] for row in rows] == ["pca"]


def test_models_and_factors_are_chosen_by_lists():
    models = chosen(SHIPPED, "pca,ca1", "1,3").models
    assert (models.names, models.n_factors) == (("pca", "ca1"), (1, 3))
    assert chosen(SHIPPED, None, None) == SHIPPED


@pytest.mark.parametrize("counts", ["0", "two", "1,,2", "-1", ""])
def test_a_number_of_factors_that_is_none_is_named(counts):
    with pytest.raises(SettingsError, match="3, 1,3 or 1-6"):
        chosen(SHIPPED, None, counts)
