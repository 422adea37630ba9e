import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from tests.reference.make_linearmodels_reference import LAGS, REFERENCE, simulated_rows
from tests.simulated_panels import full_panel, panel_of, simulate

from latentbeta.errors import ModelError
from latentbeta.models.fama_macbeth import fama_macbeth

CASES = {case["name"]: case for case in json.loads(Path(REFERENCE).read_text())}
EXPOSURES = ("c1", "c2", "c3")
NAN = np.nan


def reference_panel(case):
    present, Z, R, value, _ = simulated_rows(case["seed"], case["absent"])
    sums = R.sum(), Z.astype(np.float64).sum(), value.sum()
    names = "sum_of_returns", "sum_of_characteristics", "sum_of_values"
    assert sums == pytest.approx([case[name] for name in names], rel=1e-13)
    return replace(panel_of(present, Z, R), market_equity=value)


def test_premia_by_hand():
    # On z = (-0.5, 0.5) a date's slope is the difference of its returns, its constant their mean.
    Z = np.tile(np.array([[-0.5], [0.5]]), (4, 1, 1))
    R = np.array([[0.0, 0.06], [0.01, 0.05], [0.0, 0.07], [0.02, 0.05]])
    found = fama_macbeth(full_panel(Z, R), ("c1",), lag=1)
    np.testing.assert_allclose(found.coefficients[:, 1], [0.06, 0.04, 0.07, 0.03])
    np.testing.assert_allclose(found.coefficients[:, 0], [0.03, 0.03, 0.035, 0.035])
    # Slopes less their mean are 0.01 · (1, -1, 2, -2): see the sum by hand in test_hac.py.
    np.testing.assert_allclose(found.premia, [0.0325, 0.05])
    np.testing.assert_allclose(found.standard_errors[1], 0.01 * np.sqrt(3) / 4)
    np.testing.assert_allclose(found.t_statistics[1], 0.05 / (0.01 * np.sqrt(3) / 4))
    assert found.names == ("constant", "c1")
    assert found.n_dates == 4
    assert found.r_squared == pytest.approx(1.0)  # two returns, two coefficients


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("kind", ["fama_macbeth", "fama_macbeth_by_value"])
@pytest.mark.parametrize("lag", LAGS)
def test_as_linearmodels_says(name, kind, lag):
    panel, expected = reference_panel(CASES[name]), CASES[name][kind]
    weights = panel.market_equity if kind == "fama_macbeth_by_value" else None
    found = fama_macbeth(panel, EXPOSURES, weights=weights, lag=lag)
    for field in ("coefficients", "premia"):
        np.testing.assert_allclose(getattr(found, field), expected[field], rtol=1e-10)
    for field in ("standard_errors", "t_statistics"):
        np.testing.assert_allclose(getattr(found, field), expected[field][str(lag)], rtol=1e-10)


def test_as_a_loop_of_statsmodels_says():
    panel = simulate(n_dates=25, n_assets=20, n_characteristics=3, seed=3, missing=0.1).panel
    found = fama_macbeth(panel, ("c3", "c1"))
    fits = []
    for rows in panel.blocks():
        seen = panel.observed[rows]
        X = sm.add_constant(panel.Z[rows][seen][:, [2, 0]].astype(float))
        fits.append(sm.OLS(panel.R[rows][seen], X).fit())
    slopes = np.array([fit.params for fit in fits])
    np.testing.assert_allclose(found.coefficients, slopes, rtol=1e-10)
    assert found.r_squared == pytest.approx(np.mean([fit.rsquared for fit in fits]), rel=1e-10)
    for k in range(3):  # lag 4 · 0.25^(2/9) = 2.9
        fit = sm.OLS(slopes[:, k], np.ones(25)).fit(
            cov_type="HAC", cov_kwds={"maxlags": 2, "use_correction": False}
        )
        np.testing.assert_allclose(found.premia[k], fit.params[0], rtol=1e-10)
        np.testing.assert_allclose(found.standard_errors[k], fit.bse[0], rtol=1e-10)


def test_dates_with_too_few_returns_are_left_out():
    panel = simulate(n_dates=10, n_assets=8, n_characteristics=2, seed=4).panel
    R = panel.R.copy()
    for t, kept in ((2, 2), (6, 0)):
        rows = list(panel.blocks())[t]
        R[rows.start + kept : rows.stop] = NAN
    found = fama_macbeth(replace(panel, R=R), ("c1", "c2"))
    assert found.n_dates == 8
    np.testing.assert_array_equal(
        np.isnan(found.coefficients).all(axis=1), np.isin(np.arange(10), [2, 6])
    )
    assert np.isfinite([*found.premia, *found.standard_errors, found.r_squared]).all()


@pytest.mark.parametrize("nothing", [0.0, NAN])
def test_rows_without_weight_are_left_out(nothing):
    panel = simulate(n_dates=10, n_assets=8, n_characteristics=2, seed=4).panel
    out = panel.asset_index == 3
    weighted = fama_macbeth(panel, ("c1",), weights=np.where(out, nothing, 1.0))
    masked = fama_macbeth(replace(panel, R=np.where(out, NAN, panel.R)), ("c1",))
    np.testing.assert_allclose(weighted.coefficients, masked.coefficients, rtol=1e-12)
    assert weighted.r_squared == pytest.approx(masked.r_squared, rel=1e-12)


def test_what_cannot_be_is_said():
    panel = simulate(n_dates=4, n_assets=8, n_characteristics=2, seed=4).panel
    with pytest.raises(ModelError, match=r"called value; the panel has c1, c2"):
        fama_macbeth(panel, ("c1", "value"))
    with pytest.raises(ModelError, match=r"no date has the 3 returns that constant, c1, c2 need"):
        fama_macbeth(replace(panel, R=np.full(panel.n_rows, NAN)), ("c1", "c2"))
