"""The code of a logged linear model: MLflow stores this file with Γ and loads it alone.

It imports nothing of the package, so that a stored model keeps its meaning when the package
moves on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class LinearBetas:
    """β = [Z, 1] Γ with Γ (P + 1, K), the constant's row last.

    Source: Kelly, Pruitt and Su (2019), equation 2.
    """

    gamma: NDArray[np.float64]

    def predict(self, Z: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (n, K) betas of (n, P) characteristics."""
        return np.asarray(np.column_stack([Z, np.ones(len(Z))]) @ self.gamma, dtype=np.float32)


def _load_pyfunc(path: str) -> LinearBetas:
    """Read Γ; MLflow calls this by its name."""
    with np.load(path) as file:
        return LinearBetas(file["gamma"])
