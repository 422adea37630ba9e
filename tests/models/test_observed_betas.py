import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from tests.reference.make_linearmodels_reference import REFERENCE, simulated_rows
from tests.simulated_panels import full_panel, panel_of, simulate, with_returns

from latentbeta.config import ObservedBetaSettings
from latentbeta.errors import ModelError
from latentbeta.models.managed_portfolios import with_constant
from latentbeta.models.observed_betas import ObservedBetas

NAN = np.nan
CASES = {case["name"]: case for case in json.loads(Path(REFERENCE).read_text())}
REGRESSIONS = ("ordinary", "value-weighted", "robust")


def model_of(n_factors, exposures=("c1", "c2", "c3"), *, industries=False, regression="ordinary"):
    settings = ObservedBetaSettings(
        exposures=exposures, industries=industries, regression=regression
    )
    return ObservedBetas(n_factors, settings)


def with_sectors(panel, sector, value, names=("Energy", "Health", "Utilities")):
    sector, value = np.asarray(sector), np.asarray(value, dtype=np.float64)
    return replace(panel, sector=sector, sector_names=names, market_equity=value)


@pytest.fixture(scope="module")
def panel():
    """Three characteristics, three sectors with strangers, values with gaps."""
    panel = simulate(
        n_dates=24, n_assets=30, n_characteristics=3, seed=41, absent=0.1, missing=0.1
    ).panel
    rng = np.random.default_rng(42)
    value = np.exp(rng.normal(8, 1, panel.n_rows))
    value[rng.random(panel.n_rows) < 0.1] = NAN
    return with_sectors(panel, panel.asset_index % 4 - 1, value)


def one_date(R, sector, value):
    R = np.array([R])
    return with_sectors(full_panel(np.zeros((*R.shape, 1)), R), sector, value)


def factors_of(model, panel):
    return model.factors(model.fit(panel, panel).state, panel)[0]


def test_a_constant_alone_is_the_market():
    panel = one_date([0.1, 0.4, NAN, 0.7], [0, 0, 0, 0], [1.0, 1.0, 5.0, 4.0])
    np.testing.assert_allclose(factors_of(model_of(1), panel), [[0.4]])
    weighted = model_of(1, regression="value-weighted")
    np.testing.assert_allclose(factors_of(weighted, panel), [[3.3 / 6]])


def test_industries_by_hand():
    # Sector returns 0.2 and -0.1; values 2 and 4 make the market 0; what is left sums to zero.
    sector, R = [0, 0, 1], [0.1, 0.3, -0.1]
    model = model_of(3, (), industries=True)
    names = ("Energy", "Health")
    panel = replace(one_date(R, sector, [1.0, 1.0, 4.0]), sector_names=names)
    np.testing.assert_allclose(factors_of(model, panel), [[0.0, 0.2, -0.1]], atol=1e-15)
    # Values not known: an asset counts as an asset, the market is the mean return.
    panel = replace(one_date(R, sector, [NAN, NAN, NAN]), sector_names=names)
    np.testing.assert_allclose(factors_of(model, panel), [[0.1, 0.1, -0.2]], atol=1e-15)
    # Weighted by value within the sectors as well.
    model = model_of(3, (), industries=True, regression="value-weighted")
    panel = replace(one_date(R, sector, [3.0, 1.0, 4.0]), sector_names=names)
    np.testing.assert_allclose(factors_of(model, panel), [[0.025, 0.125, -0.125]], atol=1e-15)


def test_an_empty_sector_earns_nothing_and_strangers_the_market():
    panel = one_date([0.1, 0.3, 0.9, NAN], [0, 1, -1, 2], [1.0, 1.0, 7.0, 1.0])
    model = model_of(4, (), industries=True)
    np.testing.assert_allclose(factors_of(model, panel), [[0.2, -0.1, 0.1, 0.0]], atol=1e-15)
    expected = [[1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 0], [1, 0, 0, 1]]
    np.testing.assert_array_equal(model.betas({}, panel), [expected])


def test_a_sector_whose_values_are_not_known_is_empty_when_values_are_weights():
    panel = one_date([0.1, 0.3, 0.9], [0, 1, 2], [1.0, 1.0, NAN])
    model = model_of(4, (), industries=True, regression="value-weighted")
    np.testing.assert_allclose(factors_of(model, panel), [[0.2, -0.1, 0.1, 0.0]], atol=1e-15)


