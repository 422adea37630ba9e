from dataclasses import replace

import numpy as np
import pytest

from latentbeta.errors import ModelError
from latentbeta.models.autoencoder.ensemble import Optimisation, Sample, _Best, train
from latentbeta.models.autoencoder.networks import Architecture, by_member, initial_weights

BATCH, N_TRAINING, N_VALIDATION = 32, 160, 32
LEARNING_RATE = 0.01
TOGETHER = Architecture(n_inputs=3, hidden=(4,), n_factors=2, n_portfolios=5, n_members=4)
ALONE = replace(TOGETHER, n_members=1)


def optimisation(penalties=(0.003,), seeds=(1,), **changes):
    usual = Optimisation(
        learning_rate=LEARNING_RATE,
        batch_size=BATCH,
        epochs=5,
        patience=2,
        penalties=penalties,
        seeds=seeds,
        order_seed=50,
    )
    return replace(usual, **changes)


@pytest.fixture(scope="module")
def sample():
    rng = np.random.default_rng(51)
    n = N_TRAINING + N_VALIDATION
    Z = rng.uniform(-1, 1, (n, 3)).astype(np.float32)
    date = np.sort(rng.integers(0, 12, n))
    X = rng.normal(size=(12, 5)).astype(np.float32)
    R = np.sign(Z[:, 0]) * X[date, 1] + Z[:, 1] * X[date, 2] + 0.5 * rng.normal(size=n)
    return Sample(Z, R.astype(np.float32), date, X, np.arange(n) < N_TRAINING)


def all_weights(trained, n_members):
    return [*by_member(trained.beta_weights, n_members), *trained.factor_weights]


def assert_same_bytes(one, other):
    assert [w.tobytes() for w in one] == [w.tobytes() for w in other]


def test_a_member_ends_as_it_would_alone(sample):
    """Penalties and seeds of one stack differ, and so do the epochs at which members stop."""
    penalties, seeds = (0.0, 0.0, 0.02, 0.02), (1, 2, 1, 2)
    options = {"epochs": 12, "patience": 1}
    together = train(TOGETHER, sample, optimisation(penalties, seeds, **options))
    assert len(set(together.best_epoch)) > 1
    for m in range(4):
        alone = train(
            ALONE, sample, optimisation(penalties[m : m + 1], seeds[m : m + 1], **options)
        )
        pairs = zip(all_weights(together, 4), all_weights(alone, 1), strict=True)
        for mine, single in pairs:
            np.testing.assert_allclose(mine[m], single[0], atol=1e-5)
        assert together.best_epoch[m] == alone.best_epoch[0]
        np.testing.assert_allclose(together.validation_loss[m], alone.validation_loss[0], rtol=1e-5)
        curve = together.history[together.history["member"] == m][: len(alone.history)]
        losses = ["training_loss", "validation_loss"]
        np.testing.assert_allclose(curve[losses], alone.history[losses], rtol=1e-5)


def test_an_epoch_is_that_of_plain_keras(sample):
    """Built-in layers and `fit`, the same first weights, the same order of rows."""
    import keras
    from keras import layers

    penalty = keras.regularizers.L1(0.003)
    dense = layers.Dense(4, activation="relu", kernel_regularizer=penalty)
    norm = layers.BatchNormalization(momentum=0.9)
    output = layers.Dense(2, kernel_regularizer=penalty)
    linear = layers.Dense(2, use_bias=False, kernel_regularizer=penalty)
    Z, x = keras.Input((3,)), keras.Input((5,))
    fitted = layers.Dot(axes=1)([output(norm(dense(Z))), linear(x)])
    model = keras.Model([Z, x], fitted)
    beta, factor = initial_weights(ALONE, [1])
    first = [w[0] for w in (*by_member(beta, 1), *factor)]
    parts = ((dense, first[:2]), (norm, first[2:6]), (output, first[6:8]), (linear, first[8:]))
    for layer, weights in parts:
        layer.set_weights(weights)
    model.compile(keras.optimizers.Adam(LEARNING_RATE), loss="mse", run_eagerly=True)
    order = np.random.default_rng(50).permutation(N_TRAINING)
    inputs = [sample.Z[order], sample.X[sample.date[order]]]
    model.fit(inputs, sample.R[order], batch_size=BATCH, shuffle=False, verbose=0)

    ours = train(ALONE, sample, optimisation(epochs=1))
    theirs = [w for layer, _ in parts for w in layer.get_weights()]
    for mine, expected in zip(all_weights(ours, 1), theirs, strict=True):
        np.testing.assert_allclose(mine[0], expected, atol=1e-6)
    held_out = slice(N_TRAINING, None)
    predicted = model.predict([sample.Z[held_out], sample.X[sample.date[held_out]]], verbose=0)
    loss = np.mean((sample.R[held_out] - predicted[:, 0]) ** 2)
    np.testing.assert_allclose(ours.validation_loss, [loss], rtol=1e-5)


