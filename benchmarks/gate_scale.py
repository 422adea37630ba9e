"""The validation gate's price suite on fifteen million rows, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import PROJECT
from benchmarks.market import SEED
from benchmarks.memory import memory_gb
from benchmarks.timing import Measured

N_ASSETS, N_DAYS = 7_000, 2_143
FIRST = np.datetime64("2005-01-03", "us")
DAYS_AT_ONCE = 64
FLOOR, GOAL = 60.0, 25.0  # seconds


def measure_gate() -> list[Measured]:
    """Measure seconds and memory of the gate's price suite, from Parquet to pages."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        n_rows = write_prices(folder, N_ASSETS, N_DAYS)
        found = in_a_process(folder)
    work = f"Great Expectations, {found['n_rules']} price rules, {n_rows / 1e6:.0f} million rows"
    note = (
        "reading Parquet, every table, rule and page, and the rows that break a rule; importing"
        f" the libraries is counted too; {found['processor_s']:.0f} s of processor time"
    )
    return [
        Measured(work, "s", found["seconds"], FLOOR, GOAL, note),
        Measured(work, "peak GB", found["peak_gb"], None, None, "of the whole process"),
    ]


def in_a_process(folder: Path) -> dict[str, float]:
    """Run the gate on the folder's prices as a process of its own, and return what it cost."""
    command = [sys.executable, "-m", "benchmarks.gate_scale", str(folder)]
    done = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def write_prices(folder: Path, n_assets: int, n_days: int) -> int:
    """Write prices.parquet and an empty flags.parquet; a few rows break a rule. -> rows."""
    from latentbeta.data.calendar import sessions

    days = sessions("XNYS", FIRST, FIRST + np.timedelta64(2 * n_days, "D"))[:n_days]
    rng, writer = np.random.default_rng(SEED), None
    names = pa.array([f"A{i:04d}" for i in range(n_assets)])
    close, shares = 50 * np.exp(0.5 * rng.normal(size=n_assets)), np.full(n_assets, 1e8)
    for start in range(0, n_days, DAYS_AT_ONCE):
        block = days[start : start + DAYS_AT_ONCE].astype("datetime64[us]")
        table, close = _block(rng, block, names, close, shares, is_first=start == 0)
        writer = writer or pq.ParquetWriter(
            folder / "prices.parquet", table.schema, compression="zstd"
        )
        writer.write_table(table)
    assert writer is not None
    writer.close()
    flags = pd.DataFrame(columns=["rule", "asset", "date", "value", "detail"], dtype="str")
    kinds = {"date": "datetime64[us]", "value": "float64"}
    flags.astype(kinds).to_parquet(folder / "flags.parquet", index=False)
    return n_assets * len(days)


def _block(
    rng: np.random.Generator,
    days: np.ndarray,
    names: pa.Array,
    before: np.ndarray,
    shares: np.ndarray,
    *,
    is_first: bool,
) -> tuple[pa.Table, np.ndarray]:
    """Return some days of quotes, and the last closes."""
    shape = (len(days), len(names))
    common = 0.01 * rng.standard_normal((len(days), 1))
    returns = np.expm1(common + 0.02 * rng.standard_normal(shape))
    returns[-1, 0] = 1.5  # beyond what is usual
    close = before * np.cumprod(1 + returns, axis=0)
    width = 1 + rng.uniform(0.001, 0.01, shape)
    total = returns.copy()
    total[0] = np.nan if is_first else total[0]
    index = pa.array(np.tile(np.arange(len(names), dtype=np.int32), len(days)))
    columns = {
        "open": close * np.sqrt(width),
        "high": close * width,
        "low": close / width,
        "close": close,
        "volume": np.round(5e5 * np.exp(0.5 * rng.standard_normal(shape))),
        "dividend": np.zeros(shape),
        "split": np.ones(shape),
        "shares": np.broadcast_to(shares, shape),
        "total_return": total,
    }
    keys = {
        "date": pa.array(np.repeat(days, len(names))),
        "asset": pa.DictionaryArray.from_arrays(index, names).cast(pa.string()),
    }
    return pa.table(keys | {name: v.ravel() for name, v in columns.items()}), close[-1]


def main() -> None:
    """Run the gate on a folder's prices and print what it cost, as one line of JSON."""
    start = time.perf_counter()
    from latentbeta.config import read_settings
    from latentbeta.quality.gate import run_suite
    from latentbeta.quality.suite import price_suite

    settings = read_settings(PROJECT / "params.yaml")
    folder = Path(sys.argv[1])
    suite = price_suite(folder, settings)
    result = run_suite(suite, folder / "validation")
    assert len(suite.rules) >= 20
    assert result.passed
    assert [failure.outcome.rule.name for failure in result.failures] == ["total_return_usual"]
    cost = {
        "n_rules": len(suite.rules),
        "seconds": time.perf_counter() - start,
        "processor_s": time.process_time(),
        "peak_gb": memory_gb("VmHWM"),
    }
    sys.stdout.write(json.dumps(cost) + "\n")


if __name__ == "__main__":
    main()
