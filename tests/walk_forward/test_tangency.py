import numpy as np
import pytest

from latentbeta.walk_forward.tangency import tangency_returns, tangency_weights

NAN = np.nan


@pytest.fixture
def factors():
    return np.random.default_rng(130).normal([0.01, 0.0, -0.02], [0.04, 0.02, 0.03], (40, 3))


def test_one_factor_by_hand():
    # Mean 0.02, standard deviation 0.02 of {0, 0.02, 0.04}: half of it has a volatility of 1 %.
    past = np.array([[0.0], [0.02], [0.04]])
    np.testing.assert_allclose(tangency_weights(past), [0.5])
    np.testing.assert_allclose(tangency_returns(np.vstack([past, [[0.03]]]), 3), [0.015])


def test_two_uncorrelated_factors_by_hand():
    # Means 1 and 2, variances 4/3 and 16/3: weights as 3/4 to 3/8, both of the same volatility
    # times 1/2 and 1/2 of it, so that each is 0.01 / sqrt(2) over its standard deviation.
    past = np.array([[2.0, 4.0], [0.0, 4.0], [2.0, 0.0], [0.0, 0.0]])
    each = 0.01 / np.sqrt(2) / np.sqrt([4 / 3, 16 / 3])
    np.testing.assert_allclose(tangency_weights(past), each)


def test_volatility_is_one_percent_in_the_sample_that_made_the_weights(factors):
    np.testing.assert_allclose((factors @ tangency_weights(factors)).std(ddof=1), 0.01)


def test_no_portfolio_has_a_higher_ratio_in_sample(factors):
    def ratio(weights):
        returns = factors @ weights
        return returns.mean() / returns.std()

    others = np.random.default_rng(131).normal(size=(500, 3))
    assert ratio(tangency_weights(factors)) >= max(ratio(w) for w in others)


def test_it_is_the_same_whatever_the_basis(factors):
    mixed = factors @ np.random.default_rng(132).normal(size=(3, 3))
    np.testing.assert_allclose(tangency_returns(mixed, 20), tangency_returns(factors, 20))


def test_a_silenced_factor_gets_no_weight(factors):
    silenced = np.column_stack([factors, np.zeros(40)])
    expected = np.append(tangency_weights(factors), 0.0)
    np.testing.assert_allclose(tangency_weights(silenced), expected, atol=1e-14)
    np.testing.assert_array_equal(tangency_weights(np.zeros((5, 2))), [0.0, 0.0])


def test_a_return_uses_no_later_factor(factors):
    before = tangency_returns(factors, 10)
    changed = factors.copy()
    changed[25:] *= -3
    after = tangency_returns(changed, 10)
    assert before[:15].tobytes() == after[:15].tobytes()
    assert tangency_returns(factors[:30], 10).tobytes() == before[:20].tobytes()
    # Weights of the first changed date are as they were, its factors are not.
    np.testing.assert_allclose(after[15], -3 * before[15])
    assert not np.isclose(after[16], -3 * before[16])


def test_unknown_dates_have_no_return_and_are_left_out_of_the_past(factors):
    gaps = factors.copy()
    gaps[[5, 30]] = NAN
    found = tangency_returns(gaps, 20)
    assert np.flatnonzero(np.isnan(found)).tolist() == [10]
    whole = np.delete(factors, [5, 30], axis=0)
    np.testing.assert_allclose(np.delete(found, 10), tangency_returns(whole, 19))


def test_a_past_too_short_for_a_covariance_gives_none(factors):
    found = tangency_returns(factors, 1)
    assert np.flatnonzero(np.isnan(found)).tolist() == [0, 1, 2]
