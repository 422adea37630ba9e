import numpy as np
import pytest

from latentbeta.models.autoencoder.networks import (
    Architecture,
    beta_network,
    by_member,
    factor_network,
    flatten_normalisation,
    initial_weights,
    take_members,
)

DEEP = Architecture(n_inputs=3, hidden=(5, 4), n_factors=2, n_portfolios=6, n_members=3)
LINEAR = Architecture(n_inputs=3, hidden=(), n_factors=2, n_portfolios=6, n_members=3)


@pytest.fixture
def rng():
    return np.random.default_rng(40)


def random_weights(architecture, rng):
    """Weights of the beta network, none of them where training starts; variances positive."""
    drawn, _ = initial_weights(architecture, [1, 2, 3])
    return [rng.uniform(0.2, 1.0, w.shape).astype(np.float32) + w for w in drawn]


def plain_member(Z, weights):
    """One member's betas in numpy: dense, rectify, normalise by moving statistics; linear end."""
    values = Z.astype(np.float64)
    while len(weights) > 2:
        kernel, bias, scale, shift, mean, variance, *weights = weights
        values = np.maximum(values @ kernel + bias, 0)
        values = (values - mean) / np.sqrt(variance + 1e-3) * scale + shift
    return values @ weights[0] + (weights[1] if len(weights) == 2 else 0)


def test_betas_as_plain_matrix_products_say(rng):
    Z = rng.uniform(-1, 1, (7, 3)).astype(np.float32)
    weights = random_weights(DEEP, rng)
    network = beta_network(DEEP)
    network.set_weights(weights)
    betas = np.asarray(network(Z, training=False))
    assert betas.shape == (7, 3, 2)
    for m in range(3):
        mine = [w[m].astype(np.float64) for w in by_member(weights, 3)]
        np.testing.assert_allclose(betas[:, m], plain_member(Z, mine), rtol=1e-4, atol=1e-4)


def test_without_hidden_layers_betas_are_one_product_without_bias(rng):
    Z = rng.uniform(-1, 1, (7, 3)).astype(np.float32)
    (kernel,), _ = initial_weights(LINEAR, [1, 2, 3])
    network = beta_network(LINEAR)
    network.set_weights([kernel])
    expected = np.stack([Z @ kernel[m] for m in range(3)], axis=1)
    np.testing.assert_allclose(np.asarray(network(Z)), expected, rtol=1e-5, atol=1e-6)
    assert (np.asarray(network(np.zeros((1, 3), np.float32))) == 0).all()


def test_factors_are_one_product_without_bias(rng):
    x = rng.normal(size=(5, 6)).astype(np.float32)
    _, (kernel,) = initial_weights(DEEP, [1, 2, 3])
    network = factor_network(DEEP)
    network.set_weights([kernel])
    expected = np.stack([x @ kernel[m] for m in range(3)], axis=1)
    np.testing.assert_allclose(np.asarray(network(x)), expected, rtol=1e-5, atol=1e-6)


def test_a_member_starts_as_it_would_alone():
    stacked = initial_weights(DEEP, [7, 8, 9])
    alone = initial_weights(Architecture(3, (5, 4), 2, 6, 1), [8])
    for together, single in zip(by_member(stacked[0], 3), by_member(alone[0], 1), strict=True):
        np.testing.assert_array_equal(together[1], single[0])
    np.testing.assert_array_equal(stacked[1][0][1], alone[1][0][0])


def test_first_weights_are_glorot_uniform_and_the_identity():
    wide = Architecture(n_inputs=40, hidden=(60,), n_factors=30, n_portfolios=50, n_members=2)
    beta, (factor,) = initial_weights(wide, [1, 2])
    kernel, bias, scale, shift, mean, variance, output, output_bias = beta
    for drawn, limit in ((kernel, 100), (output, 90), (factor, 80)):
        bound = np.sqrt(6 / limit)
        assert 0.99 * bound < np.abs(drawn).max() <= bound
        assert drawn.std() == pytest.approx(bound / np.sqrt(3), rel=0.03)
        assert not np.array_equal(drawn[0], drawn[1])
    assert all((w == 0).all() for w in (bias, shift, mean, output_bias))
    assert all((w == 1).all() for w in (scale, variance))
    assert [w.shape for w in (bias, scale)] == [(2, 60), (120,)]


def test_member_first_and_keras_layouts_are_inverse(rng):
    weights = random_weights(DEEP, rng)
    back = flatten_normalisation(by_member(weights, 3))
    for before, after in zip(weights, back, strict=True):
        np.testing.assert_array_equal(after, before)


def test_some_members_keep_their_betas(rng):
    Z = rng.uniform(-1, 1, (7, 3)).astype(np.float32)
    weights = random_weights(DEEP, rng)
    all_of_them = beta_network(DEEP)
    all_of_them.set_weights(weights)
    two = beta_network(Architecture(3, (5, 4), 2, 6, 2))
    two.set_weights(take_members(weights, [2, 0], 3))
    expected = np.asarray(all_of_them(Z, training=False))[:, [2, 0]]
    np.testing.assert_allclose(np.asarray(two(Z, training=False)), expected, rtol=1e-5)
