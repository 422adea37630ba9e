import numpy as np
import pytest

from latentbeta.characteristics import momentum

T = np.array([799])


def returns_of_one(n_days, **by_days_back):
    """Returns (n_days, 1): zero but for the given days back from the last, which is d1."""
    returns = np.zeros((n_days, 1))
    for day, value in by_days_back.items():
        returns[n_days - int(day[1:])] = value
    return returns


@pytest.mark.parametrize(
    ("function", "first", "last"),
    [
        (momentum.mom1m, 1, 21),
        (momentum.mom6m, 22, 126),
        (momentum.mom12m, 22, 252),
        (momentum.mom36m, 253, 756),
    ],
)
def test_momentum_compounds_exactly_its_window(function, first, last, steady_market):
    inside = returns_of_one(800, **{f"d{first}": 0.10, f"d{last}": 0.20})
    outside = returns_of_one(800, **{f"d{day}": 0.5 for day in (first - 1, last + 1) if day > 0})
    assert function(steady_market(800, total_return=inside), T)[0, 0] == pytest.approx(0.32)
    assert function(steady_market(800, total_return=outside), T)[0, 0] == 0.0


def test_change_in_momentum_is_the_last_half_year_less_the_one_before(steady_market):
    returns = returns_of_one(800, d1=0.05, d126=0.10, d127=0.20, d252=0.10, d253=0.9)
    value = momentum.chmom(steady_market(800, total_return=returns), T)
    assert value[0, 0] == pytest.approx((1.05 * 1.10) - (1.20 * 1.10))


def test_industry_momentum_is_the_mean_over_the_sector(steady_market):
    returns = np.zeros((800, 5))
    returns[700] = [0.1, 0.3, -0.2, 0.0, 0.9]
    sector = np.array([4, 4, 7, 7, -1])
    value = momentum.indmom(steady_market(800, 5, total_return=returns, sector=sector), T)
    np.testing.assert_allclose(value, [[0.2, 0.2, -0.1, -0.1, np.nan]])


def test_industry_momentum_leaves_out_assets_no_longer_quoted(steady_market):
    returns, close = np.zeros((800, 3)), np.full((800, 3), 10.0)
    returns[700] = [0.1, 0.3, 5.0]
    returns[795:, 2] = close[795:, 2] = np.nan
    value = momentum.indmom(steady_market(800, 3, total_return=returns, close=close), T)
    np.testing.assert_allclose(value, [[0.2, 0.2, 0.2]])


def test_a_gap_counts_as_zero_and_the_spanning_return_is_kept(steady_market):
    returns = returns_of_one(800, d5=0.10)
    close = np.full((800, 1), 10.0)
    returns[790:795] = close[790:795] = np.nan  # no quote on days 6 to 10 back
    value = momentum.mom1m(steady_market(800, total_return=returns, close=close), T)
    assert value[0, 0] == pytest.approx(0.10)


def test_a_quote_with_an_unknown_return_makes_momentum_unknown(steady_market):
    returns = returns_of_one(800, d5=np.nan)
    value = momentum.mom1m(steady_market(800, total_return=returns), T)
    assert np.isnan(value[0, 0])


def test_too_many_gaps_make_momentum_unknown(steady_market):
    returns, close = np.zeros((800, 2)), np.full((800, 2), 10.0)
    returns[790:797, 0] = close[790:797, 0] = np.nan  # 14 of 21 known: just enough
    returns[790:798, 1] = close[790:798, 1] = np.nan
    value = momentum.mom1m(steady_market(800, 2, total_return=returns, close=close), T)
    np.testing.assert_array_equal(value, [[0.0, np.nan]])


def test_a_total_loss_is_a_return_of_minus_one(steady_market):
    returns = returns_of_one(800, d1=-1.0)
    market = steady_market(800, total_return=returns)
    assert momentum.mom1m(market, T)[0, 0] == -1.0
