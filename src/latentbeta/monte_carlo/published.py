"""Table 6 of Gu, Kelly and Xiu (2021): what 100 repetitions of theirs gave, in percent."""

from __future__ import annotations

from latentbeta.monte_carlo.design import Case

K_PUBLISHED = (1, 2, 3, 4, 5, 6)

TOTAL: dict[Case, dict[str, tuple[float, ...]]] = {
    "a": {
        "pca": (3.5, 4.7, 5.5, 6.3, 7.1, 7.8),
        "ipca": (18.6, 32.2, 40.7, 41.0, 41.4, 41.7),
        "ca0": (15.6, 26.7, 33.7, 33.5, 33.4, 33.2),
        "ca1": (17.6, 30.3, 38.1, 37.7, 37.3, 37.1),
        "ca2": (17.7, 29.2, 36.8, 36.5, 36.3, 35.9),
        "ca3": (17.6, 25.6, 30.0, 29.5, 26.3, 23.4),
    },
    "b": {
        "pca": (3.4, 5.1, 6.0, 6.6, 7.3, 7.9),
        "ipca": (11.0, 11.4, 11.9, 12.3, 12.7, 13.1),
        "ca0": (8.5, 8.2, 7.9, 7.6, 7.4, 7.2),
        "ca1": (15.0, 24.6, 31.8, 32.0, 31.9, 31.8),
        "ca2": (15.7, 23.5, 30.9, 31.8, 30.2, 28.2),
        "ca3": (15.9, 15.6, 14.6, 14.0, 11.2, 9.2),
    },
}

PREDICTIVE: dict[Case, dict[str, tuple[float, ...]]] = {
    "a": {
        "pca": (0.17, 0.10, 0.04, 0.01, -0.01, -0.03),
        "ipca": (2.20, 2.93, 3.33, 3.32, 3.32, 3.32),
        "ca0": (2.04, 2.84, 3.17, 3.14, 3.12, 3.13),
        "ca1": (2.11, 2.93, 3.27, 3.29, 3.26, 3.26),
        "ca2": (2.10, 2.85, 3.22, 3.22, 3.23, 3.22),
        "ca3": (2.06, 2.57, 2.89, 2.86, 2.58, 2.39),
    },
    "b": {
        "pca": (0.15, 0.19, 0.15, 0.12, 0.10, 0.09),
        "ipca": (0.84, 0.82, 0.81, 0.80, 0.79, 0.79),
        "ca0": (0.80, 0.76, 0.77, 0.76, 0.72, 0.70),
        "ca1": (1.83, 2.31, 2.70, 2.70, 2.71, 2.73),
        "ca2": (1.95, 2.24, 2.73, 2.80, 2.69, 2.53),
        "ca3": (1.77, 1.43, 1.32, 1.26, 1.06, 0.86),
    },
}

TABLE_6 = {"total_r2": TOTAL, "predictive_r2": PREDICTIVE}


def published(measure: str, case: Case, model: str, n_factors: int) -> float | None:
    """Return a cell of Table 6 in percent; None where the table has none."""
    cells = dict(zip(K_PUBLISHED, TABLE_6[measure][case].get(model, ()), strict=False))
    return cells.get(n_factors)
