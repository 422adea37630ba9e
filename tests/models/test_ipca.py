import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.reference.make_ipca_reference import (
    N_DATES,
    REFERENCE,
    given_factors,
    simulated_rows,
)
from tests.simulated_panels import full_panel, panel_of, simulate, with_returns

from latentbeta.errors import ConvergenceWarning, ModelError
from latentbeta.models.ipca import InstrumentedPCA
from latentbeta.models.ipca_solver import estimate_gamma
from latentbeta.models.ipca_steps import factors_given_gamma, gamma_given_factors, normalise
from latentbeta.models.managed_portfolios import second_moments, with_constant
from latentbeta.models.panel_factors import market_factor

NAN = np.nan
CASES = {case["name"]: case for case in json.loads(Path(REFERENCE).read_text())}


@pytest.fixture(scope="module")
def panel():
    return simulate(
        n_dates=30, n_assets=24, n_characteristics=4, seed=12, absent=0.2, missing=0.1, noise=0.05
    ).panel


def solve(panel, n_latent, given=None, **options):
    """[Δ, Γ], the latent factors, and the fitted returns of the panel's rows."""
    ZZ, ZR, _ = second_moments(panel)
    gamma = estimate_gamma(ZZ, ZR, n_latent, given, **options)
    factors = factors_given_gamma(ZZ, ZR, gamma, given)
    every = factors if given is None else np.hstack([given, factors])
    betas = with_constant(panel.Z) @ gamma
    return gamma, factors, (betas * every[panel.date_index]).sum(axis=1)


def sum_of_squares(panel, gamma):
    """Σ (r - Zγf)² with the best factors for this Γ, by a loop over dates."""
    total = 0.0
    for rows in panel.blocks():
        seen = panel.observed[rows]
        betas, r = with_constant(panel.Z[rows][seen]) @ gamma, panel.R[rows][seen]
        f = np.linalg.lstsq(betas, r, rcond=None)[0]
        total += ((r - betas @ f) ** 2).sum()
    return total


def test_one_step_each_way_by_hand():
    # Two assets, Z = ±1 and the constant: Z'Z = 2 I. Returns 0.3 and 0.1 give Z'R = (0.2, 0.4).
    panel = full_panel(np.array([[[1.0], [-1.0]]]), np.array([[0.3, 0.1]]))
    ZZ, ZR, _ = second_moments(panel)
    gamma = np.array([[0.0], [1.0]])  # all of beta is the constant: f is the mean return
    np.testing.assert_allclose(factors_given_gamma(ZZ, ZR, gamma), [[0.2]])
    # Given f = 0.2: vec Γ = Z'R f / (2 f²) = (0.2, 0.4) / 0.4.
    np.testing.assert_allclose(gamma_given_factors(ZZ, ZR, np.array([[0.2]])), [[0.5], [1.0]])


@pytest.mark.parametrize("n_factors", [1, 2])
def test_steps_as_regressions_on_rows_say(panel, n_factors):
    rng = np.random.default_rng(13)
    ZZ, ZR, _ = second_moments(panel)
    gamma = rng.normal(size=(5, n_factors))
    seen = panel.observed
    X, r, date = with_constant(panel.Z[seen]), panel.R[seen], panel.date_index[seen]
    factors = factors_given_gamma(ZZ, ZR, gamma)
    for t in range(panel.n_dates):
        expected = np.linalg.lstsq(X[date == t] @ gamma, r[date == t], rcond=None)[0]
        np.testing.assert_allclose(factors[t], expected, rtol=1e-8)
    # r = Σ_pk z_p f_k Γ_pk: one regression on the products of characteristics and factors.
    products = np.array([np.kron(x, factors[t]) for x, t in zip(X, date, strict=True)])
    expected = np.linalg.lstsq(products, r, rcond=None)[0].reshape(5, n_factors)
    np.testing.assert_allclose(gamma_given_factors(ZZ, ZR, factors), expected, rtol=1e-8)


def test_as_a_slow_loop_over_rows_says(panel):
    """Only the two regressions on rows, from another start; compare what is identified."""
    seen = panel.observed
    X, r, date = with_constant(panel.Z[seen]), panel.R[seen], panel.date_index[seen]
    gamma = np.random.default_rng(14).normal(size=(5, 2))
    for _ in range(400):
        factors = np.array(
            [
                np.linalg.lstsq(X[date == t] @ gamma, r[date == t], rcond=None)[0]
                for t in range(panel.n_dates)
            ]
        )
        products = (X[:, :, None] * factors[date][:, None, :]).reshape(len(X), -1)
        gamma = np.linalg.lstsq(products, r, rcond=None)[0].reshape(5, 2)
    expected = ((X @ gamma) * factors[date]).sum(axis=1)
    _, _, found = solve(panel, 2, tolerance=1e-12)
    np.testing.assert_allclose(found[seen], expected, atol=1e-8)


