from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.simulated_panels import simulate

from latentbeta.config import NetworkSettings, ObservedBetaSettings
from latentbeta.models.conditional_autoencoder import ConditionalAutoencoder
from latentbeta.models.ipca import InstrumentedPCA
from latentbeta.models.observed_betas import ObservedBetas
from latentbeta.models.pca import PrincipalComponents
from latentbeta.models.rotation import rotate_betas
from latentbeta.walk_forward import interpretation
from latentbeta.walk_forward.estimates import average_product, estimate_fold
from latentbeta.walk_forward.folds import Fold
from latentbeta.walk_forward.interpretation import GRID, beta_functions, importance

QUICK = NetworkSettings(
    learning_rates=(0.01,), l1_penalties=(0.001,), batch_size=64, epochs=3, patience=2
)
CA1 = ConditionalAutoencoder("ca1", 2, 2, QUICK, seed=140)
FOLD = Fold(0, 0, 20, 28, 29, 36)
NAMES = ("c1", "c2", "c3", "c4")


@pytest.fixture(scope="module")
def panel():
    return simulate(
        n_dates=36, n_assets=30, n_characteristics=4, seed=141, noise=0.03, absent=0.1, missing=0.1
    ).panel


@pytest.fixture(scope="module", params=[InstrumentedPCA(3), CA1], ids=lambda m: m.name)
def fitted(request, panel):
    return (request.param, *fitted_to(request.param, panel))


def fitted_to(model, panel):
    samples = panel.between(0, 20), panel.between(20, 28)
    state = model.fit(*samples).state
    return state, estimate_fold(model, state, panel, FOLD, None)


def test_importance_is_what_betas_without_the_characteristic_lose(fitted, panel, monkeypatch):
    # One variant a product, as here: last bits of a float32 network depend on the rows at once.
    monkeypatch.setattr(interpretation, "ROWS_AT_ONCE", 1)
    model, state, estimates = fitted
    test, window = panel.between(29, 36), panel.between(0, 36)
    factors = model.factors(state, window)[:, 29:]
    table = importance(model, state, estimates)
    assert tuple(table["characteristic"]) == NAMES
    for p, row in table.iterrows():
        Z = test.Z.copy()
        Z[:, p] = 0
        without = average_product(model.betas(state, replace(test, Z=Z)), factors, test.date_index)
        lost = sum((r - f) ** 2 for r, f in zip(test.R, without, strict=True) if np.isfinite(r - f))
        np.testing.assert_allclose(row["lost"], lost, rtol=1e-9)
        known = np.isfinite(test.R)
        np.testing.assert_allclose(row["scale"], np.sum(test.R[known] ** 2))
        error = np.sum((test.R - estimates.fitted)[known] ** 2)
        np.testing.assert_allclose(row["error"], error)


def _with_characteristics(panel, Z):
    from dataclasses import replace

    return replace(panel, Z=Z)


@pytest.mark.parametrize("rows_at_once", [1, 90])
def test_importance_of_a_large_cross_section_is_worked_out_in_parts(
    fitted, monkeypatch, rows_at_once
):
    model, state, estimates = fitted
    rows, of_all_rows = [], type(model).betas

    def betas(self, state, panel):
        rows.append(panel.n_rows)
        return of_all_rows(self, state, panel)

    whole = importance(model, state, estimates)
    monkeypatch.setattr(interpretation, "ROWS_AT_ONCE", rows_at_once)
    monkeypatch.setattr(type(model), "betas", betas)
    pd.testing.assert_frame_equal(importance(model, state, estimates), whole, rtol=1e-9)
    assert max(rows) <= max(rows_at_once, 30)


def test_what_moves_betas_matters_and_what_does_not_does_not(panel):
    """Betas of the market are (1.2 c1, c2, 0.8 c3); c4 plays no part."""
    model = InstrumentedPCA(3)
    gamma = np.zeros((5, 3))
    gamma[[0, 1, 2], [0, 1, 2]] = 1.0
    state = {"gamma": gamma}
    estimates = estimate_fold(model, state, panel, FOLD, None)
    table = importance(model, state, estimates).set_index("characteristic")
    fall = (table["lost"] - table["error"]) / table["scale"]
    assert table.loc["c4", "lost"] == pytest.approx(table.loc["c4", "error"], rel=1e-12)
    assert (fall[["c1", "c2", "c3"]] > 0.05).all()


