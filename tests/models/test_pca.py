import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD
from tests.simulated_panels import full_panel, simulate, with_returns

from latentbeta.errors import ConvergenceWarning
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


def test_loadings_are_orthogonal_of_length_root_n_and_positive_on_average():
    _, R = factor_returns(noise=0.03, missing=0.1)
    loadings = principal_components(R, 3)
    np.testing.assert_allclose((loadings**2).sum(axis=0), 12)
    # As far from orthogonal as the filled returns still moved in the last iteration.
    np.testing.assert_allclose(loadings.T @ loadings, 12 * np.eye(3), atol=1e-5)
    assert (loadings.sum(axis=0) > 0).all()


def test_gaps_in_a_matrix_without_noise_are_filled_with_the_truth():
    complete, R = factor_returns(n_dates=60, n_assets=20, missing=0.1)
    assert 0.05 < np.isnan(R).mean() < 0.15
    loadings = principal_components(R, 3, tolerance=1e-10, max_iterations=5_000)
    np.testing.assert_allclose(fitted(R, loadings), complete, atol=1e-8)


def test_gaps_as_a_slow_loop_over_expectation_and_maximisation_says():
    _, R = factor_returns(noise=0.03, missing=0.1)
    filled = np.nan_to_num(R)
    for _ in range(400):
        V = np.linalg.eigh(filled.T @ filled)[1][:, -2:]
        for t in range(R.shape[0]):
            projected = sum((filled[t] @ V[:, k]) * V[:, k] for k in range(2))
            filled[t] = [r if np.isfinite(r) else p for r, p in zip(R[t], projected, strict=True)]
    expected = V[:, ::-1] * np.sqrt(R.shape[1])
    expected *= np.sign(expected.sum(axis=0))
    found = principal_components(R, 2, tolerance=1e-12)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-8)


def test_stopping_early_is_said_and_being_done_is_not():
    _, R = factor_returns(noise=0.03, missing=0.1)
    with pytest.warns(ConvergenceWarning, match="after 2 iterations"):
        principal_components(R, 2, max_iterations=2)
    principal_components(R, 2)  # a warning would fail the test


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
