import numpy as np
import pytest

from latentbeta.models.autoencoder.networks import (
    Architecture,
    dense,
    stacked_betas,
    stacked_weights,
    take_members,
)

DEEP = Architecture(n_inputs=3, hidden=(5, 4), n_factors=2, n_portfolios=6)
LINEAR = Architecture(n_inputs=3, hidden=(), n_factors=2, n_portfolios=6)


@pytest.fixture
def rng():
    return np.random.default_rng(40)


@pytest.fixture
def Z(rng):  # noqa: N802
    return rng.uniform(-1, 1, (7, 3)).astype(np.float32)


def random_weights(architecture, rng):
    """Weights of three members, none of them where training starts; variances positive."""
    drawn = stacked_weights([architecture.first_weights(seed) for seed in (1, 2, 3)])
    return {n: rng.uniform(0.2, 1.0, w.shape).astype(np.float32) + w for n, w in drawn.items()}


def plain_betas(Z, weights, depth, *, training):
    """One member's betas in numpy: dense, rectify, normalise, layer by layer; linear end."""
    values, w = Z.astype(np.float64), {n: v.astype(np.float64) for n, v in weights.items()}
    for i in range(1, depth + 1):
        values = np.maximum(values @ w[f"kernel_{i}"] + w[f"bias_{i}"], 0)
        mean, variance = w[f"mean_{i}"], w[f"variance_{i}"]
        if training:
            mean, variance = values.mean(axis=0), values.var(axis=0)
        values = (values - mean) / np.sqrt(variance + 1e-3) * w[f"gain_{i}"] + w[f"shift_{i}"]
    return values @ w["output"] + w.get("output_bias", 0)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("architecture", [DEEP, LINEAR])
def test_betas_as_plain_matrix_products_say(rng, Z, architecture, training):
    weights = random_weights(architecture, rng)
    betas, _ = stacked_betas(weights, Z, training=training)
    betas = np.asarray(betas)
    assert betas.shape == (3, 2, 7)
    for m in range(3):
        mine = {name: w[m] for name, w in weights.items()}
        expected = plain_betas(Z, mine, len(architecture.hidden), training=training)
        np.testing.assert_allclose(betas[m].T, expected, rtol=2e-4, atol=2e-4)


def test_the_statistics_are_those_of_the_batch(rng, Z):
    weights = random_weights(DEEP, rng)
    assert not stacked_betas(weights, Z, training=False)[1]
    _, found = stacked_betas(weights, Z, training=True)
    rectified = np.maximum(Z @ weights["kernel_1"] + weights["bias_1"][:, None], 0)
    np.testing.assert_allclose(found["mean_1"], rectified.mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(found["variance_1"], rectified.var(axis=1), rtol=1e-4)


def test_without_hidden_layers_there_is_no_bias():
    weights = stacked_weights([LINEAR.first_weights(1)])
    assert set(weights) == {"output", "factors"}
    betas, _ = stacked_betas(weights, np.zeros((1, 3), np.float32), training=False)
    assert (np.asarray(betas) == 0).all()


def test_shared_and_own_inputs_give_the_same_products(rng):
    kernel = rng.normal(size=(3, 4, 2)).astype(np.float32)
    shared = rng.normal(size=(4, 5)).astype(np.float32)
    own = np.stack([shared] * 3)
    expected = np.einsum("mph,pn->mhn", kernel, shared)
    np.testing.assert_allclose(dense(shared, kernel), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(dense(own, kernel), expected, rtol=1e-4, atol=1e-5)


def test_squared_errors_by_hand():
    """CA0, one factor: betas 2z, factors x1 - x2."""
    architecture = Architecture(n_inputs=1, hidden=(), n_factors=1, n_portfolios=2)
    weights = {
        "output": np.array([[[2.0]]], np.float32),
        "factors": np.array([[[1.0], [-1.0]]], np.float32),
    }
    batch = {
        "Z": np.array([[-1.0], [1.0]], np.float32),
        "R": np.array([0.0, 1.0], np.float32),
        "X": np.array([[0.0, 1.0], [3.0, 1.0]], np.float32),
    }
    squares, counts, statistics = architecture.squares(weights, batch, training=True)
    # First row: beta -2, factor -1, error -2. Second: beta 2, factor 2, error -3.
    np.testing.assert_allclose(squares, [[4.0, 9.0]])
    np.testing.assert_allclose(counts, [1.0, 1.0])
    assert statistics == {}


def test_first_weights_are_glorot_uniform_and_the_identity():
    wide = Architecture(n_inputs=40, hidden=(60,), n_factors=30, n_portfolios=50)
    weights = stacked_weights([wide.first_weights(seed) for seed in (1, 2)])
    for name, limit in (("kernel_1", 100), ("output", 90), ("factors", 80)):
        drawn, bound = weights[name], np.sqrt(6 / limit)
        assert 0.99 * bound < np.abs(drawn).max() <= bound
        assert drawn.std() == pytest.approx(bound / np.sqrt(3), rel=0.03)
        assert not np.array_equal(drawn[0], drawn[1])
    assert all((weights[n] == 0).all() for n in ("bias_1", "shift_1", "mean_1", "output_bias"))
    assert all((weights[n] == 1).all() for n in ("gain_1", "variance_1"))
    assert weights["gain_1"].shape == (2, 60)


def test_some_members_keep_their_betas(rng, Z):
    weights = random_weights(DEEP, rng)
    two, _ = stacked_betas(take_members(weights, [2, 0]), Z, training=False)
    every, _ = stacked_betas(weights, Z, training=False)
    np.testing.assert_allclose(two, np.asarray(every)[[2, 0]], rtol=1e-5)
