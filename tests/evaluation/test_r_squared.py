import numpy as np
import pytest
from tests.synthetic_results import Market, panel_of, predictions_of

from latentbeta.evaluation.r_squared import (
    Characteristics,
    asset_loss,
    managed_loss,
    managed_portfolios,
    pooled_r_squared,
)

NAN = np.nan


def r_squared(loss):
    return pooled_r_squared(loss.error.sum()[None], loss.scale.sum()[None])[0]


def test_by_hand():
    realised = np.array([[0.1, -0.2], [0.3, NAN]])
    fitted = np.array([[0.1, -0.1], [0.1, 0.5]])
    loss = asset_loss(realised, fitted)
    np.testing.assert_allclose(loss.error, [0.01, 0.04])
    np.testing.assert_allclose(loss.scale, [0.05, 0.09])
    np.testing.assert_array_equal(loss.count, [2, 1])
    assert r_squared(loss) == pytest.approx(1 - 0.05 / 0.14)


def test_the_baseline_is_a_forecast_of_zero_not_of_the_mean():
    realised = np.full((3, 4), 0.02)
    assert r_squared(asset_loss(realised, np.zeros((3, 4)))) == 0
    assert r_squared(asset_loss(realised, realised)) == 1


def test_pairs_that_are_not_known_on_both_sides_do_not_count():
    realised = np.array([[0.1, NAN, 0.2]])
    fitted = np.array([[NAN, 0.1, 0.1]])
    loss = asset_loss(realised, fitted)
    assert (loss.error[0], loss.scale[0], loss.count[0]) == pytest.approx((0.01, 0.04, 1))


def test_nothing_scored_has_no_r_squared():
    assert np.isnan(r_squared(asset_loss(np.full((2, 2), NAN), np.zeros((2, 2)))))


def test_pooled_as_a_slow_loop_says():
    market = Market()
    table = predictions_of(market).query("model == 'ipca'").dropna()
    errors = scales = 0.0
    for row in table.itertuples():
        errors += (row.realised - row.fitted) ** 2
        scales += row.realised**2
    fitted = table.pivot(index="date", columns="asset", values="fitted").to_numpy()
    assert r_squared(asset_loss(market.returns, fitted)) == pytest.approx(1 - errors / scales)


def test_managed_portfolio_by_hand():
    # One characteristic of -1 and 1 beside a constant: half the spread, and the mean.
    Z = np.array([[-1.0, 1.0], [1.0, 1.0]])
    x = managed_portfolios(Z, np.array([[0.1], [0.3]]))
    np.testing.assert_allclose(x[:, 0], [0.1, 0.2])


def test_two_characteristics_that_rank_nearly_alike_share_one_portfolio():
    draw = np.random.default_rng(0)
    one = np.linspace(-1, 1, 200)
    other = one.copy()
    other[:2] = other[1::-1]  # a single swap of ranks
    Z = np.column_stack([one, other, np.ones(200)])
    returns = (0.05 * one + draw.normal(0, 0.1, 200))[:, None]
    x = managed_portfolios(Z, returns)[:, 0]
    alone = managed_portfolios(Z[:, [0, 2]], returns)[:, 0]
    np.testing.assert_allclose(x, [alone[0] / 2, alone[0] / 2, alone[1]], rtol=0.01)


def test_managed_r_squared_as_a_slow_loop_says():
    market = Market()
    panel = panel_of(market)
    fitted = market.systematic
    errors = scales = 0.0
    for t in range(len(market.dates)):
        known = np.isfinite(market.returns[t])
        Z = np.column_stack([panel.Z[panel.date_index == t].astype(float), np.ones(known.size)])
        Z = Z[known]
        x = np.linalg.inv(Z.T @ Z) @ Z.T @ market.returns[t, known]
        explained = np.linalg.inv(Z.T @ Z) @ Z.T @ fitted[t, known]
        errors += np.sum((x - explained) ** 2)
        scales += np.sum(x**2)
    characteristics = Characteristics.of(panel, panel.dates)
    loss = managed_loss(market.returns, fitted, characteristics)
    assert r_squared(loss) == pytest.approx(1 - errors / scales, rel=1e-9)
    np.testing.assert_array_equal(loss.count, 5)


def test_a_date_that_the_panel_lacks_counts_for_nothing():
    market = Market()
    panel = panel_of(market)
    dates = np.append(panel.dates, panel.dates[-1] + np.timedelta64(31, "D"))
    returns = np.vstack([market.returns, market.returns[-1:]])
    loss = managed_loss(returns, returns, Characteristics.of(panel, dates))
    assert (loss.scale[-1], loss.count[-1]) == (0, 0)
