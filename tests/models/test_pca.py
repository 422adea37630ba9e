import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD
from tests.simulated_panels import full_panel, simulate, with_returns

from latentbeta.errors import ModelError
from latentbeta.models.gaps import likeliest_factors
from latentbeta.models.pca import (
    PrincipalComponents,
    cross_sectional_factors,
    principal_components,
)

NAN = np.nan


def factor_returns(n_dates=40, n_assets=12, n_factors=3, noise=0.0, missing=0.0):
    """Returns of known loadings, with factors strong enough to tell apart, then gaps."""
    rng = np.random.default_rng(9)
    strength = np.array([0.10, 0.06, 0.03])[:n_factors]
    complete = rng.normal(0, strength, (n_dates, n_factors)) @ rng.normal(
        1, 1, (n_factors, n_assets)
    )
    complete += noise * rng.normal(size=complete.shape)
    return complete, np.where(rng.random(complete.shape) < missing, NAN, complete)


def fitted(R, loadings):
    return np.array([loadings @ cross_sectional_factors(loadings, r) for r in R])


def test_one_factor_by_hand():
    # Returns along (3, 4) / 5: loadings of length √2 along it, whatever the factor did.
    R = np.array([[3.0, 4.0], [-6.0, -8.0], [1.5, 2.0]])
    np.testing.assert_allclose(principal_components(R, 1), np.sqrt(2) * np.array([[0.6], [0.8]]))


def test_a_full_panel_is_scikit_learns_truncated_svd():
    R, _ = factor_returns(noise=0.02)
    expected = TruncatedSVD(3, algorithm="arpack", tol=1e-14, random_state=0).fit(R).components_
    expected = expected.T * np.sqrt(R.shape[1])
    expected *= np.sign(expected.sum(axis=0))
    np.testing.assert_allclose(principal_components(R, 3), expected, rtol=1e-9, atol=1e-10)


def test_loadings_of_a_full_panel_are_orthogonal_of_length_root_n_and_positive_on_average():
    R, _ = factor_returns(noise=0.03)
    loadings = principal_components(R, 3)
    np.testing.assert_allclose(loadings.T @ loadings, 12 * np.eye(3), atol=1e-10)
    assert (loadings.sum(axis=0) > 0).all()


def test_gaps_as_slow_loops_over_pairs_of_dates_and_over_assets_say():
    _, R = factor_returns(noise=0.03, missing=0.1)
    n_dates, n_assets = R.shape
    products = np.zeros((n_dates, n_dates))
    for t in range(n_dates):
        for s in range(n_dates):
            both = [n for n in range(n_assets) if np.isfinite(R[t, n] * R[s, n])]
            products[t, s] = np.mean([R[t, n] * R[s, n] for n in both])
    factors = np.linalg.eigh(products)[1][:, [-1, -2]]
    expected = []
    for n in range(n_assets):
        known = np.isfinite(R[:, n])
        expected.append(np.linalg.lstsq(factors[known], R[known, n], rcond=None)[0])
    expected = np.array(expected)
    expected /= np.sqrt((expected**2).mean(axis=0))
    expected *= np.sign(expected.sum(axis=0))
    assert np.isnan(R).sum() > 20
    np.testing.assert_allclose(principal_components(R, 2), expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("gaps", ["second-moments", "expectation-maximisation"])
def test_either_way_with_gaps_is_the_truncated_svd_without(gaps):
    R, _ = factor_returns(noise=0.02)
    expected = np.linalg.svd(R)[2][:2].T * np.sqrt(R.shape[1])
    expected *= np.sign(expected.sum(axis=0))
    np.testing.assert_allclose(principal_components(R, 2, gaps), expected, atol=1e-6)


def test_expectation_maximisation_ends_in_regressions_on_its_factors():
    _, R = factor_returns(noise=0.03, missing=0.1)
    factors = likeliest_factors(R, 2)
    expected = []
    for r in R.T:
        seen = np.isfinite(r)
        expected.append(np.linalg.lstsq(factors[seen], r[seen], rcond=None)[0])
    expected = np.array(expected) / np.sqrt(np.mean(np.square(expected), axis=0))
    expected *= np.sign(expected.sum(axis=0))
    found = principal_components(R, 2, "expectation-maximisation")
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_gaps_in_a_matrix_without_noise_are_nearly_filled_with_the_truth():
    complete, R = factor_returns(n_dates=60, n_assets=80, missing=0.1)
    unknown = np.isnan(R)
    assert 0.05 < unknown.mean() < 0.15
    found = fitted(R, principal_components(R, 3))
    assert np.corrcoef(found[unknown], complete[unknown])[0, 1] > 0.99


def test_an_asset_that_listed_halfway_gets_the_loadings_of_its_half():
    """Its early gap must not shrink them, as zeros filled in would."""
    R, _ = factor_returns(n_dates=80, n_assets=40, n_factors=1)
    late = R.copy()
    late[:40, 0] = NAN
    full = principal_components(R, 1)
    np.testing.assert_allclose(principal_components(late, 1), full, rtol=0.02)


def test_factors_are_least_squares_of_the_returns_that_are_known():
    betas = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [9.0, 9.0]])
    # By hand: normal equations [[2, 1], [1, 2]] f = [0.2 + 0.6, 0.1 + 0.6].
    np.testing.assert_allclose(
        cross_sectional_factors(betas, np.array([0.2, 0.1, 0.6, NAN])), [0.3, 0.2]
    )