def test_betas_are_the_constant_and_the_first_exposures(panel):
    betas = model_of(3, ("c3", "c1", "c2")).betas({}, panel)
    expected = np.column_stack([np.ones(panel.n_rows), panel.Z[:, 2], panel.Z[:, 0]])
    np.testing.assert_array_equal(betas, [expected])
    assert betas.dtype == np.float64
    wide = model_of(5, ("c3", "c1"), industries=True).betas({}, panel)[0]
    np.testing.assert_array_equal(
        wide[:, 1:4].argmax(axis=1)[panel.sector >= 0], panel.sector[panel.sector >= 0]
    )
    np.testing.assert_array_equal(wide[:, 4], panel.Z[:, 2])


def test_saved_gamma_makes_the_betas(panel, tmp_path):
    model = model_of(3, ("c3", "c1"))
    state = model.fit(panel, panel).state
    model.export(state, np.eye(3)[None], np.zeros((1, 3)), tmp_path)
    with np.load(tmp_path / "loadings.npz", allow_pickle=False) as file:
        np.testing.assert_array_equal(file["exposures"], ["constant", "c3", "c1"])
        betas = with_constant(panel.Z) @ file["gamma"]
    np.testing.assert_allclose(betas, model.betas(state, panel)[0], rtol=1e-14)
    state = model_of(5, ("c3",), industries=True).fit(panel, panel).state
    assert list(state["exposures"]) == ["constant", "Energy", "Health", "Utilities", "c3"]
    assert "gamma" not in state


@pytest.mark.parametrize("regression", REGRESSIONS)
def test_as_statsmodels_says(panel, regression):
    found = factors_of(model_of(4, regression=regression), panel)
    for t, rows in enumerate(panel.blocks()):
        seen = panel.observed[rows]
        if regression == "value-weighted":
            seen = seen & np.isfinite(panel.market_equity[rows])
        X, y = sm.add_constant(panel.Z[rows][seen].astype(float)), panel.R[rows][seen]
        if regression == "ordinary":
            fit = sm.OLS(y, X).fit()
        elif regression == "value-weighted":
            fit = sm.WLS(y, X, panel.market_equity[rows][seen]).fit()
        else:
            fit = sm.RLM(y, X).fit(maxiter=500, tol=1e-14, conv="coefs")
        np.testing.assert_allclose(found[t], fit.params, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("kind", ["ordinary", "value-weighted"])
def test_as_linearmodels_says(name, kind):
    case = CASES[name]
    present, Z, R, value, _ = simulated_rows(case["seed"], case["absent"])
    panel = replace(panel_of(present, Z, R), market_equity=value)
    reference = case["fama_macbeth" if kind == "ordinary" else "fama_macbeth_by_value"]
    found = factors_of(model_of(4, regression=kind), panel)
    np.testing.assert_allclose(found, reference["coefficients"], rtol=1e-10)


@pytest.mark.parametrize("regression", ["ordinary", "value-weighted"])
def test_industries_as_the_bordered_normal_equations_say(panel, regression):
    found = factors_of(model_of(6, industries=True, regression=regression), panel)
    for t, rows in enumerate(panel.blocks()):
        seen = panel.observed[rows] & (panel.sector[rows] >= 0)
        value = np.nan_to_num(panel.market_equity[rows])
        if regression == "value-weighted":
            seen &= value > 0
        sector, value = panel.sector[rows][seen], value[seen]
        dummies = (sector[:, None] == np.arange(3)).astype(float)
        X = np.column_stack([np.ones(len(sector)), dummies, panel.Z[rows][seen][:, :2]])
        constraint = np.concatenate([[0.0], value @ dummies, [0.0, 0.0]])
        weights = value if regression == "value-weighted" else np.ones(len(value))
        # Lagrange: the normal equations, bordered by the constraint.
        lhs = np.block(
            [[X.T * weights @ X, constraint[:, None]], [constraint[None], np.zeros((1, 1))]]
        )
        rhs = np.append(X.T * weights @ panel.R[rows][seen], 0.0)
        np.testing.assert_allclose(found[t], np.linalg.solve(lhs, rhs)[:-1], rtol=1e-8, atol=1e-12)
        assert abs(constraint @ found[t]) < 1e-12 * value.sum()


def test_robust_industries_fit_what_free_dummies_fit(panel):
    """The constraint divides a sector's return, it changes no fitted value."""
    found = factors_of(model_of(5, industries=True, regression="robust"), panel)
    rows = list(panel.blocks())[7]
    seen = panel.observed[rows] & (panel.sector[rows] >= 0)
    dummies = (panel.sector[rows][seen][:, None] == np.arange(3)).astype(float)
    X = np.column_stack([dummies, panel.Z[rows][seen][:, 0]])
    fit = sm.RLM(panel.R[rows][seen], X).fit(maxiter=500, tol=1e-14, conv="coefs")
    fitted = np.column_stack([np.ones(len(X)), X]) @ found[7]
    np.testing.assert_allclose(fitted, fit.fittedvalues, rtol=1e-9)


def test_an_outlier_moves_the_robust_factors_least(panel):
    R = panel.R.copy()
    row = int(np.flatnonzero(panel.observed & (panel.date_index == 5))[0])
    R[row] += 10.0
    moved = {
        kind: np.abs(
            factors_of(model_of(3, regression=kind), with_returns(panel, R))[5]
            - factors_of(model_of(3, regression=kind), panel)[5]
        ).max()
        for kind in ("ordinary", "robust")
    }
    assert moved["robust"] < 0.1 < moved["ordinary"]


def test_a_date_with_too_few_returns_has_no_factors(panel):
    rows = list(panel.blocks())[3]
    R = panel.R.copy()
    R[rows.start + 2 : rows.stop] = NAN
    for model in (model_of(4), model_of(6, industries=True), model_of(4, regression="robust")):
        found = factors_of(model, with_returns(panel, R))
        assert np.isnan(found[3]).all()
        assert np.isfinite(np.delete(found, 3, axis=0)).all()


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (model_of(3, ("c1", "bm")), r"no exposure is called bm; the panel has c1, c2, c3"),
        (model_of(5), r"5 factors, but the constant, 0 industries and 3 exposures allow 1 to 4"),
        (model_of(3, industries=True), r"3 factors.* 3 industries and 3 exposures allow 4 to 7"),
        (model_of(3, ("c1", "c1")), r"twice: c1, c1"),
    ],
)
def test_what_cannot_be_is_said(panel, model, words):
    with pytest.raises(ModelError, match=f"observed_betas, K = {model.n_factors}: .*{words}"):
        model.fit(panel, panel)


