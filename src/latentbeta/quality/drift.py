"""How far the newest date's values lie from those of the dates before, by characteristic."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

HISTORY_DATES = 36  # before a date: what its values are held against
FEWEST_DATES = 12  # of history, and of earlier distances; with fewer nothing is said
COMPARED_DATES = 24  # earlier dates whose own distances say what is usual
HISTORY_VALUES = 10_000  # of the history, evenly spaced: enough for its deciles
FEWEST_VALUES = 10  # of a date
BINS = 10
QUIET = 0.5  # where earlier dates differed by less than this, they count as if it were this
_ALSO = ("return", "market_equity")  # of the panel


def drift_table(panel: pd.DataFrame, raw: pd.DataFrame) -> pd.DataFrame:
    """Return how far the newest values of each characteristic lie from those before.

    Parameters
    ----------
    panel, raw : pandas.DataFrame
        As in docs/architecture.md, in the same order of rows.

    Returns
    -------
    pandas.DataFrame
        characteristic (or ``return``, ``market_equity``); date, the newest with ten values or
        more; drift, the population stability index of its values against those of the 36 dates
        before; usual, the largest drift of the 24 dates before, each against its own history, or
        a half if that is more; drift_of_usual, their ratio. The three are NaN where there are
        fewer than twelve dates for either. Nothing is held against a later date.
    """
    columns = {name: raw[name] for name in raw.columns if name not in ("date", "asset")}
    columns |= {name: panel[name] for name in _ALSO if name in panel.columns}
    dated = {"raw": _Order(raw["date"]), "panel": _Order(panel["date"])}
    rows = [
        (name, *_newest(dated["panel" if name in _ALSO else "raw"], column))
        for name, column in columns.items()
    ]
    table = pd.DataFrame(rows, columns=["characteristic", "date", "drift", "usual"])
    return table.assign(drift_of_usual=table["drift"] / table["usual"]).astype(
        {"characteristic": "str", "date": "datetime64[us]"}
    )


class _Order:
    """Where each date's rows are."""

    def __init__(self, dates: pd.Series) -> None:
        values = dates.to_numpy("datetime64[us]")
        ascends = bool((values[1:] >= values[:-1]).all())
        self.rows = slice(None) if ascends else np.argsort(values, kind="stable")
        self.dates, first = np.unique(values[self.rows], return_index=True)
        self.ends = np.append(first, len(values))


def _newest(order: _Order, column: pd.Series) -> tuple[np.datetime64, float, float]:
    """Return the newest date, its drift, and the largest of the dates before."""
    values = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)[order.rows]
    blocks: list[NDArray[np.float64]] = []  # newest first
    dates = []
    for t in range(len(order.dates) - 1, -1, -1):
        block = values[order.ends[t] : order.ends[t + 1]]
        block = block[np.isfinite(block)]
        if len(block) >= FEWEST_VALUES:
            blocks.append(block)
            dates.append(order.dates[t])
        if len(blocks) > COMPARED_DATES + HISTORY_DATES:
            break
    distances = [
        stability_index(blocks[t], _history(blocks[t + 1 : t + 1 + HISTORY_DATES]))
        for t in range(min(COMPARED_DATES + 1, len(blocks) - FEWEST_DATES))
    ]
    newest = dates[0] if dates else np.datetime64("NaT", "us")
    if len(distances) <= FEWEST_DATES:
        return newest, np.nan, np.nan
    return newest, distances[0], max(QUIET, *distances[1:])


def _history(blocks: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    values = np.concatenate(blocks)
    return values[:: -(-len(values) // HISTORY_VALUES)]


def stability_index(values: NDArray[np.float64], history: NDArray[np.float64]) -> float:
    """Return the population stability index, Σ (p - q) log(p / q), over deciles of the history.

    Parameters
    ----------
    values : (n,)
        p is their share in each decile.
    history : (m,)
        q is its own; where it has ties, deciles that fall on one value are one.

    Notes
    -----
    Half an observation is added to each bin, so that an empty one gives a finite number. It is 0
    for equal shares; beyond 0.25 a scorecard is usually called unstable. A cross-section of
    returns moves with its market, so its index is held against its own past instead.
    """
    edges = np.unique(np.quantile(history, np.arange(1, BINS) / BINS))
    p, q = (_shares(sample, edges) for sample in (values, history))
    return float(np.sum((p - q) * np.log(p / q)))


def _shares(sample: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    count = np.bincount(np.searchsorted(edges, sample), minlength=len(edges) + 1) + 0.5
    shares: NDArray[np.float64] = count / count.sum()
    return shares
