import numpy as np
import pandas as pd
import pytest
from tests.synthetic_results import Market, betas_of, factors_of, predictions_of

from latentbeta.evaluation.truth import oracle_r_squared, recover, recovered_truth


@pytest.fixture(scope="module")
def market():
    return Market()


@pytest.fixture(scope="module")
def truth(market):
    betas = market.long(factor_1=market.betas[..., 0], factor_2=market.betas[..., 1])
    factors = pd.DataFrame(
        {"date": market.dates, "factor_1": market.factors[:, 0], "factor_2": market.factors[:, 1]}
    )
    return betas, factors


def test_a_rotation_is_undone():
    true = np.random.default_rng(0).normal(size=(50, 2))
    turn = np.array([[2.0, 1.0], [0.5, -1.0]])
    found = recover(true @ turn, true)
    np.testing.assert_allclose(found.correlation, 1)
    np.testing.assert_allclose(found.rotation, np.linalg.inv(turn), atol=1e-12)


def test_noise_is_not():
    draw = np.random.default_rng(0)
    found = recover(draw.normal(size=(5000, 2)), draw.normal(size=(5000, 2)))
    assert np.abs(found.correlation).max() < 0.1


def test_correlation_by_hand():
    # Slope 2/8; the mapped (0.5, 0, 0.5) against (1, 0, 0).
    published, true = np.array([[2.0], [0.0], [2.0]]), np.array([[1.0], [0.0], [0.0]])
    found = recover(published, true)
    assert found.rotation[0, 0] == pytest.approx(0.25)
    assert found.correlation[0] == pytest.approx(0.5)


def test_too_little_to_map_is_no_recovery():
    found = recover(np.full((5, 2), np.nan), np.ones((5, 3)))
    assert np.isnan(found.correlation).all()
    assert found.n_rows == 0


def test_the_closer_model_recovers_more(market, truth):
    found = recovered_truth(betas_of(market), factors_of(market), *truth)
    assert [record["model"] for record in found] == ["observed_factors", "pca", "ipca", "ca1"]
    first = [record["beta_correlation"][0] for record in found]
    assert first == sorted(first)
    assert first[-1] > 0.97
    np.testing.assert_allclose(found[0]["factor_correlation"], 1)


def test_fewer_factors_than_the_truth_has(market, truth):
    betas = betas_of(market).assign(n_factors=1)
    factors = factors_of(market).assign(n_factors=1)
    for record in recovered_truth(betas, factors, *truth):
        assert len(record["beta_correlation"]) == 2
        assert np.shape(record["rotation"]) == (1, 2)


def test_oracle_as_a_slow_loop_says(market, truth):
    known = np.isfinite(market.returns)
    error = np.sum((market.returns - market.systematic)[known] ** 2)
    expected = 1 - error / np.sum(market.returns[known] ** 2)
    assert oracle_r_squared(predictions_of(market), *truth) == pytest.approx(expected)
