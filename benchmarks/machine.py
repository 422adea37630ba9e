"""What the machine is and what it can do, without its name or any path on it."""

from __future__ import annotations

import os
import platform
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.timing import alternating

MATRIX = 1500  # rows and columns
COPY = 256 * 2**20  # bytes, far beyond any cache


def machine() -> dict[str, Any]:
    """Describe processor, cores, memory and load, with measured rates."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "load_average": load_average(),
        **_rates(),
    }


def load_average() -> list[float]:
    """Return the processes at work or waiting, over 1, 5 and 15 minutes."""
    return [round(load, 2) for load in os.getloadavg()]


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _rates() -> dict[str, float]:
    """Rate of a matrix product in both precisions and of copying memory, by the pipeline's threads.

    A product counts 2 n³ operations, a copy the bytes that it reads and those that it writes.
    """
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(2, MATRIX, MATRIX))
    left32, right32 = left.astype(np.float32), right.astype(np.float32)
    source, target = np.ones(COPY // 8), np.empty(COPY // 8)
    double, single, copy = alternating(
        lambda: left @ right, lambda: left32 @ right32, lambda: np.copyto(target, source)
    )
    return {
        "matrix_gflops": round(2 * MATRIX**3 / statistics.median(double) / 1e9, 1),
        "matrix_gflops_float32": round(2 * MATRIX**3 / statistics.median(single) / 1e9, 1),
        "memory_gb_per_s": round(2 * COPY / statistics.median(copy) / 1e9, 1),
    }