def test_fewer_returns_than_factors_give_no_factor():
    betas = np.eye(3)
    assert np.isnan(cross_sectional_factors(betas, np.array([0.1, 0.2, NAN]))).all()


@pytest.fixture(scope="module")
def panel():
    return simulate(
        n_dates=40, n_assets=16, n_characteristics=3, seed=10, absent=0.1, missing=0.1
    ).panel


def test_the_model_as_a_slow_loop_over_dates_says(panel):
    model = PrincipalComponents(2)
    state = model.fit(panel.between(0, 25), panel.between(25, 35)).state
    betas, factors = model.betas(state, panel)[0], model.factors(state, panel)[0]
    for t in range(panel.n_dates):
        rows = (panel.date_index == t) & panel.observed
        expected = np.linalg.pinv(betas[rows]) @ panel.R[rows]
        np.testing.assert_allclose(factors[t], expected, rtol=1e-9)


def test_both_samples_and_nothing_else_are_used(panel):
    model = PrincipalComponents(2)
    R = panel.dense(panel.R)[:35]
    state = model.fit(panel.between(0, 25), panel.between(25, 35)).state
    np.testing.assert_array_equal(state["betas"], principal_components(R, 2))


def test_an_asset_with_too_few_returns_is_left_out_and_gets_the_mean():
    panel = full_panel(np.zeros((40, 10, 1)), factor_returns(40, 10, 2, noise=0.02)[0])
    short = (panel.asset_index == 4) & (panel.date_index < 21)  # nineteen of forty are left
    enough = (panel.asset_index == 5) & (panel.date_index < 20)  # half of them
    panel = with_returns(panel, np.where(short | enough, NAN, panel.R))
    model = PrincipalComponents(2)
    state = model.fit(panel.between(0, 30), panel.between(30, 40)).state
    assert "A004" not in state["assets"]
    assert len(state["assets"]) == 9
    betas = model.betas(state, panel)[0]
    np.testing.assert_allclose(betas[4], state["betas"].mean(axis=0))
    others = principal_components(np.delete(panel.dense(panel.R), 4, axis=1), 2)
    np.testing.assert_array_equal(state["betas"], others)


def test_a_date_without_returns_has_no_factors():
    panel = full_panel(np.zeros((20, 6, 1)), factor_returns(20, 6)[0])
    R = np.where(panel.date_index == 7, NAN, panel.R)
    model = PrincipalComponents(2)
    gapped = with_returns(panel, R)
    state = model.fit(gapped.between(0, 15), gapped.between(15, 20)).state
    unknown = np.isnan(model.factors(state, gapped)[0]).all(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(unknown), [7])


def test_the_model_takes_its_way_with_gaps(panel):
    model = PrincipalComponents(2, "expectation-maximisation")
    state = model.fit(panel.between(0, 25), panel.between(25, 35)).state
    R = panel.dense(panel.R)[:35]
    expected = principal_components(R, 2, "expectation-maximisation")
    np.testing.assert_array_equal(state["betas"], expected)
    assert (state["betas"] != principal_components(R, 2)).any()


@pytest.mark.parametrize(("n_dates", "n_assets", "n_factors"), [(40, 5, 6), (20, 30, 21)])
def test_more_factors_than_assets_or_dates_is_an_obstacle(n_dates, n_assets, n_factors):
    panel = full_panel(np.zeros((n_dates, n_assets, 1)), factor_returns(n_dates, n_assets)[0])
    said = PrincipalComponents(n_factors).obstacle(panel)
    assert f"{n_factors} components, but only" in said
    with pytest.raises(ModelError, match=rf"pca, K = {n_factors}: .*models\.n_factors"):
        PrincipalComponents(n_factors).fit(panel.between(0, 10), panel.between(10, n_dates))
    fewer = 5 if n_assets == 5 else 10
    assert PrincipalComponents(fewer).obstacle(panel) is None
