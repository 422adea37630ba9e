"""Generated inputs of the benchmarks; the same seed gives the same numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentbeta.characteristics.ranking import rank_to_unit_interval
from latentbeta.data.market import DailyMarket
from latentbeta.panel.panel import Panel

SEED = 20210501


def factor_panel(n_dates: int, n_assets: int, n_characteristics: int) -> Panel:
    """Panel of persistent, correlated ranks; five factors with betas linear in the first ten.

    Strengths of the factors fall, so that the last is near the noise, as in real returns.
    """
    rng = np.random.default_rng(SEED)
    level = rng.normal(size=(n_assets, n_characteristics))
    common = rng.normal(size=(n_assets, 1))
    gamma = rng.normal(size=(10, 5)) / np.sqrt(10)
    strength = np.array([0.05, 0.03, 0.02, 0.012, 0.006])
    Z = np.empty((n_dates, n_assets, n_characteristics), np.float32)
    R = np.empty((n_dates, n_assets))
    for t in range(n_dates):
        level = 0.95 * level + np.sqrt(1 - 0.95**2) * rng.normal(size=level.shape)
        Z[t] = rank_to_unit_interval((level + common).T).T
        betas = Z[t, :, :10].astype(np.float64) @ gamma + np.array([1, 0, 0, 0, 0])
        R[t] = betas @ (strength * rng.normal(size=5)) + 0.08 * rng.standard_t(5, n_assets)
    return Panel(
        dates=np.datetime64("2000-01-31", "us") + 30 * np.arange(n_dates).astype("timedelta64[D]"),
        assets=np.array([f"A{i:04d}" for i in range(n_assets)]),
        characteristic_names=tuple(f"c{i:02d}" for i in range(n_characteristics)),
        offsets=np.arange(n_dates + 1) * n_assets,
        asset_index=np.tile(np.arange(n_assets), n_dates),
        Z=Z.reshape(-1, n_characteristics),
        R=R.reshape(-1),
        market_equity=np.ones(n_dates * n_assets),
    )


def daily_market(n_days: int, n_assets: int) -> DailyMarket:
    """Market without gaps, in ten sectors."""
    rng = np.random.default_rng(SEED)
    shape = (n_days, n_assets)
    common = 0.01 * rng.standard_normal((n_days, 1))
    returns = common * rng.uniform(0.5, 1.5, n_assets) + 0.02 * rng.standard_normal(shape)
    close = 50 * np.exp(np.cumsum(np.log1p(returns), axis=0))
    returns[0] = np.nan
    spread = 1 + 0.02 * rng.random(shape)
    return DailyMarket(
        days=np.datetime64("2005-01-03", "us") + np.arange(n_days).astype("timedelta64[D]"),
        assets=np.array([f"A{i:04d}" for i in range(n_assets)]),
        sector=np.arange(n_assets) % 10,
        total_return=returns,
        close=close,
        high=close * spread,
        low=close / spread,
        volume=np.round(1e5 * np.exp(rng.standard_normal(shape))),
        shares=np.broadcast_to(np.round(1e7 * np.exp(rng.standard_normal(n_assets))), shape).copy(),
        risk_free=np.zeros(n_days),
    )


def month_ends(n_days: int) -> NDArray[np.int64]:
    """Every 21st day."""
    return np.arange(20, n_days, 21, dtype=np.int64)