def test_what_a_panel_lacks_is_said(panel):
    no_sectors = replace(panel, sector_names=(), sector=np.full(panel.n_rows, -1))
    assert "no sectors" in model_of(4, industries=True).obstacle(no_sectors)
    no_values = replace(panel, market_equity=np.full(panel.n_rows, NAN))
    assert "market equity" in model_of(2, regression="value-weighted").obstacle(no_values)
    assert model_of(2).obstacle(no_values) is None
    assert model_of(2, ("c1", "no such exposure")).obstacle(panel) is None  # beyond K


@pytest.mark.parametrize("regression", REGRESSIONS)
@pytest.mark.parametrize("industries", [False, True])
def test_later_dates_change_no_byte(panel, regression, industries):
    model = model_of(6 if industries else 4, industries=industries, regression=regression)
    later = panel.date_index >= 15
    other = replace(
        panel,
        R=np.where(later, -panel.R, panel.R),
        Z=np.where(later[:, None], panel.Z[::-1], panel.Z),
        market_equity=np.where(later, 2 + panel.asset_index, panel.market_equity),
        sector=np.where(later, panel.sector[::-1], panel.sector),
    )
    before = model.factors({}, panel)[:, :15].tobytes()
    assert model.factors({}, other)[:, :15].tobytes() == before
    assert model.factors({}, panel.between(0, 15)).tobytes() == before
    rows = int(panel.offsets[15])
    assert model.betas({}, other)[:, :rows].tobytes() == model.betas({}, panel)[:, :rows].tobytes()


def test_betas_read_no_return(panel):
    model = model_of(5, industries=True)
    unknown = with_returns(panel, np.full(panel.n_rows, NAN))
    assert model.betas({}, unknown).tobytes() == model.betas({}, panel).tobytes()
    assert model.uses_characteristics
    assert model.n_identified == 5
