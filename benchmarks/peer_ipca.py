"""Times the package `ipca`; run by its own environment: peer_ipca.py ARRAYS.npz ANSWER.json."""

import importlib.metadata
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from ipca import InstrumentedPCA  # type: ignore[import-not-found]

REPEATS = 3
TOLERANCE = 1e-5  # its default
DATA_TYPE = "portfolio"  # the faster of its two ways: the other takes minutes here


def fit(arrays: dict[str, np.ndarray], n_factors: int) -> InstrumentedPCA:
    model = InstrumentedPCA(n_factors=n_factors, iter_tol=TOLERANCE)
    return model.fit(
        arrays["X"], arrays["R"], indices=arrays["indices"], data_type=DATA_TYPE, quiet=True
    )


def total_r2(model: InstrumentedPCA, arrays: dict[str, np.ndarray]) -> float:
    gamma, factors = model.get_factors()
    date = arrays["indices"][:, 1]
    fitted = ((arrays["X"] @ gamma) * factors.T[date]).sum(axis=1)
    return float(1 - np.sum((arrays["R"] - fitted) ** 2) / np.sum(arrays["R"] ** 2))


def measured(arrays: dict[str, np.ndarray], n_factors: int) -> dict[str, Any]:
    model = fit(arrays, n_factors)  # the first call compiles
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        fit(arrays, n_factors)
        times.append(time.perf_counter() - start)
    return {
        "version": importlib.metadata.version("ipca"),
        "data_type": DATA_TYPE,
        "n_factors": n_factors,
        "tolerance": TOLERANCE,
        "seconds": times,
        "total_r2": total_r2(model, arrays),
    }


if __name__ == "__main__":
    with np.load(sys.argv[1]) as file:
        loaded = dict(file)
    answers = [measured(loaded, int(k)) for k in loaded["n_factors"]]
    Path(sys.argv[2]).write_text(json.dumps(answers), encoding="utf-8")
