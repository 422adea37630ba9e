import numpy as np
import pytest
from tests.synthetic_results import Market, predictions_of

from latentbeta.evaluation.r_squared import pooled_r_squared, squared_loss

NAN = np.nan


def r_squared(loss):
    return pooled_r_squared(loss.error.sum()[None], loss.scale.sum()[None])[0]


def test_by_hand():
    realised = np.array([[0.1, -0.2], [0.3, NAN]])
    fitted = np.array([[0.1, -0.1], [0.1, 0.5]])
    loss = squared_loss(realised, fitted)
    np.testing.assert_allclose(loss.error, [0.01, 0.04])
    np.testing.assert_allclose(loss.scale, [0.05, 0.09])
    np.testing.assert_array_equal(loss.count, [2, 1])
    assert r_squared(loss) == pytest.approx(1 - 0.05 / 0.14)


def test_the_baseline_is_a_forecast_of_zero_not_of_the_mean():
    realised = np.full((3, 4), 0.02)
    assert r_squared(squared_loss(realised, np.zeros((3, 4)))) == 0
    assert r_squared(squared_loss(realised, realised)) == 1


def test_pairs_that_are_not_known_on_both_sides_do_not_count():
    realised = np.array([[0.1, NAN, 0.2]])
    fitted = np.array([[NAN, 0.1, 0.1]])
    loss = squared_loss(realised, fitted)
    assert (loss.error[0], loss.scale[0], loss.count[0]) == pytest.approx((0.01, 0.04, 1))


def test_nothing_scored_has_no_r_squared():
    assert np.isnan(r_squared(squared_loss(np.full((2, 2), NAN), np.zeros((2, 2)))))


def test_pooled_as_a_slow_loop_says():
    market = Market()
    table = predictions_of(market).query("model == 'ipca'").dropna()
    errors = scales = 0.0
    for row in table.itertuples():
        errors += (row.realised - row.fitted) ** 2
        scales += row.realised**2
    fitted = table.pivot(index="date", columns="asset", values="fitted").to_numpy()
    assert r_squared(squared_loss(market.returns, fitted)) == pytest.approx(1 - errors / scales)
