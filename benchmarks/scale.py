"""Fifteen characteristics of 15 million daily rows, from data/prices to data/panel.

Run as a script it is the child whose time and memory are measured:
`python -m benchmarks.scale PRICES PANEL`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import PROJECT
from latentbeta.environment import configure

configure(PROJECT)

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

from benchmarks.daily_characteristics import FIFTEEN  # noqa: E402
from benchmarks.market import SEED  # noqa: E402
from benchmarks.memory import memory_gb  # noqa: E402
from benchmarks.timing import Measured  # noqa: E402
from latentbeta.config import CharacteristicsSettings  # noqa: E402
from latentbeta.data.calendar import sessions  # noqa: E402
from latentbeta.data.market_files import open_market  # noqa: E402
from latentbeta.panel import build_panel, write_panel  # noqa: E402
from latentbeta.storage import write_parquet  # noqa: E402

N_ROWS, N_ASSETS = 15_000_000, 7_000
FIRST, LAST = "1984-01-03", "2023-12-29"
DAYS_AT_ONCE = 250
CALENDAR = "XNYS"


@dataclass(frozen=True)
class Cost:
    """What a process took.

    Attributes
    ----------
    wall, processor : float
        Seconds; imports are among them.
    peak_gb : float
        Largest resident memory.
    n_rows : int
        Of the panel.
    """

    wall: float
    processor: float
    peak_gb: float
    n_rows: int


def measure_characteristics_at_scale() -> list[Measured]:
    """Measure time and peak memory of the stage's work in a process of its own, once."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        n_rows = write_prices(folder / "prices")
        cost = in_a_process(folder)
    work = f"{len(FIFTEEN)} characteristics, {n_rows:,} daily rows, from Parquet to panel"
    note = (
        f"{N_ASSETS:,} assets that come and go over 40 years, a panel of {cost.n_rows:,} rows;"
        f" imports included; {cost.processor:.0f} s of processor time; measured once"
    )
    return [
        Measured(work, "s", cost.wall, floor=90, goal=45, note=note),
        Measured(work, "peak GB", cost.peak_gb, floor=8, goal=5, note=note),
    ]


def write_prices(folder: Path, *, n_rows: int = N_ROWS, n_assets: int = N_ASSETS) -> int:
    """Write a folder as ingest leaves it, some days at a time; return its number of rows.

    Assets live for spells of very different length that start at any time.
    """
    rng = np.random.default_rng(SEED)
    days = sessions(CALENDAR, pd.Timestamp(FIRST).date(), pd.Timestamp(LAST).date())
    length = rng.gamma(1.5, 1.0, n_assets)
    length = np.minimum(length * n_rows / length.sum(), len(days)).astype(np.int64) + 2
    first = (rng.random(n_assets) * (len(days) - np.minimum(length, len(days)) + 1)).astype(int)
    last = np.minimum(first + length, len(days)) - 1
    names = np.array([f"A{i:05d}" for i in range(n_assets)])
    folder.mkdir(parents=True)
    written = 0
    price = rng.uniform(5, 100, n_assets)
    shares = np.round(1e7 * np.exp(rng.standard_normal(n_assets)))
    writer: Any = None
    for start in range(0, len(days), DAYS_AT_ONCE):
        span = np.arange(start, min(start + DAYS_AT_ONCE, len(days)))
        alive = (span[:, None] >= first) & (span[:, None] <= last)
        table, price = _piece(rng, days[span], names, alive, price, shares, span[:, None] == first)
        writer = writer or pq.ParquetWriter(
            folder / "prices.parquet", table.schema, compression="zstd"
        )
        writer.write_table(table)
        written += len(table)
    writer.close()
    write_parquet(_listing(names, days, first, last), folder / "assets.parquet")
    rates = pd.DataFrame({"date": days, "risk_free": np.full(len(days), 1e-4)})
    write_parquet(rates, folder / "risk_free.parquet")
    return written


def _piece(
    rng: np.random.Generator,
    days: Any,
    names: Any,
    alive: Any,
    price: Any,
    shares: Any,
    new: Any,
) -> tuple[pa.Table, Any]:
    """Rows of some days, and the prices at their end."""
    shape = alive.shape
    returns = 0.01 * rng.standard_normal((len(days), 1)) + 0.02 * rng.standard_normal(shape)
    close = price * np.exp(np.cumsum(np.log1p(returns), axis=0))
    returns[new] = np.nan
    day, asset = np.nonzero(alive)
    at_close, spread = close[day, asset], 1 + 0.02 * rng.random(len(day))
    rows = {
        "date": days[day],
        "asset": pd.array(names[asset], dtype="str"),
        "open": at_close,
        "high": at_close * spread,
        "low": at_close / spread,
        "close": at_close,
        "volume": np.round(1e5 * np.exp(rng.standard_normal(len(day)))),
        "dividend": np.zeros(len(day)),
        "split": np.ones(len(day)),
        "shares": shares[asset],
        "total_return": returns[day, asset],
    }
    return pa.Table.from_pandas(pd.DataFrame(rows), preserve_index=False), close[-1]


def _listing(names: Any, days: Any, first: Any, last: Any) -> pd.DataFrame:
    ended = last < len(days) - 1
    end = np.where(ended, days[last], np.datetime64("NaT", "us"))
    sectors = np.array([f"Sector {code:02d}" for code in np.arange(len(names)) % 10])
    return pd.DataFrame(
        {
            "asset": pd.array(names, dtype="str"),
            "name": pd.array(names, dtype="str"),
            "sector": pd.array(sectors, dtype="str"),
            "listed": days[first],
            "delisted": end.astype("datetime64[us]"),
            "delisting_return": np.where(ended, -0.05, np.nan),
            "first_date": days[first],
            "last_date": days[last],
        }
    )


def in_a_process(folder: Path) -> Cost:
    """Build folder/panel from folder/prices in a process of its own."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scale", folder / "prices", folder / "panel"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    wall = time.perf_counter() - start
    return Cost(wall=wall, **json.loads(done.stdout.splitlines()[-1]))


def build(prices: Path, panel: Path) -> int:
    """Do what the stage characteristics does; return the panel's number of rows."""
    delisted = pd.read_parquet(prices / "assets.parquet", columns=["delisted"])["delisted"]
    built = build_panel(
        open_market(prices),
        rebalancing="monthly",
        calendar=CALENDAR,
        settings=CharacteristicsSettings(names=FIFTEEN, minimum_history=252, minimum_coverage=0.2),
        delisted=delisted.to_numpy("datetime64[us]"),
    )
    write_panel(built, panel)
    return built.panel.n_rows


def _child() -> None:
    n_rows = build(Path(sys.argv[1]), Path(sys.argv[2]))
    cost = {
        "processor": time.process_time(),
        "peak_gb": memory_gb("VmHWM"),
        "n_rows": n_rows,
    }
    sys.stdout.write(json.dumps(cost) + "\n")


if __name__ == "__main__":
    _child()
