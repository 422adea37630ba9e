from dataclasses import replace

import numpy as np
import pytest
from tests.simulated_panels import simulate, with_returns

from latentbeta.config import ObservedFactorSettings
from latentbeta.errors import ModelError
from latentbeta.models.observed_factors import ObservedFactors, window_weights
from latentbeta.models.time_series import time_series_regressions

NAN = np.nan
NAMES = ("market", "size", "momentum")


def settings(names=NAMES, window="full", length=60):
    # A window shorter than the settings allow keeps the tests small.
    return ObservedFactorSettings.model_construct(names=names, window=window, length=length)


@pytest.fixture(scope="module")
def panel():
    panel = simulate(
        n_dates=40, n_assets=12, n_characteristics=3, seed=6, absent=0.1, missing=0.1, noise=0.05
    ).panel
    return replace(panel, characteristic_names=("mvel1", "mom12m", "retvol"))


def fitted(model, panel, middle=20, end=30):
    return model.fit(panel.between(0, middle), panel.between(middle, end)).state


def test_windows_by_hand():
    np.testing.assert_array_equal(window_weights(settings(), 3), [1, 1, 1])
    rolling = settings(window="rolling", length=2)
    np.testing.assert_array_equal(window_weights(rolling, 4), [0, 0, 1, 1])
    np.testing.assert_array_equal(window_weights(rolling, 1), [1])
    halving = settings(window="exponential", length=2)
    np.testing.assert_allclose(window_weights(halving, 5), [0.25, 0.5**1.5, 0.5, 0.5**0.5, 1])


def test_the_market_alone_is_the_mean_return_of_both_samples(panel):
    model = ObservedFactors()
    state = fitted(model, panel)
    R = panel.dense(panel.R)
    betas = model.betas(state, panel)
    market = model.factors(state, panel)
    np.testing.assert_allclose(market[0, :, 0], np.nanmean(R, axis=1), rtol=1e-12)
    for n in range(12):
        seen = np.flatnonzero(np.isfinite(R[:30, n]))
        slope = np.polyfit(market[0, seen, 0], R[seen, n], 1)[0]
        np.testing.assert_allclose(betas[0, panel.asset_index == n, 0], slope, rtol=1e-9)


def test_a_rolling_window_forgets_and_a_full_one_does_not(panel):
    early = panel.date_index < 10
    changed = with_returns(panel, np.where(early, 3 * panel.R, panel.R))
    for window, same in (("rolling", True), ("full", False), ("exponential", False)):
        model = ObservedFactors(2, settings(window=window, length=20))
        one, other = fitted(model, panel), fitted(model, changed)
        for name in ("betas", "betas_se", "alphas", "alphas_se"):
            assert np.array_equal(one[name], other[name]) == same


def test_exponential_weights_lie_between_the_full_and_the_newest_dates(panel):
    """By the weights' definition, worked once more with the regression's own arguments."""
    model = ObservedFactors(3, settings(window="exponential", length=15))
    sample = panel.between(0, 30)
    F = model.factors({}, sample)[0]
    weights = np.array([2.0 ** (-(29 - t) / 15) for t in range(30)])
    expected = time_series_regressions(sample.dense(sample.R), F, weights)
    np.testing.assert_allclose(fitted(model, panel)["betas"], expected.betas, rtol=1e-12)
    np.testing.assert_allclose(fitted(model, panel)["alphas_se"], expected.alphas_se, rtol=1e-12)


