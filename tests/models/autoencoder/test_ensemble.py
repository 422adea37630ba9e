from dataclasses import replace

import numpy as np
import pytest

from latentbeta.errors import ModelError
from latentbeta.models.autoencoder import ensemble
from latentbeta.models.autoencoder.early_stopping import Best, joined
from latentbeta.models.autoencoder.ensemble import Optimisation, train
from latentbeta.models.autoencoder.networks import Architecture, take_members
from latentbeta.models.autoencoder.sample import Sample

BATCH, N_TRAINING, N_VALIDATION = 32, 160, 32
LEARNING_RATE = 0.01
NETWORK = Architecture(n_inputs=3, hidden=(4,), n_factors=2, n_portfolios=5)


def optimisation(penalties=(0.003,), seeds=(1,), **changes):
    usual = Optimisation(
        rates=(LEARNING_RATE,) * len(seeds),
        penalties=penalties,
        seeds=seeds,
        batch_size=BATCH,
        epochs=5,
        patience=2,
        order_seed=50,
    )
    return replace(usual, **changes)


@pytest.fixture(scope="module")
def sample():
    rng = np.random.default_rng(51)
    n = N_TRAINING + N_VALIDATION
    Z = rng.uniform(-1, 1, (n, 3)).astype(np.float32)
    date = np.sort(rng.integers(0, 12, n)).astype(np.int32)
    X = rng.normal(size=(12, 5)).astype(np.float32)
    R = np.sign(Z[:, 0]) * X[date, 1] + Z[:, 1] * X[date, 2] + 0.5 * rng.normal(size=n)
    data = {"Z": Z, "R": R.astype(np.float32), "date": date, "X": X}
    return Sample(data, np.arange(N_TRAINING), np.arange(N_TRAINING, n))


def with_returns(sample, R):
    return replace(sample, data=sample.data | {"R": R})


def assert_same_bytes(one, other):
    assert {n: w.tobytes() for n, w in one.items()} == {n: w.tobytes() for n, w in other.items()}


def test_a_network_that_is_met_again_is_not_compiled_again(monkeypatch):
    """However many others came between: an autoencoder's universe differs from fold to fold."""
    compiled = []
    monkeypatch.setattr(ensemble, "compile_passes", lambda *wanted: compiled.append(wanted))
    for _ in range(2):
        for n_inputs in range(1000, 1040):
            ensemble._compiled(replace(NETWORK, n_inputs=n_inputs), BATCH)
    assert len(compiled) == 40


def test_a_member_ends_as_it_would_alone(sample):
    """Rates, penalties and seeds of one stack differ, as do the epochs at which members stop."""
    rates, penalties, seeds = (0.01, 0.01, 0.01, 0.04), (0.0, 0.0, 0.02, 0.02), (1, 2, 1, 2)
    options = {"epochs": 12, "patience": 1}
    together = train(NETWORK, sample, optimisation(penalties, seeds, rates=rates, **options))
    assert len(set(together.best_epoch)) > 1
    for m in range(4):
        mine = {"rates": rates[m : m + 1], **options}
        alone = train(NETWORK, sample, optimisation(penalties[m : m + 1], seeds[m : m + 1], **mine))
        for name, weight in together.weights.items():
            np.testing.assert_allclose(weight[m], alone.weights[name][0], atol=1e-5)
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
    first = NETWORK.first_weights(1)
    names = {
        dense: ("kernel_1", "bias_1"),
        norm: ("gain_1", "shift_1", "mean_1", "variance_1"),
        output: ("output", "output_bias"),
        linear: ("factors",),
    }
    for layer, mine in names.items():
        layer.set_weights([first[name] for name in mine])
    model.compile(keras.optimizers.Adam(LEARNING_RATE), loss="mse", run_eagerly=True)
    order = np.random.default_rng(50).permutation(N_TRAINING)
    Z_, R, date, X_ = (sample.data[name] for name in ("Z", "R", "date", "X"))
    model.fit([Z_[order], X_[date[order]]], R[order], batch_size=BATCH, shuffle=False, verbose=0)

    ours = train(NETWORK, sample, optimisation(epochs=1))
    for layer, mine in names.items():
        for name, expected in zip(mine, layer.get_weights(), strict=True):
            np.testing.assert_allclose(ours.weights[name][0], expected, atol=1e-6)
    rows = sample.validation
    predicted = model.predict([Z_[rows], X_[date[rows]]], verbose=0)
    np.testing.assert_allclose(
        ours.validation_loss, [np.mean((R[rows] - predicted[:, 0]) ** 2)], rtol=1e-5
    )


def test_steps_of_adam_by_hand():
    """CA0 with one factor, four rows in one batch: gradient, L1 and moments in plain numpy."""
    architecture = Architecture(n_inputs=2, hidden=(), n_factors=1, n_portfolios=2)
    Z = np.array([[1.0, 1.0], [-0.5, 1.0], [0.25, 1.0], [-1.0, 1.0], [0.5, 1.0]], np.float32)
    X = np.array([[0.5, -1.0], [1.0, 0.25]], np.float32)
    date, R = np.array([0, 0, 1, 1, 1], np.int32), np.array([0.4, -0.3, 0.2, 0.6, 0.1], np.float32)
    sample = Sample({"Z": Z, "R": R, "date": date, "X": X}, np.arange(4), np.array([4]))
    penalty, rate = 0.05, 0.01
    first_weights = architecture.first_weights(3)
    theta = [first_weights[name].astype(np.float64) for name in ("output", "factors")]
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
    np.testing.assert_allclose(trained.weights["output"][0], expected[0], atol=1e-6)
    np.testing.assert_allclose(trained.weights["factors"][0], expected[1], atol=1e-6)
    assert trained.best_epoch[0] > 1  # so that the moments have had their say