def test_rows_without_a_return_do_not_count(panel):
    from dataclasses import replace

    model = InstrumentedPCA(3)
    state, _ = fitted_to(model, panel)
    newest = replace(panel, R=np.where(panel.date_index == 35, np.nan, panel.R))
    found = importance(model, state, estimate_fold(model, state, newest, FOLD, None))
    shorter = Fold(0, 0, 20, 28, 29, 35)
    expected = importance(model, state, estimate_fold(model, state, panel, shorter, None))
    np.testing.assert_array_equal(found["lost"], expected["lost"])
    np.testing.assert_allclose(found["error"], expected["error"])


def test_a_model_without_characteristics_has_no_rows(panel):
    model = PrincipalComponents(2)
    state, estimates = fitted_to(model, panel)
    table = importance(model, state, estimates)
    assert list(table) == ["characteristic", "error", "scale", "lost"]
    assert table.empty
    functions = beta_functions(model, state, estimates.rotations, panel)
    assert list(functions) == ["characteristic", "value", "factor_1", "factor_2"]
    assert functions.empty


def test_beta_functions_of_a_linear_model_are_lines(panel):
    model = InstrumentedPCA(3)
    state, estimates = fitted_to(model, panel)
    table = beta_functions(model, state, estimates.rotations, panel)
    published = state["gamma"] @ np.linalg.inv(estimates.rotations[0]).T
    assert len(table) == 4 * 21
    for row in table.itertuples():
        expected = row.value * published[NAMES.index(row.characteristic)] + published[4]
        np.testing.assert_allclose(row[3:], expected, atol=1e-6)  # grid values as float32
    np.testing.assert_array_equal(table["value"][:21], GRID)
    assert GRID[[0, 10, 20]].tolist() == [-1.0, 0.0, 1.0]


def test_all_beta_functions_cross_at_the_median_asset(fitted, panel):
    model, state, estimates = fitted
    table = beta_functions(model, state, estimates.rotations, panel)
    names = [f"factor_{k + 1}" for k in range(model.n_factors)]
    at_median = table.loc[table["value"] == 0.0, names].to_numpy()
    assert len(at_median) == 4
    np.testing.assert_allclose(at_median, at_median[[0]].repeat(4, axis=0), atol=1e-6)


def test_beta_functions_are_those_of_published_betas(fitted, panel):
    """An asset whose characteristics are all at their median but one has the function's betas."""
    model, state, estimates = fitted
    Z = np.zeros((panel.between(29, 36).n_rows, 4), dtype=np.float32)
    Z[:, 2] = 0.5
    betas = model.betas(state, replace(panel.between(29, 36), Z=Z))
    published = rotate_betas(betas, estimates.rotations).mean(axis=0)[0]
    table = beta_functions(model, state, estimates.rotations, panel)
    row = table[(table["characteristic"] == "c3") & np.isclose(table["value"], 0.5)]
    names = [f"factor_{k + 1}" for k in range(model.n_factors)]
    np.testing.assert_allclose(row[names].to_numpy()[0], published, atol=1e-6)


def test_sectors_have_no_part_in_beta_functions(panel):
    settings = ObservedBetaSettings(exposures=("c2",), industries=True, regression="ordinary")
    model = ObservedBetas(4, settings)
    with_sectors = replace(panel, sector_names=("A", "B"), sector=panel.asset_index % 2)
    state, estimates = fitted_to(model, with_sectors)
    table = beta_functions(model, state, estimates.rotations, with_sectors)
    assert (table["factor_1"] == 1).all()
    assert (table[["factor_2", "factor_3"]] == 0).all().all()
    moving = table["characteristic"] == "c2"
    np.testing.assert_allclose(table.loc[moving, "factor_4"], GRID, atol=1e-7)
    assert (table.loc[~moving, "factor_4"] == 0).all()
    lost = importance(model, state, estimates).set_index("characteristic")["lost"]
    assert lost["c1"] == pytest.approx(lost["c3"], rel=1e-12)
    assert lost["c2"] > lost["c1"]
