"""Peak memory of a fit on a panel of the paper's size, mapped from a file: a process of its own.

`python -m benchmarks.paper_size FOLDER` is that process; it writes what it found to the folder.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import PROJECT
from benchmarks.market import SEED
from benchmarks.memory import memory_gb
from benchmarks.timing import Measured
from latentbeta.config import NetworkSettings
from latentbeta.models.conditional_autoencoder import ConditionalAutoencoder
from latentbeta.panel.panel import Panel
from latentbeta.storage import read_json, write_json

N_ASSETS, N_CHARACTERISTICS, N_STRONG = 5_420, 94, 5
N_TRAINING_DATES, N_VALIDATION_DATES = 540, 180
N_DATES = N_TRAINING_DATES + N_VALIDATION_DATES
MODEL, N_FACTORS, N_MEMBERS, BATCH_SIZE = "ca2", 5, 10, 10_000
FLOOR, GOAL = 12.0, 6.0
SAMPLED_EVERY = 0.05  # s


@dataclass(frozen=True)
class Found:
    """Seconds of a fit of one epoch; largest memory in GB, before it and by its end.

    `anonymous` is what only the process has; `resident` counts pages of the mapped panel too,
    which the kernel can drop whenever others need the memory.
    """

    seconds: float
    resident_before: float
    resident: float
    anonymous: float


def measure_paper_size() -> list[Measured]:
    """Fit one epoch of ten members on 3.9 million rows × 94, a quarter of them validation."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.paper_size", folder]
        subprocess.run(command, cwd=PROJECT, check=True)
        found = Found(**read_json(Path(folder) / "found.json"))
    rows = N_DATES * N_ASSETS
    work = (
        f"{rows / 1e6:.1f} million rows × {N_CHARACTERISTICS}, one epoch of"
        f" {N_MEMBERS} {MODEL.upper()}, K={N_FACTORS}"
    )
    note = (
        f"portfolios and validation included, in {found.seconds:.0f} s; without the mapped panel's"
        f" pages {found.anonymous:.2f} GB; imports alone {found.resident_before:.2f} GB"
    )
    return [Measured(work, "peak GB", found.resident, FLOOR, GOAL, note)]


def fit_one_epoch(folder: Path) -> Found:
    """Write the panel, map it, fit, and look at the memory meanwhile."""
    import keras  # noqa: F401  # so that its import is not taken for the fit's

    panel = _panel(folder / "ranks.npy")
    settings = NetworkSettings(
        learning_rates=(0.001,), l1_penalties=(1e-4,), batch_size=BATCH_SIZE, epochs=1, patience=1
    )
    model = ConditionalAutoencoder(MODEL, N_FACTORS, N_MEMBERS, settings, SEED)
    before, watch = memory_gb("VmHWM"), _Watch()
    start = time.perf_counter()
    model.fit(panel.between(0, N_TRAINING_DATES), panel.between(N_TRAINING_DATES, N_DATES))
    return Found(time.perf_counter() - start, before, memory_gb("VmHWM"), watch.end())


class _Watch:
    """Samples the process's own memory until it is told to end."""

    def __init__(self) -> None:
        self.largest, self.ended = 0.0, threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def _look(self) -> None:
        while not self.ended.wait(SAMPLED_EVERY):
            self.largest = max(self.largest, memory_gb("RssAnon"))

    def end(self) -> float:
        self.ended.set()
        self.thread.join()
        return self.largest


def _panel(path: Path) -> Panel:
    R = _written(path)
    return Panel(
        dates=np.datetime64("1957-03-31", "us") + 30 * np.arange(N_DATES).astype("timedelta64[D]"),
        assets=np.array([f"A{i:04d}" for i in range(N_ASSETS)]),
        characteristic_names=tuple(f"c{i:02d}" for i in range(N_CHARACTERISTICS)),
        offsets=np.arange(N_DATES + 1) * N_ASSETS,
        asset_index=np.tile(np.arange(N_ASSETS), N_DATES),
        Z=np.load(path, mmap_mode="r"),
        R=R,
        market_equity=np.ones(N_DATES * N_ASSETS),
    )


def _written(path: Path) -> NDArray[np.float64]:
    """Write the characteristics date by date, never more of them in memory; return the returns."""
    rng = np.random.default_rng(SEED)
    R = np.empty((N_DATES, N_ASSETS))
    with path.open("wb") as stream:
        shape = N_DATES * N_ASSETS, N_CHARACTERISTICS
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, header)
        for t in range(N_DATES):
            Z = rng.uniform(-1, 1, (N_ASSETS, N_CHARACTERISTICS)).astype(np.float32)
            factors = 0.05 * rng.normal(size=N_STRONG)
            R[t] = Z[:, :N_STRONG] @ factors + 0.1 * rng.normal(size=N_ASSETS)
            stream.write(Z.data)
    return R.reshape(-1)


if __name__ == "__main__":
    write_json(asdict(fit_one_epoch(Path(sys.argv[1]))), Path(sys.argv[1]) / "found.json")
