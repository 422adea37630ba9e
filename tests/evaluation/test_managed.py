import numpy as np
import pytest
from tests.synthetic_results import Market, panel_of

from latentbeta.evaluation.managed import Characteristics, managed_returns
from latentbeta.evaluation.r_squared import squared_loss

NAN = np.nan


def one_date(Z):
    """Characteristics of a single date, the constant among them."""
    names = tuple(f"c{p}" for p in range(Z.shape[1]))
    return Characteristics(names=names, columns=(np.arange(len(Z)),), Z=(Z,))


def portfolios(Z, returns):
    return managed_returns(returns[None], returns[None], one_date(Z)).realised[0]


def test_by_hand():
    # One characteristic of -1 and 1 beside a constant: half the spread, and the mean.
    Z = np.array([[-1.0, 1.0], [1.0, 1.0]])
    np.testing.assert_allclose(portfolios(Z, np.array([0.1, 0.3])), [0.1, 0.2])


def test_two_characteristics_that_rank_nearly_alike_share_one_portfolio():
    draw = np.random.default_rng(0)
    one = np.linspace(-1, 1, 200)
    other = one.copy()
    other[:2] = other[1::-1]  # a single swap of ranks
    Z = np.column_stack([one, other, np.ones(200)])
    returns = 0.05 * one + draw.normal(0, 0.1, 200)
    alone = portfolios(Z[:, [0, 2]], returns)
    np.testing.assert_allclose(
        portfolios(Z, returns), [alone[0] / 2, alone[0] / 2, alone[1]], rtol=0.01
    )


def test_as_a_slow_loop_says():
    market = Market()
    panel = panel_of(market)
    fitted = np.where(np.random.default_rng(4).random(market.returns.shape) < 0.1, NAN, 0.01)
    fitted = fitted + market.systematic
    characteristics = Characteristics.of(panel, panel.dates)
    found = managed_returns(market.returns, fitted, characteristics)
    for t in range(len(market.dates)):
        known = np.isfinite(market.returns[t]) & np.isfinite(fitted[t])
        Z = np.column_stack([panel.Z[panel.date_index == t].astype(float), np.ones(known.size)])
        Z = Z[known]
        inverse = np.linalg.inv(Z.T @ Z)
        np.testing.assert_allclose(found.realised[t], inverse @ Z.T @ market.returns[t, known])
        np.testing.assert_allclose(found.explained[t], inverse @ Z.T @ fitted[t, known])
    assert characteristics.names == ("c0", "c1", "c2", "c3", "constant")
    np.testing.assert_array_equal(squared_loss(*found).count, 5)


def test_models_that_cover_other_assets_have_weights_of_their_own():
    market = Market()
    characteristics = Characteristics.of(panel_of(market), panel_of(market).dates)
    part = market.returns.copy()
    part[:, :20] = NAN
    managed_returns(market.returns, market.systematic, characteristics)
    after = managed_returns(part, market.systematic, characteristics)
    fresh = Characteristics.of(panel_of(market), panel_of(market).dates)
    np.testing.assert_array_equal(
        after.realised, managed_returns(part, market.systematic, fresh).realised
    )


def test_a_date_that_the_panel_lacks_counts_for_nothing():
    market = Market()
    panel = panel_of(market)
    dates = np.append(panel.dates, panel.dates[-1] + np.timedelta64(31, "D"))
    returns = np.vstack([market.returns, market.returns[-1:]])
    found = managed_returns(returns, returns, Characteristics.of(panel, dates))
    assert np.isnan(found.realised[-1]).all()
    loss = squared_loss(*found)
    assert (loss.scale[-1], loss.count[-1]) == (0, 0)
    assert loss.count[-2] == pytest.approx(5)
