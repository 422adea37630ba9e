import numpy as np
import pytest

from latentbeta.config import NetworkSettings
from latentbeta.errors import DivergenceWarning, ModelError
from latentbeta.models.autoencoder.networks import Architecture
from latentbeta.models.autoencoder.sample import Sample
from latentbeta.models.autoencoder.search import members_of_best_pair, search

INF = np.inf
NETWORK = Architecture(n_inputs=2, hidden=(), n_factors=1, n_portfolios=2)
SETTINGS = NetworkSettings(
    learning_rates=(0.02,), l1_penalties=(0.0,), batch_size=20, epochs=4, patience=2
)


@pytest.fixture(scope="module")
def sample():
    rng = np.random.default_rng(55)
    Z = rng.uniform(-1, 1, (60, 2)).astype(np.float32)
    date = np.repeat(np.arange(6), 10).astype(np.int32)
    X = rng.normal(size=(6, 2)).astype(np.float32)
    data = {"Z": Z, "R": Z[:, 0] * X[date, 0], "date": date, "X": X}
    return Sample(data, np.arange(40), np.arange(40, 60))


def found(sample, **changes):
    return search(NETWORK, sample, SETTINGS.model_copy(update=changes), n_seeds=2, seed=7)


@pytest.mark.parametrize(
    ("losses", "members"),
    [
        ([3.0, 1.0, 1.5, 1.5], [2, 3]),
        ([INF, 1.0, 5.0, 5.0], [2, 3]),  # a pair that is whole comes first
        ([INF, 2.0, 1.0, INF, INF, INF], [2]),  # none is: the fewest lost, then the lower mean
        ([1.0, 1.0, 1.0, 1.0], [0, 1]),
    ],
)
def test_the_members_of_the_best_pair_by_hand(losses, members):
    np.testing.assert_array_equal(members_of_best_pair(np.array(losses), 2), members)


@pytest.mark.parametrize("rates", [(1e-6, 0.02), (0.02, 1e-6)])
def test_the_rate_with_the_lower_validation_loss_is_kept(sample, rates):
    both, alone = found(sample, learning_rates=rates), found(sample)
    assert both.selection["learning_rate"].tolist() == [0.02, 0.02]
    assert both.selection["member"].tolist() == [0, 1]
    for name, weight in alone.weights.items():
        np.testing.assert_allclose(both.weights[name], weight, atol=1e-5)
    assert both.history["member"].unique().tolist() == [0, 1]
    losses = ["training_loss", "validation_loss"]
    np.testing.assert_allclose(
        both.history[losses][: len(alone.history)], alone.history[losses], rtol=1e-5
    )


def test_every_pair_is_tried(sample):
    """Rates and penalties that only together are good."""
    grid = found(sample, learning_rates=(1e-6, 0.02), l1_penalties=(50.0, 0.0))
    row = grid.selection.iloc[0]
    assert (row["learning_rate"], row["l1_penalty"]) == (0.02, 0.0)


def test_a_rate_that_diverges_is_left_with_a_warning(sample):
    with pytest.warns(DivergenceWarning, match=r"2 of 4 networks .* rates 1e\+30"):
        both = found(sample, learning_rates=(1e30, 0.02))
    assert both.selection["learning_rate"].tolist() == [0.02, 0.02]
    assert all(np.isfinite(weight).all() for weight in both.weights.values())


def test_rates_that_all_diverge_are_an_error(sample):
    with pytest.raises(ModelError, match=r"models\.networks\.learning_rates"):
        found(sample, learning_rates=(1e30,))
