from dataclasses import dataclass

import numpy as np
import pytest

from latentbeta.models.ipca import InstrumentedPCA
from latentbeta.models.lecture_autoencoder import universe_returns
from latentbeta.models.observed_factors import ObservedFactors
from latentbeta.models.pca import PrincipalComponents
from latentbeta.walk_forward.estimates import average_product, estimate_fold, expanding_premia

NAN = np.nan


def test_premia_by_hand():
    factors = np.array([[[0.1, 1.0], [0.3, NAN], [NAN, NAN], [0.2, 4.0], [9.0, 9.0]]])
    expected = [[NAN, NAN], [0.1, 1.0], [0.2, 1.0], [0.2, 1.0], [0.2, 2.5]]
    np.testing.assert_allclose(expanding_premia(factors), [expected])


def test_products_are_averaged_by_hand():
    # Two members; the second is the first with both signs turned: its products are the same.
    betas = np.array([[[1.0, 2.0], [3.0, 0.0]], [[-1.0, -2.0], [-3.0, 0.0]]])
    factors = np.array([[[0.1, 0.2], [0.5, 0.0]], [[-0.1, -0.2], [-0.5, 0.0]]])
    found = average_product(betas, factors, np.array([0, 1]))
    np.testing.assert_allclose(found, [0.5, 1.5])
    np.testing.assert_array_equal(betas.mean(axis=0) @ factors.mean(axis=0).T, np.zeros((2, 2)))


def fitted_fold(model, study, number=1):
    fold = study.folds[number]
    training = study.panel.between(fold.train_start, fold.validation_start)
    validation = study.panel.between(fold.validation_start, fold.validation_end)
    state = model.fit(training, validation).state
    return fold, state, estimate_fold(model, state, study.panel, fold, None)


