import numpy as np
import pytest

from latentbeta.evaluation.ladder import ModelKey
from latentbeta.evaluation.managed import ManagedReturns
from latentbeta.evaluation.newey_west import mean_test
from latentbeta.evaluation.pricing_errors import pricing_error_measures, pricing_errors_of
from latentbeta.evaluation.resampling import resampled_dates

NAN = np.nan
KEY = ModelKey("ca1", 3)


def managed(n_dates=400):
    """Three portfolios: explained on average, off by 0.02, off by nothing but noise."""
    draw = np.random.default_rng(0)
    explained = draw.normal(0.01, 0.05, (n_dates, 3))
    noise = draw.normal(0, 0.05, (n_dates, 3))
    return ManagedReturns(explained + noise - noise.mean(axis=0) + [0, 0.02, 0], explained)


def test_alphas_are_the_means_of_what_is_unexplained():
    table = pricing_errors_of(KEY, managed(), ("size", "value", "constant"))
    np.testing.assert_allclose(table["alpha"], [0, 0.02, 0], atol=1e-15)
    np.testing.assert_allclose(table["mean_return"], managed().realised.mean(axis=0))
    expected = [mean_test(series).t for series in managed().realised.T]
    np.testing.assert_allclose(table["mean_return_t"], expected)
    assert table["alpha_t"][1] == pytest.approx(0.02 / (0.05 / 20), rel=0.2)
    assert list(table["portfolio"]) == ["size", "value", "constant"]


def test_errors_beyond_three_are_counted():
    table = pricing_errors_of(KEY, managed(), ("a", "b", "c"))
    weights = resampled_dates(400, draws=500, block=1.0, seed=1).weights
    found = pricing_error_measures(table, managed(), weights)
    assert (found["n_portfolios"], found["n_pricing_errors"]) == (3, 1)
    assert found["mean_abs_alpha"] == pytest.approx(0.02 / 3)
    assert 0.0005 < found["mean_abs_alpha_se"] < 0.002


def test_a_large_negative_error_counts_too():
    turned = ManagedReturns(-managed().realised, -managed().explained)
    table = pricing_errors_of(KEY, turned, ("a", "b", "c"))
    assert pricing_error_measures(table, turned, np.ones((2, 400)))["n_pricing_errors"] == 1


def test_dates_without_assets_are_left_out():
    full = managed()
    gaps = ManagedReturns(*(np.vstack([part, np.full((2, 3), NAN)]) for part in full))
    one, other = (pricing_errors_of(KEY, part, ("a", "b", "c")) for part in (full, gaps))
    np.testing.assert_array_equal(one["alpha_t"], other["alpha_t"])


def test_a_model_that_explains_nothing_has_no_errors():
    nothing = ManagedReturns(np.full((20, 3), NAN), np.full((20, 3), NAN))
    table = pricing_errors_of(KEY, nothing, ("a", "b", "c"))
    found = pricing_error_measures(table, nothing, np.ones((5, 20)))
    assert (found["n_portfolios"], found["n_pricing_errors"]) == (0, None)
    assert np.isnan([found["mean_abs_alpha"], found["mean_abs_alpha_se"]]).all()


def test_portfolios_explained_to_the_last_digit_have_no_errors():
    realised = managed().realised
    rounding = 1e-16 * (1 + 0.1 * np.random.default_rng(1).normal(size=realised.shape))
    exact = ManagedReturns(realised, realised - rounding)
    assert (exact.realised != exact.explained).any()
    table = pricing_errors_of(KEY, exact, ("a", "b", "c"))
    np.testing.assert_array_equal(table["alpha_t"], 0)
    found = pricing_error_measures(table, exact, np.ones((5, 400)))
    assert (found["n_portfolios"], found["n_pricing_errors"]) == (3, 0)
    assert found["mean_abs_alpha"] == 0


def test_a_portfolio_that_never_earns_anything_has_no_t_statistic():
    nothing = ManagedReturns(np.zeros((40, 1)), np.zeros((40, 1)))
    assert pricing_errors_of(KEY, nothing, ("a",))["alpha_t"].isna().all()
