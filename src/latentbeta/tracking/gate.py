"""The champion gate: a challenger takes over only if it is no worse on the same sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

KEY = ["date", "asset"]
MEASURES = {"total_r2": "fitted", "predictive_r2": "forecast"}
ROUNDING = 1e-9  # R² that differ by less are the same number, summed in another way


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Whether the challenger becomes the champion, and on what grounds.

    Attributes
    ----------
    accepted : bool
    n_pairs : int
        (date, asset) pairs both were measured on.
    first_date, last_date : str
        Of these pairs, ISO; empty if there are none.
    challenger, champion : dict
        total_r2 and predictive_r2 on the pairs; empty if there are none.
    reason : str
        One plain sentence.
    """

    accepted: bool
    n_pairs: int
    first_date: str
    last_date: str
    challenger: dict[str, float]
    champion: dict[str, float]
    reason: str


def decide(challenger: pd.DataFrame, champion: pd.DataFrame, *, tolerance: float) -> Decision:
    """Compare two models' out-of-sample predictions on the pairs that both have.

    Parameters
    ----------
    challenger, champion : DataFrame
        One model's rows of predictions.parquet each. Returns are taken from the challenger's,
        whose data are the newer.
    tolerance : float
        How much lower either R² may be.
    """
    both = challenger.merge(
        champion[[*KEY, *MEASURES.values()]], on=KEY, suffixes=("", "_champion")
    )
    known = both[["realised", *_columns("")]].notna().all(axis=1)
    both = both[known & both[_columns("_champion")].notna().all(axis=1)]
    if both.empty:
        return without_comparison(
            accepted=False,
            reason="no (date, asset) pair has predictions of both: they cannot be compared",
        )
    new = {name: _r_squared(both, column) for name, column in MEASURES.items()}
    old = {name: _r_squared(both, f"{column}_champion") for name, column in MEASURES.items()}
    worse = [name for name in MEASURES if new[name] < old[name] - tolerance - ROUNDING]
    return Decision(
        accepted=not worse,
        n_pairs=len(both),
        first_date=str(both["date"].min())[:10],
        last_date=str(both["date"].max())[:10],
        challenger=new,
        champion=old,
        reason=_reason(new, old, worse, tolerance),
    )


def _columns(suffix: str) -> list[str]:
    return [f"{column}{suffix}" for column in MEASURES.values()]


def _r_squared(rows: pd.DataFrame, column: str) -> float:
    """1 - Σ (r - r̂)² / Σ r², pooled; Gu, Kelly and Xiu (2021), equations 17 and 18."""
    realised = rows["realised"].to_numpy(np.float64)
    error = realised - rows[column].to_numpy(np.float64)
    return float(1 - np.sum(error**2) / np.sum(realised**2))


def _reason(
    new: dict[str, float], old: dict[str, float], worse: list[str], tolerance: float
) -> str:
    figures = ", ".join(f"{name} {new[name]:.4%} against {old[name]:.4%}" for name in MEASURES)
    if not worse:
        return f"no worse than the champion on the same sample: {figures}"
    return f"worse than the champion by more than {tolerance:g} in {' and '.join(worse)}: {figures}"


def without_comparison(*, accepted: bool, reason: str) -> Decision:
    """Return a decision that rests on no common sample."""
    return Decision(
        accepted=accepted,
        n_pairs=0,
        first_date="",
        last_date="",
        challenger={},
        champion={},
        reason=reason,
    )