def test_steps_of_adam_by_hand():
    """CA0 with one factor, four rows in one batch: gradient, L1 and moments in plain numpy."""
    architecture = Architecture(n_inputs=2, hidden=(), n_factors=1, n_portfolios=2, n_members=1)
    Z = np.array([[1.0, 1.0], [-0.5, 1.0], [0.25, 1.0], [-1.0, 1.0], [0.5, 1.0]], np.float32)
    X = np.array([[0.5, -1.0], [1.0, 0.25]], np.float32)
    date, R = np.array([0, 0, 1, 1, 1]), np.array([0.4, -0.3, 0.2, 0.6, 0.1], np.float32)
    sample = Sample(Z, R, date, X, np.array([True] * 4 + [False]))
    penalty, rate = 0.05, 0.01
    (gamma,), (w,) = initial_weights(architecture, [3])
    theta = [gamma[0].astype(np.float64), w[0].astype(np.float64)]
    first, second = [np.zeros((2, 1))] * 2, [np.zeros((2, 1))] * 2
    losses, path = [], []
    for step in range(1, 4):
        betas, factors = Z[:4] @ theta[0], X[date[:4]] @ theta[1]
        error = (betas * factors)[:, 0] - R[:4]
        losses.append(np.mean(error**2))
        gradient = [
            2 / 4 * Z[:4].T @ (error[:, None] * factors) + penalty * np.sign(theta[0]),
            2 / 4 * X[date[:4]].T @ (error[:, None] * betas) + penalty * np.sign(theta[1]),
        ]
        first = [0.9 * m + 0.1 * g for m, g in zip(first, gradient, strict=True)]
        second = [0.999 * v + 0.001 * g**2 for v, g in zip(second, gradient, strict=True)]
        size = rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        theta = [
            p - size * m / (np.sqrt(v) + 1e-7) for p, m, v in zip(theta, first, second, strict=True)
        ]
        path.append(theta)
    trained = train(
        architecture, sample, optimisation((penalty,), (3,), batch_size=4, epochs=3, patience=3)
    )
    np.testing.assert_allclose(trained.history["training_loss"], losses, rtol=1e-5)
    expected = path[trained.best_epoch[0] - 1]
    np.testing.assert_allclose(trained.beta_weights[0][0], expected[0], atol=1e-6)
    np.testing.assert_allclose(trained.factor_weights[0][0], expected[1], atol=1e-6)
    assert trained.best_epoch[0] > 1  # so that the moments have had their say


def test_the_same_seed_gives_the_same_bytes_whatever_ran_between(sample):
    one = train(ALONE, sample, optimisation())
    other = train(ALONE, sample, optimisation(seeds=(2,)))
    again = train(ALONE, sample, optimisation())
    assert_same_bytes(all_weights(one, 1), all_weights(again, 1))
    assert one.history.equals(again.history)
    assert all_weights(one, 1)[0].tobytes() != all_weights(other, 1)[0].tobytes()


def test_validation_returns_choose_the_epoch_but_change_no_weight(sample):
    R = sample.R.copy()
    R[N_TRAINING:] = 5 - 3 * R[N_TRAINING:]
    changed = replace(sample, R=R)
    one_epoch = optimisation(epochs=1)
    assert_same_bytes(
        all_weights(train(ALONE, sample, one_epoch), 1),
        all_weights(train(ALONE, changed, one_epoch), 1),
    )
    to_the_end = optimisation(epochs=6, patience=6)
    before, after = train(ALONE, sample, to_the_end), train(ALONE, changed, to_the_end)
    assert before.history["training_loss"].equals(after.history["training_loss"])
    assert not before.history["validation_loss"].equals(after.history["validation_loss"])


def test_the_best_epoch_is_the_lowest_point_of_the_validation_curve(sample):
    trained = train(TOGETHER, sample, optimisation((0.0, 0.0, 0.02, 0.02), (1, 2, 1, 2), epochs=8))
    for m in range(4):
        curve = trained.history[trained.history["member"] == m].set_index("epoch")
        until = curve["validation_loss"].loc[: trained.best_epoch[m] + 2]  # patience is two
        assert until.idxmin() == trained.best_epoch[m]
        assert until.min() == trained.validation_loss[m]


def test_too_few_rows_say_what_to_lengthen(sample):
    for is_training in (np.ones(192, bool), np.arange(192) < 1):
        with pytest.raises(ModelError, match=r"walk_forward\.train or walk_forward\.validation"):
            train(ALONE, replace(sample, is_training=is_training), optimisation())


def test_a_loss_that_overflows_says_what_to_lower(sample):
    with pytest.raises(ModelError, match="learning_rate"):
        train(ALONE, replace(sample, R=sample.R * np.float32(1e30)), optimisation())


class _Clock:
    """A stand-in for the networks: every member's weights are the epoch."""

    epoch = 0

    def weights(self):
        return [np.full((2, 3), float(self.epoch))], [np.full((2, 1), -float(self.epoch))]


def played(curves, patience):
    """Feed two members' validation losses; return what is kept and the epochs that were run."""
    best, clock = _Best(2, patience), _Clock()
    for clock.epoch, losses in enumerate(zip(*curves, strict=True), 1):
        best.note(clock.epoch, (np.zeros(2), np.array(losses)), clock)
        if best.all_stopped(clock.epoch):
            break
    return best.result(), clock.epoch


def test_early_stopping_by_hand():
    # The first has stopped after epoch 4, two past its best: the 3.0 that follows comes too late.
    trained, last = played([[5.0, 4.0, 4.5, 4.6, 3.0], [5.0, 4.0, 3.0, 2.0, 1.0]], patience=2)
    np.testing.assert_array_equal(trained.best_epoch, [2, 5])
    np.testing.assert_array_equal(trained.validation_loss, [4.0, 1.0])
    np.testing.assert_array_equal(trained.beta_weights[0], [[2.0] * 3, [5.0] * 3])
    np.testing.assert_array_equal(trained.factor_weights[0], [[-2.0], [-5.0]])
    assert last == 5


def test_the_last_epoch_of_patience_still_counts():
    trained, last = played([[5.0, 6.0, 4.0, 5.0, 5.0, 1.0]] * 2, patience=2)
    np.testing.assert_array_equal(trained.best_epoch, [3, 3])
    assert last == 5  # both stopped: the sixth is not run


def test_an_equal_loss_is_no_improvement():
    trained, last = played([[2.0, 2.0, 2.0, 1.0]] * 2, patience=2)
    np.testing.assert_array_equal(trained.best_epoch, [1, 1])
    assert last == 3
