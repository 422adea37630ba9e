"""Every characteristic against its plain form on random panels with whatever goes wrong."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.plain_characteristics import PLAIN, WEEKLY

from latentbeta.characteristics.registry import REGISTRY
from latentbeta.data.market import DailyMarket

TOLERANCE = 1e-10  # of a value's size; and of one, for sums that cancel
DAILY = set(PLAIN) - WEEKLY - {"mom36m"}
NO_CANCELLING = {"ill", "turn", "mvel1", "dolvol", "baspread", "zerotrade"}
SPACINGS = (1, 5, 21)  # days between formations at daily, weekly and monthly rebalancing

# Days at which windows begin to be whole, and a few in between.
lengths = st.sampled_from([1, 14, 22, 43, 64, 107, 130, 254, 290, 330])
years = st.sampled_from([259, 285, 420, 790, 860, 900])
shares_of_days = st.sampled_from([0.0, 0.0, 0.03, 0.03, 0.3])


@st.composite
def markets(draw, n_days, n_assets):
    """A market of a drawn length with drawn faults, the details at random from a drawn seed."""
    days, assets = draw(n_days), draw(n_assets)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (days, assets)
    volatility = np.where(rng.random(assets) < draw(shares_of_days), 0.0, 0.02)  # prices that stand
    returns = (rng.normal(size=shape) + 0.7 * rng.normal(size=(days, 1))) * volatility
    close = rng.uniform(1.0, 200.0, assets) * np.cumprod(1.0 + returns, axis=0)
    shares = np.full(shape, np.floor(rng.uniform(1e5, 1e9, assets)))
    volume = np.floor(shares * rng.gamma(0.5, 0.01, shape))
    volume[rng.random(shape) < draw(shares_of_days)] = 0.0
    volume[:, rng.random(assets) < draw(shares_of_days)] = 0.0  # never traded
    high = close * (1.0 + rng.choice([0.0, 0.01, 0.05], shape))
    low = close * (1.0 - rng.choice([0.0, 0.01, 0.05], shape))
    if draw(st.booleans()):
        split = rng.integers(0, days)
        for price in (close, high, low):
            price[split:, 0] /= 4.0
        volume[split:, 0] *= 4.0
        shares[split:, 0] *= 4.0
    quoted = rng.random(shape) >= draw(shares_of_days)
    if draw(st.booleans()):  # listings and delistings
        first, last = np.sort(rng.integers(0, days, (2, assets)), axis=0)
        inside = np.arange(days)[:, None]
        quoted &= (inside >= first) & (inside <= last)
    if draw(st.booleans()):
        quoted[:, -1] = np.arange(days) == rng.integers(0, days)  # one day alone
    for matrix in (returns, close, high, low, volume, shares):
        matrix[~quoted] = np.nan
    shares[rng.random(shape) < draw(shares_of_days)] = np.nan
    volume[rng.random(shape) < draw(shares_of_days)] = np.nan
    returns[rng.random(shape) < draw(st.sampled_from([0.0, 0.001, 0.02]))] = np.nan
    listed = quoted.any(axis=0)
    returns[np.argmax(quoted, axis=0)[listed], np.flatnonzero(listed)] = np.nan
    if draw(st.booleans()):  # the return of a delisting stands on a day without a quote
        after = np.minimum(days - 1 - np.argmax(quoted[::-1], axis=0) + 2, days - 1)
        returns[after[listed], np.flatnonzero(listed)] = -0.5
    return DailyMarket(
        days=np.arange(days).astype("datetime64[D]").astype("datetime64[us]"),
        assets=np.array([f"A{n}" for n in range(assets)]),
        sector=rng.integers(-1, 2, assets),
        total_return=returns,
        close=close,
        high=high,
        low=low,
        volume=volume,
        shares=shares,
        risk_free=np.zeros(days),
    )


def formations_of(market, spacing, n):
    """The last n formations, the newest on the last day."""
    newest = market.shape[0] - 1
    return np.arange(newest, -1, -spacing)[:n][::-1].copy()


def known_after_comparison(names, market, formations):
    """Compare with the plain loops; return how many values of each characteristic were known."""
    known = Counter()
    for name in names:
        fast = REGISTRY[name].function(market, formations)
        slow = [[PLAIN[name](market, n, t) for n in range(market.shape[1])] for t in formations]
        floor = 0.0 if name in NO_CANCELLING else TOLERANCE * 1e-3
        np.testing.assert_allclose(fast, slow, rtol=TOLERANCE, atol=floor, err_msg=name)
        known[name] = int(np.isfinite(fast).sum())
    return known


def compare(names, n_days, *, n_examples, least_known):
    """Compare on that many random panels, and see that enough values were there to compare."""
    known = Counter()
    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large]

    @settings(max_examples=n_examples, deadline=None, derandomize=True, suppress_health_check=quiet)
    @given(markets(n_days, st.integers(1, 6)), st.sampled_from(SPACINGS))
    def on_one(market, spacing):
        known.update(known_after_comparison(names, market, formations_of(market, spacing, 6)))

    on_one()
    assert min(known[name] for name in names) >= least_known, known


def test_daily_windows():
    compare(sorted(DAILY), lengths, n_examples=150, least_known=60)


def test_long_windows():
    compare(sorted(set(PLAIN) - DAILY), years, n_examples=60, least_known=100)


@pytest.mark.slow
def test_many_panels():
    compare(sorted(PLAIN), st.one_of(lengths, years), n_examples=1_500, least_known=1_000)
