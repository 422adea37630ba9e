"""A small market with everything that goes wrong in real ones."""

from collections.abc import Callable

import numpy as np
import pytest

from latentbeta.data.market import DailyMarket

N_DAYS, N_ASSETS = 830, 7


def _random_market(seed: int) -> DailyMarket:
    """Gaps, an unknown return after a gap, a late listing, a delisting, zero volumes, a split."""
    rng = np.random.default_rng(seed)
    shape = (N_DAYS, N_ASSETS)
    returns = rng.normal(0.0, 0.02, shape) + rng.normal(0.0, 0.012, (N_DAYS, 1))
    close = 40.0 * np.cumprod(1.0 + returns, axis=0)
    shares = np.full(shape, 2e6) * rng.uniform(0.5, 2.0, N_ASSETS)
    split = 400
    close[split:, 1] /= 2.0
    shares[split:, 1] *= 2.0
    volume = np.floor(shares * rng.gamma(1.0, 0.01, shape))
    volume[rng.random(shape) < 0.05] = 0.0
    spread = rng.uniform(0.0, 0.03, shape)
    high, low = close * (1.0 + spread), close * (1.0 - spread)

    gap = rng.random(shape) < 0.04
    gap[:130, 2] = True  # listed late
    gap[700:, 3] = True  # delisted
    gap[300:340, 4] = True  # a long halt
    gap[815:, 5] = True  # not quoted at the end
    for matrix in (returns, close, high, low, volume, shares):
        matrix[gap] = np.nan
    shares[rng.random(shape) < 0.02] = np.nan
    volume[600:610, 6] = np.nan
    for asset in range(N_ASSETS):  # the first quote has no return
        returns[np.flatnonzero(np.isfinite(close[:, asset]))[0], asset] = np.nan
    returns[np.flatnonzero(np.isfinite(close[340:, 4]))[0] + 340, 4] = np.nan
    return DailyMarket(
        days=np.arange(N_DAYS).astype("datetime64[D]").astype("datetime64[us]"),
        assets=np.array([f"A{n}" for n in range(N_ASSETS)]),
        sector=np.array([0, 0, 1, 1, 1, 0, -1]),
        total_return=returns,
        close=close,
        high=high,
        low=low,
        volume=volume,
        shares=shares,
        risk_free=np.full(N_DAYS, 0.0001),
    )


def _steady_market(n_days: int, n_assets: int = 1, **fields: np.ndarray) -> DailyMarket:
    """Zero returns at a price of 10, volume 1,000 of 100,000 shares, but for the fields given."""
    shape = (n_days, n_assets)
    steady = {
        "total_return": np.zeros(shape),
        "close": np.full(shape, 10.0),
        "high": np.full(shape, 10.0),
        "low": np.full(shape, 10.0),
        "volume": np.full(shape, 1_000.0),
        "shares": np.full(shape, 100_000.0),
        "sector": np.zeros(n_assets, dtype=np.int64),
    }
    return DailyMarket(
        days=np.arange(n_days).astype("datetime64[D]").astype("datetime64[us]"),
        assets=np.array([f"A{n}" for n in range(n_assets)]),
        risk_free=np.zeros(n_days),
        **(steady | fields),
    )


@pytest.fixture(scope="session")
def random_market() -> Callable[[int], DailyMarket]:
    return _random_market


@pytest.fixture(scope="session")
def steady_market() -> Callable[..., DailyMarket]:
    return _steady_market
