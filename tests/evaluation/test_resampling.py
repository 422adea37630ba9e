import numpy as np

from latentbeta.evaluation.resampling import resampled_dates, sample_itself


def test_every_draw_has_as_many_dates_as_the_sample():
    found = resampled_dates(17, draws=50, block=4.0, seed=1)
    np.testing.assert_array_equal(found.weights.sum(axis=1), 17)
    assert found.weights.std() > 0


def test_weights_count_the_dates_of_the_draw():
    found = resampled_dates(9, draws=5, block=2.0, seed=1)
    for order, weights in zip(found.order, found.weights, strict=True):
        assert [list(order).count(t) for t in range(9)] == list(weights)


def test_blocks_keep_neighbours_together():
    order = resampled_dates(1000, draws=20, block=10.0, seed=1).order
    follows = np.diff(order, axis=1) % 1000 == 1
    # A block ends at each step with probability one in ten.
    assert abs(follows.mean() - 0.9) < 0.01


def test_the_seed_alone_decides():
    one, same, other = (
        resampled_dates(20, draws=10, block=3.0, seed=seed).order for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_sample_itself_has_each_date_once():
    found = sample_itself(3)
    np.testing.assert_array_equal(found.order, [[0, 1, 2]])
    np.testing.assert_array_equal(found.weights, [[1, 1, 1]])