def given_in(case):
    """(T, M) the constant and given factors of a reference case."""
    constant = np.ones((N_DATES, int(case["intercept"])))
    return np.hstack([constant, given_factors(case["seed"], case["n_given"])])


@pytest.mark.parametrize("name", CASES)
def test_as_the_package_ipca_says(name):
    case = CASES[name]
    present, Z, R = simulated_rows(case["seed"], case["absent"])
    panel = panel_of(present, Z, R)
    assert R.sum() == pytest.approx(case["sum_of_returns"], rel=1e-12)
    inputs = with_constant(Z)
    assert inputs.sum() == pytest.approx(case["sum_of_characteristics"], rel=1e-12)
    given = given_in(case)
    gamma, factors, fitted = solve(panel, case["n_latent"], given, tolerance=1e-12)
    np.testing.assert_allclose(fitted, case["fitted"], atol=1e-8)
    # Both are normalised alike (the package by moments about zero too), signs included.
    np.testing.assert_allclose(gamma, case["gamma"], atol=1e-6)
    np.testing.assert_allclose(np.hstack([given, factors]), case["factors"], atol=1e-6)


def test_the_reference_has_three_panels_without_and_with_given_factors_gaps_in_some():
    plain = [name for name, case in CASES.items() if not case["n_given"] + case["intercept"]]
    given = [name for name, case in CASES.items() if case["n_given"]]
    for names in (plain, given):
        assert len({CASES[name]["seed"] for name in names}) >= 3
        assert {CASES[name]["absent"] > 0 for name in names} == {True, False}


@pytest.mark.parametrize("n_factors", [1, 3])
def test_normalisation(panel, n_factors):
    gamma, factors, _ = solve(panel, n_factors)
    np.testing.assert_allclose(gamma.T @ gamma, np.eye(n_factors), atol=1e-12)
    moment = factors.T @ factors
    np.testing.assert_allclose(moment, np.diag(np.diag(moment)), atol=1e-12)
    assert (np.diff(np.diag(moment)) < 0).all()
    assert (factors.mean(axis=0) >= 0).all()


def test_normalising_changes_no_product():
    rng = np.random.default_rng(15)
    gamma, factors = rng.normal(size=(6, 3)), rng.normal(size=(20, 3))
    turned_gamma, turned_factors = normalise(gamma, factors)
    np.testing.assert_allclose(turned_factors @ turned_gamma.T, factors @ gamma.T, atol=1e-12)


def test_no_small_step_away_from_the_solution_fits_better(panel):
    gamma, _, _ = solve(panel, 2, tolerance=1e-10)
    best = sum_of_squares(panel, gamma)
    rng = np.random.default_rng(16)
    for _ in range(20):
        step = rng.normal(size=gamma.shape)
        assert sum_of_squares(panel, gamma + 1e-3 * step / np.linalg.norm(step)) > best


def given_as_a_slow_loop_says(panel, n_latent, given, steps=600):
    """Fitted returns by regressions on rows alone, from another start."""
    seen = panel.observed
    X, r, date = with_constant(panel.Z[seen]), panel.R[seen], panel.date_index[seen]
    n_given = given.shape[1]
    B = np.random.default_rng(14).normal(size=(X.shape[1], n_given + n_latent))
    for _ in range(steps):
        left = r - ((X @ B[:, :n_given]) * given[date]).sum(axis=1)
        factors = np.array(
            [
                np.linalg.lstsq(X[date == t] @ B[:, n_given:], left[date == t], rcond=None)[0]
                for t in range(panel.n_dates)
            ]
        )
        h = np.hstack([given, factors])[date]
        products = (X[:, :, None] * h[:, None, :]).reshape(len(X), -1)
        B = np.linalg.lstsq(products, r, rcond=None)[0].reshape(X.shape[1], -1)
    return ((X @ B) * h).sum(axis=1)


def test_intercept_and_given_factors_together_as_a_slow_loop_over_rows_says(panel):
    """The package has no such combination, so a loop stands in for it."""
    rng = np.random.default_rng(30)
    given = np.column_stack([np.ones(panel.n_dates), rng.normal(0.01, 0.1, (panel.n_dates, 2))])
    _, _, found = solve(panel, 1, given, tolerance=1e-12)
    expected = given_as_a_slow_loop_says(panel, 1, given)
    np.testing.assert_allclose(found[panel.observed], expected, atol=1e-8)