@pytest.mark.parametrize("model", [ObservedFactors(), PrincipalComponents(3), InstrumentedPCA(3)])
def test_as_slow_loops_over_rows_say(study, model):
    fold, state, estimates = fitted_fold(model, study)
    betas = model.betas(state, study.panel)[0]
    factors = model.factors(state, study.panel)[0]
    fitted, forecast = [], []
    for t in range(fold.test_start, fold.test_end):
        premium = np.mean([factors[s] for s in range(fold.train_start, t)], axis=0)
        for row in np.flatnonzero(study.panel.date_index == t):
            fitted.append(sum(b * f for b, f in zip(betas[row], factors[t], strict=True)))
            forecast.append(sum(b * f for b, f in zip(betas[row], premium, strict=True)))
    np.testing.assert_allclose(estimates.fitted, fitted, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(estimates.forecast, forecast, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("number", [0, 1, 3])
def test_published_betas_factors_and_premia_have_the_products_of_the_raw_ones(study, number):
    _, _, estimates = fitted_fold(InstrumentedPCA(3), study, number)
    date = estimates.panel.date_index
    fitted = (estimates.betas * estimates.factors[date]).sum(axis=1)
    forecast = (estimates.betas * estimates.premia[date]).sum(axis=1)
    np.testing.assert_allclose(fitted, estimates.fitted, atol=1e-12)
    np.testing.assert_allclose(forecast, estimates.forecast, atol=1e-12)


def test_the_newest_date_has_a_forecast_but_nothing_fitted(study):
    _, _, estimates = fitted_fold(InstrumentedPCA(3), study, 3)
    assert estimates.panel.n_dates == 1
    assert np.isnan(estimates.panel.R).all()
    assert np.isnan(estimates.fitted).all()
    assert np.isnan(estimates.factors).all()
    for known in (estimates.forecast, estimates.betas, estimates.premia):
        assert np.isfinite(known).all()


def test_premia_count_every_date_before_the_embargo_too(study):
    """An embargo keeps returns from the fit, not from the mean that was known by then."""
    fold, state, estimates = fitted_fold(InstrumentedPCA(2), study)
    embargoed = fold.validation_end
    assert fold.test_start == embargoed + 1
    model = InstrumentedPCA(2)
    factors = model.factors(state, study.panel)[0, : fold.test_start]
    expected = factors.mean(axis=0) @ estimates.rotations[0]
    np.testing.assert_allclose(estimates.premia[0], expected, rtol=1e-9)


class _Leading(ObservedFactors):
    """A model whose factor is yesterday's market: what it explains, it forecasts."""

    def factors(self, state, panel):
        return universe_returns(panel, panel.assets, lag=1).mean(axis=1)[None, :, None]


def test_a_model_that_leads_forecasts_what_it_fits(study):
    _, _, estimates = fitted_fold(_Leading(leads=True, tradable=False), study, 3)
    np.testing.assert_array_equal(estimates.forecast, estimates.fitted)
    np.testing.assert_array_equal(estimates.premia, estimates.factors)
    assert np.isfinite(estimates.forecast).all()
    assert np.isnan(estimates.tangency).all()  # nobody earns a factor that is no portfolio's return


@dataclass(frozen=True)
class _BesideTheMarket:
    """The market with a beta of one, given, and what IPCA finds: three members, each in a basis
    of its own."""

    n_latent: int
    name: str = "beside_the_market"
    leads: bool = False
    n_identified: int = 1
    uses_characteristics: bool = True
    tradable: bool = True

    @property
    def n_factors(self):
        return self.n_identified + self.n_latent

    def _turns(self):
        rng = np.random.default_rng(7)
        return rng.normal(size=(3, self.n_latent, self.n_latent))

    def fit(self, training, validation):
        return InstrumentedPCA(self.n_latent).fit(training, validation)

    def betas(self, state, panel):
        latent = InstrumentedPCA(self.n_latent).betas(state, panel)[0]
        turned = np.einsum("nk,mjk->mnj", latent, np.linalg.inv(self._turns()))
        return np.concatenate([np.ones((*turned.shape[:2], 1)), turned], axis=2)

    def factors(self, state, panel):
        market = ObservedFactors().factors(state, panel)[0]
        latent = InstrumentedPCA(self.n_latent).factors(state, panel)[0]
        turned = np.einsum("tk,mkj->mtj", latent, self._turns())
        return np.concatenate([np.repeat(market[None], 3, axis=0), turned], axis=2)


def test_observed_factors_are_published_as_they_are_beside_latent_ones(study):
    model = _BesideTheMarket(2)
    _, state, estimates = fitted_fold(model, study)
    test = estimates.panel
    np.testing.assert_allclose(estimates.betas[:, 0], 1.0, rtol=1e-15)
    market = ObservedFactors().factors(state, test)[0, :, 0]
    np.testing.assert_allclose(estimates.factors[:, 0], market, rtol=1e-15)
    for G in estimates.rotations:
        np.testing.assert_array_equal(G[0], [1, 0, 0])
        np.testing.assert_array_equal(G[:, 0], [1, 0, 0])
    # The latent ones come to one basis, so that products of averages are averages of products.
    fitted = (estimates.betas * estimates.factors[test.date_index]).sum(axis=1)
    forecast = (estimates.betas * estimates.premia[test.date_index]).sum(axis=1)
    np.testing.assert_allclose(fitted, estimates.fitted, atol=1e-12)
    np.testing.assert_allclose(forecast, estimates.forecast, atol=1e-12)


def test_and_their_raw_averages_would_not_have_those_products(study):
    """What makes the test above one that can fail."""
    model = _BesideTheMarket(2)
    _, state, estimates = fitted_fold(model, study)
    test = estimates.panel
    betas = model.betas(state, test).mean(axis=0)
    factors = model.factors(state, test).mean(axis=0)[test.date_index]
    assert np.abs((betas * factors).sum(axis=1) - estimates.fitted).max() > 0.01


def test_an_observed_models_published_betas_are_its_regressions(study):
    model = ObservedFactors()
    for number in (0, 1, 3):
        _, state, estimates = fitted_fold(model, study, number)
        test = estimates.panel
        np.testing.assert_array_equal(estimates.rotations, [np.eye(model.n_factors)])
        np.testing.assert_array_equal(estimates.betas, model.betas(state, test)[0])
        np.testing.assert_array_equal(estimates.factors, model.factors(state, test)[0])


def test_the_tangency_portfolio_is_one_of_the_published_factors(study):
    fold, state, estimates = fitted_fold(InstrumentedPCA(3), study)
    window = InstrumentedPCA(3).factors(state, study.panel.between(0, fold.test_end))[0]
    published = window @ estimates.rotations[0]
    for t, found in enumerate(estimates.tangency):
        past = published[: fold.test_start + t]
        weights = np.linalg.solve(np.cov(past.T), past.mean(axis=0))
        weights *= 0.01 / np.sqrt(weights @ np.cov(past.T) @ weights)
        np.testing.assert_allclose(found, weights @ published[fold.test_start + t], rtol=1e-8)
