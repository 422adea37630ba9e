"""Small panels whose betas and factors are known, after section 4 of Gu, Kelly and Xiu (2021)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.panel.panel import Panel
from latentbeta.storage import write_parquet

Betas = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True)
class SimulatedPanel:
    """A panel, and what made its returns: betas (n, K) of its rows, factors (T, K)."""

    panel: Panel
    betas: NDArray[np.float64]
    factors: NDArray[np.float64]


def linear_betas(Z: NDArray[np.float64]) -> NDArray[np.float64]:
    return Z[:, :3] * np.array([1.2, 1.0, 0.8])[: Z.shape[1]]


def bent_betas(Z: NDArray[np.float64]) -> NDArray[np.float64]:
    """No line follows them, yet managed portfolios span their factors."""
    return np.column_stack([np.sign(Z[:, 0]), Z[:, 1] * (1 + Z[:, 2])])


def simulate(
    *,
    n_dates: int,
    n_assets: int,
    n_characteristics: int,
    seed: int,
    betas: Betas = linear_betas,
    noise: float = 0.1,
    absent: float = 0.0,
    missing: float = 0.0,
) -> SimulatedPanel:
    """Simulate r = β(z)'f + noise · t5.

    Parameters
    ----------
    absent : share of (date, asset) pairs without a row, among the later half of the assets
    missing : share of rows without a return, likewise
    """
    rng = np.random.default_rng(seed)
    shape = (n_dates, n_assets, n_characteristics)
    persistence = rng.uniform(0.9, 1.0, n_characteristics)
    raw = rng.normal(size=shape)
    for t in range(1, n_dates):
        raw[t] += persistence * raw[t - 1]
    ranks = raw.argsort(axis=1).argsort(axis=1) + 1
    Z = (2 * ranks / (n_assets + 1) - 1).astype(np.float32)
    gapless = np.arange(n_assets) < n_assets // 2
    rows = (rng.random((n_dates, n_assets)) >= absent) | gapless
    true_betas = betas(Z[rows].astype(np.float64))
    factors = rng.normal(0.03, 0.1, (n_dates, true_betas.shape[1]))
    date_index, asset_index = np.nonzero(rows)
    R = (true_betas * factors[date_index]).sum(axis=1)
    R += noise * rng.standard_t(5, len(R))
    R[(rng.random(len(R)) < missing) & ~gapless[asset_index]] = np.nan
    panel = panel_of(rows, Z[rows], R)
    return SimulatedPanel(panel, true_betas, factors)


def panel_of(rows: NDArray[np.bool_], Z: NDArray[np.floating], R: NDArray[np.float64]) -> Panel:
    """Return the panel with a row where `rows` (T, N) says so, date by date."""
    n_dates, n_assets = rows.shape
    return Panel(
        dates=month_ends(n_dates),
        assets=np.array([f"A{i:03d}" for i in range(n_assets)]),
        characteristic_names=tuple(f"c{j + 1}" for j in range(Z.shape[1])),
        offsets=np.concatenate([[0], np.cumsum(rows.sum(axis=1))]).astype(np.int64),
        asset_index=np.nonzero(rows)[1].astype(np.int64),
        Z=Z.astype(np.float32),
        R=R,
        market_equity=np.ones(len(R)),
    )


def full_panel(Z: NDArray[np.floating], R: NDArray[np.float64]) -> Panel:
    """Return a panel without absent rows from (T, N, P) characteristics and (T, N) returns."""
    return panel_of(np.ones(R.shape, dtype=bool), Z.reshape(-1, Z.shape[-1]), R.ravel())


def month_ends(n_dates: int) -> NDArray[np.datetime64]:
    first_days = np.datetime64("2001-02", "M") + np.arange(n_dates)
    return (first_days.astype("datetime64[D]") - 1).astype("datetime64[us]")


def with_returns(panel: Panel, R: NDArray[np.float64]) -> Panel:
    return replace(panel, R=R)


def write_panel_table(panel: Panel, folder: Path) -> None:
    """Write panel.parquet, as the stage characteristics leaves it."""
    table = pd.DataFrame(
        {
            "date": panel.dates[panel.date_index],
            "formation": panel.dates[panel.date_index] - np.timedelta64(31, "D"),
            "asset": pd.array(panel.assets[panel.asset_index], dtype="str"),
            "return": panel.R,
            "market_equity": panel.market_equity,
        }
        | {name: panel.Z[:, p] for p, name in enumerate(panel.characteristic_names)}
    )
    write_parquet(table, folder / "panel.parquet")