def test_normalisation_with_given_factors(panel):
    given = np.column_stack([np.ones(panel.n_dates), np.linspace(-0.1, 0.2, panel.n_dates)])
    gamma, factors, _ = solve(panel, 2, given)
    latent = gamma[:, 2:]
    np.testing.assert_allclose(latent.T @ latent, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(latent.T @ gamma[:, :2], 0, atol=1e-12)
    moment = factors.T @ factors
    np.testing.assert_allclose(moment, np.diag(np.diag(moment)), atol=1e-12)
    assert (factors.mean(axis=0) >= 0).all()


def test_an_intercept_in_the_returns_is_found():
    rng = np.random.default_rng(31)
    Z = rng.uniform(-1, 1, (60, 50, 4)).astype(np.float32)
    factors = rng.normal(0, 0.1, (60, 1))
    R = 0.03 * Z[..., 1] - 0.01 * Z[..., 2] + Z[..., 0] * factors
    gamma, _, fitted = solve(full_panel(Z, R), 1, np.ones((60, 1)))
    np.testing.assert_allclose(fitted, R.ravel(), atol=1e-8)
    # The part along the latent factor's own betas is the factor's mean, not an intercept.
    np.testing.assert_allclose(gamma[:, 0], [0, 0.03, -0.01, 0, 0], atol=1e-6)
    np.testing.assert_allclose(gamma[:, 1], [1, 0, 0, 0, 0], atol=1e-6)


def test_linear_betas_without_noise_are_found():
    simulated = simulate(n_dates=40, n_assets=30, n_characteristics=5, seed=17, noise=0.0)
    _, _, fitted = solve(simulated.panel, 3)
    np.testing.assert_allclose(fitted, simulated.panel.R, atol=1e-6)


def test_equal_characteristics_change_no_fitted_return():
    panel = simulate(n_dates=25, n_assets=20, n_characteristics=3, seed=18, noise=0.05).panel
    doubled = full_panel(panel.Z[:, [0, 0, 1, 2]].reshape(25, 20, 4), panel.R.reshape(25, 20))
    _, _, alone = solve(panel, 2, tolerance=1e-10)
    _, _, twice = solve(doubled, 2, tolerance=1e-10)
    np.testing.assert_allclose(twice, alone, atol=1e-8)


def test_stopping_early_is_said(panel):
    ZZ, ZR, _ = second_moments(panel)
    with pytest.warns(ConvergenceWarning, match="after 2 iterations"):
        estimate_gamma(ZZ, ZR, 2, tolerance=0.0, max_iterations=2)


def test_a_factor_a_hundred_times_weaker_is_found_too():
    """No cutoff for collinear characteristics may mistake it for nothing."""
    rng = np.random.default_rng(24)
    Z = rng.uniform(-1, 1, (60, 50, 5)).astype(np.float32)
    factors = rng.normal(0.02, 0.1, (60, 1, 2)) * [1.0, 0.003]
    panel = full_panel(Z, (Z[..., :2].astype(np.float64) * factors).sum(axis=2))
    _, _, fitted = solve(panel, 2)
    np.testing.assert_allclose(fitted, panel.R, atol=1e-9)


def test_more_factors_than_directions_say_what_to_lower():
    panel = simulate(n_dates=20, n_assets=20, n_characteristics=2, seed=25).panel
    doubled = full_panel(panel.Z[:, [0, 0, 1]].reshape(20, 20, 3), panel.R.reshape(20, 20))
    ZZ, ZR, _ = second_moments(doubled)
    assert estimate_gamma(ZZ, ZR, 3).shape == (4, 3)
    with pytest.raises(ModelError, match=r"4 factors.*3 directions.*models\.n_factors"):
        estimate_gamma(ZZ, ZR, 4)
    with pytest.raises(ModelError, match=r"3 factors beside the observed.*3 directions"):
        estimate_gamma(ZZ, ZR, 3, np.ones((20, 1)))
    assert InstrumentedPCA(3).obstacle(doubled) is None
    assert "span 3 directions" in InstrumentedPCA(4).obstacle(doubled)
    assert "span 3 directions" in InstrumentedPCA(3, intercept=True).obstacle(doubled)


def test_collinear_observed_factors_are_an_obstacle(panel):
    constant = replace(panel, factor_names=("one",), F=np.full((panel.n_dates, 1), 0.5))
    assert InstrumentedPCA(1, observed=("one",)).obstacle(constant) is None
    model = InstrumentedPCA(1, intercept=True, observed=("one",))
    assert "a combination of the others" in model.obstacle(constant)
    with pytest.raises(ModelError, match="a combination of the others"):
        model.fit(constant.between(0, 15), constant.between(15, 25))


def test_an_unknown_observed_factor_is_named(panel):
    model = InstrumentedPCA(1, observed=("market", "HML"))
    assert "HML" in model.obstacle(panel)
    with pytest.raises(ModelError, match="HML"):
        model.fit(panel.between(0, 15), panel.between(15, 25))


def test_given_factors_come_first_and_as_they_are(panel):
    F = np.random.default_rng(32).normal(0.01, 0.1, (panel.n_dates, 2))
    F[3, 0] = NAN
    panel = replace(panel, factor_names=("HML", "SMB"), F=F)
    model = InstrumentedPCA(2, intercept=True, observed=("market", "HML"))
    assert (model.n_factors, model.n_identified) == (5, 3)
    state = model.fit(panel.between(0, 15), panel.between(15, 25)).state
    betas, factors = model.betas(state, panel)[0], model.factors(state, panel)[0]
    assert betas.shape == (panel.n_rows, 5)
    np.testing.assert_array_equal(factors[:, 0], 1)
    np.testing.assert_array_equal(factors[:, 1], market_factor(panel)[:, 0])
    np.testing.assert_array_equal(factors[:, 2], F[:, 0])
    for t in range(panel.n_dates):
        rows = (panel.date_index == t) & panel.observed
        left = panel.R[rows] - betas[rows, :3] @ factors[t, :3]
        expected = np.full(2, NAN) if t == 3 else np.linalg.pinv(betas[rows, 3:]) @ left
        np.testing.assert_allclose(factors[t, 3:], expected, rtol=1e-8)
    # The date on which HML is not known is in no estimate either.
    others = np.delete(np.arange(25), 3)
    ZZ, ZR, _ = second_moments(panel.between(0, 25))
    gamma = estimate_gamma(ZZ[others], ZR[others], 2, factors[others, :3])
    np.testing.assert_array_equal(state["gamma"], gamma)


def test_newton_ends_where_alternating_would_stay():
    """A weak fourth factor and correlated characteristics: alternating alone crawls."""
    rng = np.random.default_rng(33)
    common = rng.normal(size=(50, 60, 1))
    Z = np.tanh(common + rng.normal(size=(50, 60, 8))).astype(np.float32)
    strength = rng.normal(0, [0.08, 0.05, 0.02, 0.004], (50, 4))
    R = np.einsum("tnp,pk,tk->tn", Z, rng.normal(size=(8, 4)), strength)
    panel = full_panel(Z, R + 0.1 * rng.standard_t(5, R.shape))
    ZZ, ZR, _ = second_moments(panel)
    gamma, factors, _ = solve(panel, 4)
    again = gamma
    for _ in range(20):
        again = gamma_given_factors(ZZ, ZR, factors_given_gamma(ZZ, ZR, again))
    again, moved = normalise(again, factors_given_gamma(ZZ, ZR, again))
    np.testing.assert_allclose(again, gamma, atol=1e-7)
    np.testing.assert_allclose(moved, factors, atol=1e-8)


def test_the_model_applies_gamma_and_regresses_each_date(panel):
    model = InstrumentedPCA(2)
    state = model.fit(panel.between(0, 15), panel.between(15, 25)).state
    expected, _, _ = solve(panel.between(0, 25), 2)
    np.testing.assert_array_equal(state["gamma"], expected)
    betas, factors = model.betas(state, panel)[0], model.factors(state, panel)[0]
    np.testing.assert_allclose(betas, with_constant(panel.Z) @ expected, atol=1e-14)
    for t in range(panel.n_dates):
        rows = (panel.date_index == t) & panel.observed
        np.testing.assert_allclose(
            factors[t], np.linalg.lstsq(betas[rows], panel.R[rows], rcond=None)[0], rtol=1e-8
        )


def test_dates_without_returns_have_no_factors_and_no_part_in_gamma(panel):
    emptied = with_returns(panel, np.where(panel.date_index == 4, NAN, panel.R))
    model = InstrumentedPCA(2)
    state = model.fit(emptied.between(0, 20), emptied.between(20, 30)).state
    unknown = np.isnan(model.factors(state, emptied)[0]).all(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(unknown), [4])
    assert np.isfinite(model.betas(state, emptied)).all()


def test_last_bits_do_not_depend_on_how_many_dates_follow():
    panel = simulate(n_dates=30, n_assets=11, n_characteristics=8, seed=19).panel
    given = InstrumentedPCA(2, intercept=True, observed=("market",))
    for model in (InstrumentedPCA(1), InstrumentedPCA(4), InstrumentedPCA(5), given):
        gamma = np.random.default_rng(20).normal(size=(9, model.n_factors))
        betas = model.betas({"gamma": gamma}, panel)
        factors = model.factors({"gamma": gamma}, panel)
        for stop in range(1, 30):
            shorter = panel.between(0, stop)
            np.testing.assert_array_equal(
                model.betas({"gamma": gamma}, shorter), betas[:, : shorter.n_rows]
            )
            np.testing.assert_array_equal(
                model.factors({"gamma": gamma}, shorter), factors[:, :stop]
            )
