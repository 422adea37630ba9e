import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from latentbeta.data.calendar import sessions
from latentbeta.data.snapshots import SnapshotStore
from latentbeta.data.snapshots.rows import VALUES

NOON = dt.datetime(2024, 6, 3, 12, tzinfo=dt.UTC)

Table = Callable[..., pd.DataFrame]


@pytest.fixture
def noon() -> dt.datetime:
    return NOON


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "data/snapshots", "data/mine")


@pytest.fixture
def table() -> Table:
    """Rows of (asset, date, close) as a table of prices; other columns follow from the close."""

    def rows(*given: tuple[str, str, float], **columns: Any) -> pd.DataFrame:
        made = pd.DataFrame(given, columns=["asset", "date", "close"])
        made["date"] = pd.to_datetime(made["date"]).astype("datetime64[us]")
        made = made.assign(open=made["close"], high=made["close"] + 1, low=made["close"] - 1)
        made = made.assign(volume=100.0, dividend=0.0, split=1.0, shares=np.nan).assign(**columns)
        return made[["asset", "date", *VALUES]]

    return rows


@pytest.fixture
def history() -> Table:
    """Random rows of some assets on every session of a span, with gaps, sorted."""

    def rows(first: str, last: str, *, seed: int = 1, n_assets: int = 5) -> pd.DataFrame:
        random = np.random.default_rng(seed)
        days = sessions("XNYS", dt.date.fromisoformat(first), dt.date.fromisoformat(last))
        names = [f"A{i}" for i in range(n_assets)]
        steps = random.normal(scale=0.02, size=(n_assets, len(days)))
        close = 50 * np.exp(steps.cumsum(axis=1)).ravel()
        made = pd.DataFrame(
            {
                "asset": pd.Categorical(
                    np.repeat(names, len(days)), categories=names, ordered=True
                ),
                "date": np.tile(days, n_assets),
                "open": close,
                "high": close * 1.01,
                "low": close * 0.99,
                "close": close,
                "volume": random.integers(0, 4, close.shape) * 100.0,
                "dividend": np.where(random.random(close.shape) < 0.05, 0.3, 0.0),
                "split": 1.0,
                "shares": np.where(random.random(close.shape) < 0.2, np.nan, 1e6),
            }
        )
        return made[random.random(len(made)) > 0.1].reset_index(drop=True)

    return rows