def test_the_same_seed_gives_the_same_bytes_whatever_ran_between(sample):
    one = train(NETWORK, sample, optimisation())
    other = train(NETWORK, sample, optimisation(seeds=(2,)))
    again = train(NETWORK, sample, optimisation())
    assert_same_bytes(one.weights, again.weights)
    assert one.history.equals(again.history)
    assert one.weights["output"].tobytes() != other.weights["output"].tobytes()


def test_validation_returns_choose_the_epoch_but_change_no_weight(sample):
    R = sample.data["R"].copy()
    R[N_TRAINING:] = 5 - 3 * R[N_TRAINING:]
    changed = with_returns(sample, R)
    one_epoch = optimisation(epochs=1)
    assert_same_bytes(
        train(NETWORK, sample, one_epoch).weights, train(NETWORK, changed, one_epoch).weights
    )
    to_the_end = optimisation(epochs=6, patience=6)
    before, after = train(NETWORK, sample, to_the_end), train(NETWORK, changed, to_the_end)
    assert before.history["training_loss"].equals(after.history["training_loss"])
    assert not before.history["validation_loss"].equals(after.history["validation_loss"])


def test_the_best_epoch_is_the_lowest_point_of_the_validation_curve(sample):
    trained = train(NETWORK, sample, optimisation((0.0, 0.0, 0.02, 0.02), (1, 2, 1, 2), epochs=8))
    for m in range(4):
        curve = trained.history[trained.history["member"] == m].set_index("epoch")
        until = curve["validation_loss"].loc[: trained.best_epoch[m] + 2]  # patience is two
        assert until.idxmin() == trained.best_epoch[m]
        assert until.min() == trained.validation_loss[m]


def test_too_few_rows_say_what_to_lengthen(sample):
    nothing = np.array([], np.int64)
    for too_few in ({"validation": nothing}, {"training": np.array([0])}):
        with pytest.raises(ModelError, match=r"walk_forward\.train or walk_forward\.validation"):
            train(NETWORK, replace(sample, **too_few), optimisation())


def test_losses_that_all_overflow_say_what_to_lower(sample):
    with pytest.raises(ModelError, match="learning_rates"):
        train(NETWORK, with_returns(sample, sample.data["R"] * np.float32(1e30)), optimisation())


def test_a_member_that_diverges_leaves_the_others_as_they_were(sample):
    calm = train(NETWORK, sample, optimisation((0.0,) * 3, (1, 2, 3)))
    wild = train(NETWORK, sample, optimisation((0.0,) * 3, (1, 2, 3), rates=(0.01, 1e30, 0.01)))
    assert np.isinf(wild.validation_loss).tolist() == [False, True, False]
    assert_same_bytes(take_members(wild.weights, [0, 2]), take_members(calm.weights, [0, 2]))
    np.testing.assert_array_equal(wild.best_epoch[[0, 2]], calm.best_epoch[[0, 2]])


def played(curves, patience):
    """Feed two members' validation losses; return what is kept and the epochs that were run."""
    best = Best({"kernel": np.zeros((2, 3))}, patience)
    for epoch, losses in enumerate(zip(*curves, strict=True), 1):
        weights = {"kernel": np.full((2, 3), float(epoch))}
        best.note(epoch, (np.zeros(2), np.array(losses)), weights)
        if best.all_stopped(epoch):
            break
    return joined([best]), epoch


def test_early_stopping_by_hand():
    # The first has stopped after epoch 4, two past its best: the 3.0 that follows comes too late.
    trained, last = played([[5.0, 4.0, 4.5, 4.6, 3.0], [5.0, 4.0, 3.0, 2.0, 1.0]], patience=2)
    np.testing.assert_array_equal(trained.best_epoch, [2, 5])
    np.testing.assert_array_equal(trained.validation_loss, [4.0, 1.0])
    np.testing.assert_array_equal(trained.weights["kernel"], [[2.0] * 3, [5.0] * 3])
    assert last == 5


def test_the_last_epoch_of_patience_still_counts():
    trained, last = played([[5.0, 6.0, 4.0, 5.0, 5.0, 1.0]] * 2, patience=2)
    np.testing.assert_array_equal(trained.best_epoch, [3, 3])
    assert last == 5  # both stopped: the sixth is not run


def test_an_equal_loss_is_no_improvement():
    trained, last = played([[2.0, 2.0, 2.0, 1.0]] * 2, patience=2)
    np.testing.assert_array_equal(trained.best_epoch, [1, 1])
    assert last == 3


def test_a_loss_that_ceases_to_be_finite_counts_unless_the_member_has_stopped():
    # The first had stopped by epoch 4; the second was still improving.
    trained, last = played([[1.0, 2.0, 2.0, np.nan, 9.0], [5.0, 4.0, 3.0, np.inf, 1.0]], patience=2)
    np.testing.assert_array_equal(trained.validation_loss, [1.0, np.inf])
    assert last == 4  # nobody is left to train
