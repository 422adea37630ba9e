import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from latentbeta.report.svg import MOST_DATES, spread, thinned, to_svg


def test_labels_that_overlap_move_apart_and_the_others_stay():
    found = spread(np.array([0.0, 0.5, 0.5, 1.0]), 0.1)
    np.testing.assert_allclose(found, [0.0, 0.45, 0.55, 1.0])


def test_labels_stay_within_the_axes():
    found = spread(np.array([0.0, 0.99, 1.0, 1.0]), 0.1)
    np.testing.assert_allclose(found, [0.0, 0.8, 0.9, 1.0])


def test_spread_keeps_distance_and_order():
    places = np.sort(np.random.default_rng(0).random(9))
    assert np.diff(spread(places, 0.08)).min() == pytest.approx(0.08)


def test_the_name_keeps_identifiers_apart():
    figure = Figure()
    figure.subplots().plot([1, 2])
    one = to_svg(figure, name="one", description='a "quoted" <thing>')
    assert 'id="one-' in one
    assert "metadata" not in one
    assert "&lt;thing&gt;" in one


@pytest.mark.parametrize("length", [0, 1, MOST_DATES, MOST_DATES + 1, 5 * MOST_DATES + 3])
def test_long_lines_keep_their_end_and_even_steps(length):
    found = thinned(pd.Series(range(length)))
    assert len(found) <= MOST_DATES
    assert list(found)[-1:] == list(range(length))[-1:]
    assert len(set(np.diff(found))) <= 1
    if length <= MOST_DATES:
        assert len(found) == length
