"""Industry-adjusted forms: x less its mean over the sector, by name."""

import math
import statistics

import numpy as np
import pytest
from tests.plain_characteristics import PLAIN, finite, quoted

from latentbeta.characteristics.registry import rows_of
from latentbeta.errors import SettingsError

FORMATIONS = np.array([41, 300, 512, 703, 819])
LISTED_LATER = ("total_return", "close", "high", "low", "volume", "shares")


def function_of(name):
    return rows_of([name])[name].function


def plain(name, market, asset, day):
    if market.sector[asset] < 0:
        return math.nan
    peers = [n for n in range(market.shape[1]) if market.sector[n] == market.sector[asset]]
    known = finite(PLAIN[name](market, n, day) for n in peers if quoted(market, n, day))
    return PLAIN[name](market, asset, day) - statistics.fmean(known) if known else math.nan


def test_worked_by_hand(steady_market):
    """Returns of 1, 3 and 8 % in one sector, 5 % alone in another, 7 % in none."""
    returns = np.zeros((100, 5))
    returns[99] = [0.01, 0.03, 0.08, 0.05, 0.07]
    sector = np.array([2, 2, 2, 0, -1])
    market = steady_market(100, 5, total_return=returns, sector=sector)
    value = function_of("mom1m_ia")(market, np.array([99]))
    np.testing.assert_allclose(value, [[-0.03, -0.01, 0.04, 0.0, np.nan]], atol=1e-15)


def test_assets_no_longer_quoted_have_no_part_in_the_mean(steady_market):
    returns, close = np.zeros((100, 3)), np.full((100, 3), 10.0)
    returns[90] = [0.01, 0.03, 0.50]
    close[95:, 2] = returns[95:, 2] = np.nan
    market = steady_market(100, 3, total_return=returns, close=close)
    value = function_of("mom1m_ia")(market, np.array([99]))
    np.testing.assert_allclose(value, [[-0.01, 0.01, 0.48]], atol=1e-15)


@pytest.mark.parametrize("name", ["mom12m", "retvol", "mvel1", "zerotrade"])
def test_equals_plain_loops(name, random_market):
    market = random_market(4)
    fast = function_of(f"{name}_ia")(market, FORMATIONS)
    slow = [[plain(name, market, n, t) for n in range(market.shape[1])] for t in FORMATIONS]
    assert np.isfinite(fast).any()
    np.testing.assert_allclose(fast, slow, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ["mom1m_ia", "ill_ia", "beta_ia"])
def test_an_asset_listed_later_and_later_days_leave_every_bit(name, random_market):
    market = random_market(5)
    cut, function = 640, function_of(name)
    formations = np.array([290, 511, cut])
    before = function(market, formations)
    cut_off = market.between(0, cut + 1)
    assert function(cut_off, formations).tobytes() == before.tobytes()
    late = np.where(np.arange(market.shape[0]) > cut, 1.0, np.nan)[:, None]
    added = {field: np.hstack([late, getattr(market, field)]) for field in LISTED_LATER}
    more = type(market)(
        days=market.days,
        assets=np.append("A", market.assets),
        sector=np.append(0, market.sector),
        risk_free=market.risk_free,
        **added,
    )
    after = np.ascontiguousarray(function(more, formations)[:, 1:])
    assert after.tobytes() == before.tobytes()


def test_equal_values_leave_zero_and_no_rounding(steady_market):
    market = steady_market(100, 7, volume=np.full((100, 7), 1e3 / 3))
    value = function_of("turn_ia")(market, np.array([99]))
    np.testing.assert_array_equal(value, np.zeros((1, 7)))


def test_its_row_tells_where_it_comes_from():
    row = rows_of(["ill_ia"])["ill_ia"]
    assert row.name == "ill_ia"
    assert row.inputs == ("close", "total_return", "volume", "sector")
    assert row.source == "Amihud (2002); Asness, Porter and Stevens (2000)"
    assert (row.lag, row.sign) == (0, 1)


@pytest.mark.parametrize("name", ["size_ia", "indmom_ia", "_ia", "mom1m_ia_ia"])
def test_what_cannot_be_adjusted_is_named(name):
    with pytest.raises(SettingsError, match=f"no characteristic is called {name}; there are"):
        rows_of(["mom1m", name])
