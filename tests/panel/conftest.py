"""Daily markets on the sessions of the New York exchange."""

from collections.abc import Callable

import numpy as np
import pytest

from latentbeta.data.calendar import sessions
from latentbeta.data.market import DailyMarket


def _market_on(start: str, end: str, n_assets: int = 1, **fields: np.ndarray) -> DailyMarket:
    """A quote of 10 with a zero return every session, but for the fields given."""
    days = sessions("XNYS", np.datetime64(start), np.datetime64(end))
    shape = (len(days), n_assets)
    flat = {
        "total_return": np.zeros(shape),
        "close": np.full(shape, 10.0),
        "high": np.full(shape, 10.1),
        "low": np.full(shape, 9.9),
        "volume": np.full(shape, 1e4),
        "shares": np.full(shape, 1e6),
        "sector": np.zeros(n_assets, dtype=np.int64),
        "risk_free": np.zeros(len(days)),
    }
    assets = np.array([f"A{n:02d}" for n in range(n_assets)])
    return DailyMarket(days=days, assets=assets, **(flat | fields))


def _noisy_market(start: str, end: str, n_assets: int, seed: int = 0) -> DailyMarket:
    """Random returns with gaps, a late listing (first asset) and a delisting (second)."""
    n_days = len(sessions("XNYS", np.datetime64(start), np.datetime64(end)))
    rng = np.random.default_rng(seed)
    shape = (n_days, n_assets)
    returns = rng.normal(0.0, 0.02, shape) + rng.normal(0.0, 0.01, (n_days, 1))
    close = 20.0 * np.cumprod(1.0 + returns, axis=0)
    gap = rng.random(shape) < 0.02
    gap[: n_days // 2, 0] = True
    gap[2 * n_days // 3 :, 1] = True
    returns[gap] = close[gap] = np.nan
    for asset in range(n_assets):
        returns[np.flatnonzero(np.isfinite(close[:, asset]))[0], asset] = np.nan
    return _market_on(
        start,
        end,
        n_assets,
        total_return=returns,
        close=close,
        high=close * 1.02,
        low=close * 0.99,
        volume=np.where(gap, np.nan, rng.integers(1_000, 9_000, shape).astype(float)),
        sector=rng.integers(0, 3, n_assets),
        risk_free=np.full(n_days, 0.0001),
    )


@pytest.fixture(scope="session")
def market_on() -> Callable[..., DailyMarket]:
    return _market_on


@pytest.fixture(scope="session")
def noisy_market() -> Callable[..., DailyMarket]:
    return _noisy_market
