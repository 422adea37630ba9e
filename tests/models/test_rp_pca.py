import numpy as np
import pytest
from sklearn.decomposition import PCA
from tests.simulated_panels import full_panel, simulate

from latentbeta.errors import ModelError
from latentbeta.models.pca import principal_components
from latentbeta.models.rp_pca import RiskPremiumPCA, risk_premium_components

NAN = np.nan


def priced_returns(n_dates=60, n_assets=15, missing=0.0):
    """Three factors, the weakest of them well paid."""
    rng = np.random.default_rng(60)
    F = rng.normal([0.01, 0.0, 0.05], [0.10, 0.07, 0.03], (n_dates, 3))
    R = F @ rng.normal(1, 1, (3, n_assets)) + 0.03 * rng.normal(size=(n_dates, n_assets))
    return np.where(rng.random(R.shape) < missing, NAN, R)


def unit(loadings):
    loadings = loadings / np.sqrt((loadings**2).mean(axis=0))
    return loadings * np.sign(loadings.sum(axis=0))


@pytest.mark.parametrize("weight", [-1.0, 0.0, 10.0])
@pytest.mark.parametrize(("n_dates", "n_assets"), [(60, 15), (15, 60)])
def test_without_gaps_they_are_the_eigenvectors_of_their_definition(weight, n_dates, n_assets):
    R = priced_returns(n_dates, n_assets)
    means = R.mean(axis=0)
    matrix = R.T @ R / n_dates + weight * np.outer(means, means)
    expected = unit(np.linalg.eigh(matrix)[1][:, [-1, -2, -3]])
    np.testing.assert_allclose(risk_premium_components(R, 3, weight), expected, atol=1e-10)


def test_at_minus_one_they_are_scikit_learns_pca_of_the_covariance():
    R = priced_returns()
    expected = unit(PCA(3, svd_solver="full").fit(R).components_.T)
    np.testing.assert_allclose(risk_premium_components(R, 3, -1.0), expected, atol=1e-10)


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_at_zero_they_are_our_pca_gaps_or_not(missing):
    R = priced_returns(missing=missing)
    expected = principal_components(R, 3)
    np.testing.assert_allclose(risk_premium_components(R, 3, 0.0), expected, atol=1e-10)


def test_gaps_as_slow_loops_say():
    """Moments of dates by pairs; loadings by regressions on rows that V has raised, per asset."""
    R, weight = priced_returns(missing=0.15), 10.0

    def raising(n):
        return np.eye(n) + (np.sqrt(1 + weight) - 1) * np.full((n, n), 1 / n)

    n_dates = len(R)
    moments = np.array([[np.nanmean(R[t] * R[s]) for s in range(n_dates)] for t in range(n_dates)])
    factors = (
        moments
        @ raising(n_dates)
        @ np.linalg.eigh(raising(n_dates) @ moments @ raising(n_dates))[1][:, [-1, -2]]
    )
    expected = []
    for r in R.T:
        seen = np.isfinite(r)
        raised = raising(seen.sum())
        expected.append(np.linalg.lstsq(raised @ factors[seen], raised @ r[seen], rcond=None)[0])
    assert np.isnan(R).sum() > 50
    found = risk_premium_components(R, 2, weight)
    np.testing.assert_allclose(found, unit(np.array(expected)), rtol=1e-9, atol=1e-11)


def test_a_weight_finds_the_well_paid_factor_that_pca_ranks_last():
    """Lettau and Pelger's point: the mean-variance portfolio of the factors earns more for risk."""

    def sharpe(loadings):
        factors = R @ np.linalg.pinv(loadings).T
        mean = factors.mean(axis=0)
        return np.sqrt(mean @ np.linalg.solve(np.atleast_2d(np.cov(factors.T)), mean))

    R = priced_returns(400, 40)
    plain, weighted = (sharpe(risk_premium_components(R, 1, weight)) for weight in (0.0, 50.0))
    assert weighted > 1.2 * plain


def test_the_model_takes_both_samples_and_its_weight():
    panel = simulate(
        n_dates=40, n_assets=16, n_characteristics=3, seed=61, absent=0.1, missing=0.1
    ).panel
    model = RiskPremiumPCA(2, 5.0)
    assert (model.name, model.n_factors, model.n_identified) == ("rp_pca", 2, 0)
    state = model.fit(panel.between(0, 25), panel.between(25, 35)).state
    expected = risk_premium_components(panel.dense(panel.R)[:35], 2, 5.0)
    np.testing.assert_array_equal(state["betas"], expected)
    assert model.betas(state, panel).shape == (1, panel.n_rows, 2)
    assert model.factors(state, panel).shape == (1, 40, 2)


def test_more_factors_than_assets_is_an_obstacle():
    panel = full_panel(np.zeros((40, 5, 1)), priced_returns(40, 5))
    assert RiskPremiumPCA(5).obstacle(panel) is None
    assert "6 components, but only 5 assets" in RiskPremiumPCA(6).obstacle(panel)
    with pytest.raises(ModelError, match=r"rp_pca, K = 6: .*models\.n_factors"):
        RiskPremiumPCA(6).fit(panel.between(0, 20), panel.between(20, 40))
