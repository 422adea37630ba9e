from dataclasses import replace

import numpy as np
import pytest
from tests.simulated_panels import simulate

from latentbeta.permutation.shuffle import shuffled


@pytest.fixture(scope="module")
def panel():
    return simulate(
        n_dates=40, n_assets=20, n_characteristics=3, seed=150, absent=0.1, missing=0.1
    ).panel


def blocks(panel, R):
    return [R[rows][np.isfinite(R[rows])] for rows in panel.blocks()]


def test_a_date_keeps_its_returns_less_their_mean_in_another_order(panel):
    found = shuffled(panel, 1).R
    moved = 0
    for before, after in zip(blocks(panel, panel.R), blocks(panel, found), strict=True):
        np.testing.assert_allclose(
            np.sort(after - after.mean()), np.sort(before - before.mean()), atol=1e-12
        )
        moved += not np.allclose(after - after.mean(), before - before.mean())
    assert moved == 40


def test_its_mean_keeps_its_size_and_gets_a_random_sign(panel):
    found = shuffled(panel, 1).R
    pairs = zip(blocks(panel, panel.R), blocks(panel, found), strict=True)
    ratios = np.array([after.mean() / before.mean() for before, after in pairs])
    np.testing.assert_allclose(np.abs(ratios), 1.0)
    assert 10 < (ratios > 0).sum() < 30


def test_gaps_and_all_else_stay_where_they_are(panel):
    found = shuffled(panel, 1)
    np.testing.assert_array_equal(np.isnan(found.R), np.isnan(panel.R))
    assert found.Z is panel.Z
    assert found.dates is panel.dates


def test_a_date_without_returns_is_left_alone(panel):
    newest = replace(panel, R=np.where(panel.date_index == 39, np.nan, panel.R))
    assert np.isnan(shuffled(newest, 1).R[newest.offsets[39] :]).all()


def test_the_seed_decides(panel):
    assert shuffled(panel, 1).R.tobytes() == shuffled(panel, 1).R.tobytes()
    assert not np.array_equal(shuffled(panel, 1).R, shuffled(panel, 2).R, equal_nan=True)


def test_nothing_that_was_known_tells_the_returns(panel):
    """Forecasts as good as the true betas and factors: over many shuffles they earn nothing."""
    known = panel.observed
    forecast = panel.R[known]  # what came before the shuffle, to the last digit
    gains = [np.sum(forecast * shuffled(panel, seed).R[known]) for seed in range(400)]
    z = np.mean(gains) / (np.std(gains) / np.sqrt(400))
    assert abs(z) < 3
    assert np.sum(forecast**2) > 5 * np.std(gains)  # what it would earn on its own returns
