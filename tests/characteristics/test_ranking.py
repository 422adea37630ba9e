import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from latentbeta.characteristics.ranking import rank_and_fill, rank_to_unit_interval

NAN = np.nan
cross_sections = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=9),
    elements=st.one_of(st.sampled_from([NAN, 0.0, 1.0, -2.5]), st.floats(-1e9, 1e9)),
)


def test_ranks_worked_by_hand():
    ranks = rank_to_unit_interval(np.array([30.0, 10.0, NAN, 20.0]))
    np.testing.assert_allclose(ranks, [0.5, -0.5, NAN, 0.0])  # 2 · {3, 1, 2} / 4 - 1


def test_ties_share_their_average_rank():
    ranks = rank_to_unit_interval(np.array([7.0, 7.0, 1.0, 9.0]))
    np.testing.assert_allclose(ranks, np.array([2.5, 2.5, 1.0, 4.0]) * 2 / 5 - 1)


def test_infinite_values_are_missing():
    ranks = rank_to_unit_interval(np.array([np.inf, 1.0, -np.inf, 2.0]))
    np.testing.assert_allclose(ranks, [NAN, -1 / 3, NAN, 1 / 3])


@pytest.mark.parametrize("values", [[[NAN, NAN]], [[5.0]], [[]]])
def test_degenerate_cross_sections_are_zero(values):
    np.testing.assert_array_equal(rank_and_fill(np.array(values)), np.zeros(np.shape(values)))


def test_only_members_are_ranked_and_filled():
    values = np.array([[1.0, 99.0, 2.0, NAN]])
    members = np.array([[True, False, True, True]])
    np.testing.assert_allclose(rank_and_fill(values, members), [[-1 / 3, NAN, 1 / 3, 0.0]])


@given(cross_sections)
def test_against_counting(values):
    """The rank of a value is the number below it, plus half of the others equal to it, plus 1."""
    expected = np.full(values.shape, NAN)
    for t, row in enumerate(values):
        known = row[np.isfinite(row)]
        for n, value in enumerate(row):
            if np.isfinite(value):
                rank = (known < value).sum() + ((known == value).sum() - 1) / 2 + 1
                expected[t, n] = 2 * rank / (len(known) + 1) - 1
    np.testing.assert_allclose(rank_to_unit_interval(values), expected, atol=1e-15)


@pytest.mark.parametrize("shape", [(40,), (7, 40), (3, 7, 40), (3, 7, 1)])
def test_against_scipy_with_ties_and_gaps_and_more_axes(shape):
    rng = np.random.default_rng(3)
    values = rng.normal(size=shape).round(1)
    values[rng.random(shape) < 0.2] = NAN
    counts = np.isfinite(values).sum(axis=-1, keepdims=True)
    ranks = scipy.stats.rankdata(values, axis=-1, nan_policy="omit")
    np.testing.assert_array_equal(rank_to_unit_interval(values), 2 * ranks / (counts + 1) - 1)


@given(cross_sections)
def test_ranks_lie_inside_the_interval_around_a_median_of_zero(values):
    filled = rank_and_fill(values)
    assert (np.abs(filled) < 1).all()
    np.testing.assert_allclose(filled.sum(axis=1), 0.0, atol=1e-12)
    np.testing.assert_array_equal(filled[~np.isfinite(values)], 0.0)
    np.testing.assert_allclose(rank_and_fill(-values), -filled, atol=1e-15)
