import numpy as np
import pytest
import statsmodels.api as sm
from tests.simulated_panels import full_panel, simulate, with_returns

from latentbeta.errors import ModelError
from latentbeta.models.observed_factors import ObservedFactors, market_factor, time_series_betas

NAN = np.nan


def returns_and_factors(n_factors: int, missing: float = 0.0):
    rng = np.random.default_rng(5)
    F = rng.normal(0.01, 0.05, (40, n_factors))
    R = 0.01 + F @ rng.normal(1, 0.5, (n_factors, 6)) + rng.normal(0, 0.03, (40, 6))
    R[rng.random(R.shape) < missing] = NAN
    return R, F


def test_the_market_by_hand():
    R = np.array([[0.1, 0.3, NAN], [NAN, NAN, NAN], [0.0, -0.3, 0.6]])
    market = market_factor(full_panel(np.zeros((3, 3, 1)), R))
    np.testing.assert_allclose(market, [[0.2], [NAN], [0.1]])


def test_a_beta_by_hand():
    # r = 0.5 + 2 f, then one point off the line: the slope falls to that of five points.
    f = np.tile([-1.0, 0.0, 1.0], 4)
    exact = 0.5 + 2 * f
    off = exact.copy()
    off[2] += 8.0  # moves Σ f r from 16 to 24, over Σ f² = 8, and mean f is zero
    betas = time_series_betas(np.column_stack([exact, off]), f[:, None])
    np.testing.assert_allclose(betas, [[2.0], [3.0]])


@pytest.mark.parametrize("n_factors", [1, 3])
def test_as_a_slow_loop_over_assets_says(n_factors):
    R, F = returns_and_factors(n_factors, missing=0.2)
    expected = []
    for n in range(R.shape[1]):
        seen = [t for t in range(len(R)) if np.isfinite(R[t, n])]
        f, r = F[seen] - F[seen].mean(axis=0), R[seen, n] - R[seen, n].mean()
        expected.append(np.linalg.lstsq(f, r, rcond=None)[0])
    np.testing.assert_allclose(time_series_betas(R, F), expected, rtol=1e-10)


@pytest.mark.parametrize("n_factors", [1, 2])
def test_as_statsmodels_says(n_factors):
    R, F = returns_and_factors(n_factors, missing=0.1)
    expected = [
        sm.OLS(column, sm.add_constant(F), missing="drop").fit().params[1:] for column in R.T
    ]
    np.testing.assert_allclose(time_series_betas(R, F), expected, rtol=1e-10)


def test_an_asset_with_eleven_returns_has_no_beta_and_with_twelve_has_one():
    R, F = returns_and_factors(1)
    R[11:, 0] = NAN
    R[12:, 1] = NAN
    known = np.isfinite(time_series_betas(R, F)[:, 0])
    np.testing.assert_array_equal(known, [False, True, True, True, True, True])


def test_the_model_regresses_on_the_market_of_both_samples():
    panel = simulate(
        n_dates=30, n_assets=12, n_characteristics=3, seed=6, absent=0.1, missing=0.1
    ).panel
    model = ObservedFactors()
    state = model.fit(panel.between(0, 20), panel.between(20, 30)).state
    R = panel.dense(panel.R)
    betas = model.betas(state, panel)
    market = model.factors(state, panel)
    np.testing.assert_allclose(market[0, :, 0], np.nanmean(R, axis=1), rtol=1e-12)
    for n in range(12):
        seen = np.isfinite(R[:, n])
        slope = np.polyfit(market[0, seen, 0], R[seen, n], 1)[0]
        np.testing.assert_allclose(betas[0, panel.asset_index == n, 0], slope, rtol=1e-9)


def test_an_asset_listed_since_gets_the_mean_beta():
    panel = simulate(n_dates=30, n_assets=8, n_characteristics=2, seed=7).panel
    late = (panel.asset_index == 7) & (panel.date_index < 25)
    panel = with_returns(panel, np.where(late, NAN, panel.R))
    model = ObservedFactors()
    state = model.fit(panel.between(0, 20), panel.between(20, 25)).state
    assert list(state["assets"]) == [f"A{i:03d}" for i in range(7)]
    betas = model.betas(state, panel)[0, :, 0]
    np.testing.assert_allclose(betas[panel.asset_index == 7], state["betas"].mean(), rtol=1e-12)


def test_a_sample_too_short_for_any_beta_says_what_to_lengthen():
    panel = simulate(n_dates=11, n_assets=8, n_characteristics=2, seed=8).panel
    with pytest.raises(ModelError, match=r"walk_forward\.train"):
        ObservedFactors().fit(panel.between(0, 8), panel.between(8, 11))