def test_factors_that_made_the_returns_are_found_again():
    study = simulate(
        n_dates=200, n_assets=8, n_characteristics=2, seed=8, betas=lambda Z: 0 * Z + 1, noise=0.0
    )
    loadings = np.random.default_rng(4).normal(1, 0.5, (8, 2))
    F = study.factors
    R = (loadings[study.panel.asset_index] * F[study.panel.date_index]).sum(axis=1) + 0.002
    panel = replace(study.panel, R=R, F=F, factor_names=("MktRF", "SMB"))
    model = ObservedFactors(2, settings(names=("MktRF", "SMB")))
    state = fitted(model, panel, 100, 200)
    np.testing.assert_allclose(state["betas"], loadings, rtol=1e-9)
    np.testing.assert_allclose(state["alphas"], 0.002, rtol=1e-7)
    assert np.abs(state["betas_se"]).max() < 1e-9
    np.testing.assert_array_equal(model.factors(state, panel), F[None])


def test_an_asset_listed_since_gets_the_mean_beta():
    panel = simulate(n_dates=30, n_assets=8, n_characteristics=2, seed=7).panel
    late = (panel.asset_index == 7) & (panel.date_index < 25)
    panel = with_returns(panel, np.where(late, NAN, panel.R))
    model = ObservedFactors()
    state = fitted(model, panel, 20, 25)
    assert list(state["assets"]) == [f"A{i:03d}" for i in range(7)]
    betas = model.betas(state, panel)[0, :, 0]
    np.testing.assert_allclose(betas[panel.asset_index == 7], state["betas"].mean(), rtol=1e-12)


def test_every_factor_is_published_as_it_is(panel):
    assert [ObservedFactors(k, settings()).n_identified for k in (1, 2, 3)] == [1, 2, 3]
    assert not ObservedFactors().uses_characteristics


def test_saved_loadings_are_the_states(panel, tmp_path):
    model = ObservedFactors(3, settings())
    state = fitted(model, panel)
    model.export(state, np.eye(3)[None], np.zeros((1, 3)), tmp_path)
    with np.load(tmp_path / "loadings.npz", allow_pickle=False) as file:
        assert set(file.files) == {"assets", "betas", "betas_se", "alphas", "alphas_se"}
        for name in file.files:
            np.testing.assert_array_equal(file[name], state[name])


def test_an_obstacle_stops_the_fit_and_is_said(panel):
    model = ObservedFactors(2, settings(names=("market", "HML")))
    assert "HML" in model.obstacle(panel)
    with pytest.raises(ModelError, match=r"observed_factors, K = 2: no factor is called HML"):
        fitted(model, panel)


def test_a_factor_that_begins_too_late_is_an_obstacle(panel):
    F = np.where(np.arange(40) < 19, NAN, 0.01 * np.arange(40.0))[:, None]
    panel = replace(panel, F=F, factor_names=("RMW",))
    model = ObservedFactors(2, settings(names=("market", "RMW")))
    assert model.obstacle(panel.between(0, 30)) == (
        "the first 2 of market, RMW must be known together on 12 dates of the sample; of 30, the 2"
        " factors are on 30, 11"
    )
    assert model.obstacle(panel.between(0, 31)) is None


def test_a_sample_too_short_for_any_beta_says_what_to_lengthen():
    panel = simulate(n_dates=40, n_assets=8, n_characteristics=2, seed=8).panel
    thin = panel.date_index % 8 != panel.asset_index  # each asset on five dates of forty
    panel = with_returns(panel, np.where(thin, NAN, panel.R))
    with pytest.raises(ModelError, match=r"walk_forward\.train"):
        fitted(ObservedFactors(), panel)


def test_later_dates_change_no_byte_of_factors_and_betas(panel):
    model = ObservedFactors(3, settings())
    state = fitted(model, panel)
    later = panel.date_index >= 30
    other = replace(
        panel,
        R=np.where(later, panel.R[::-1], panel.R),
        Z=np.where(later[:, None], panel.Z[::-1], panel.Z),
    )
    assert model.factors(state, panel)[:, :30].tobytes() == (
        model.factors(state, other)[:, :30].tobytes()
    )
    assert model.betas(state, panel).tobytes() == model.betas(state, other).tobytes()
    for name, values in fitted(model, other).items():
        assert values.tobytes() == state[name].tobytes()
