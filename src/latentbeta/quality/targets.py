"""Whether the panel's returns are those of their own rows' periods, worked out anew from prices."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.quality.rules import Rule

SAMPLED_ASSETS = 60  # evenly spaced by name; every one of their rows is worked out
LARGEST_DIFFERENCE = 1e-6
_PRICES = ["date", "asset", "total_return"]
_PANEL = ["date", "formation", "asset", "return"]


def target_table(
    panel: pd.DataFrame, prices: pd.DataFrame, risk_free: pd.DataFrame
) -> pd.DataFrame:
    """Return the rows of some assets with their return as the prices have it.

    Parameters
    ----------
    panel, prices, risk_free : pandas.DataFrame
        In the columns of docs/architecture.md. `risk_free` has one row a session.

    Returns
    -------
    pandas.DataFrame
        date, asset, return, from_prices: daily total returns after the formation up to the date,
        compounded, less the risk-free rate's; difference, between the two, without a sign.
        Periods in which a session has no return are left out: what a gap counts as is not for
        this to say. A table that lacks a column leaves none.
    """
    if not (set(_PRICES) <= set(prices) and set(_PANEL) <= set(panel)):
        return pd.DataFrame(columns=["date", "asset", "return", "from_prices", "difference"])
    rows = _sample(panel)
    days = risk_free["date"].to_numpy("datetime64[us]")
    assets = np.unique(rows["asset"].to_numpy(object))
    growth, known = _grown(prices, days, assets)
    rate = np.append(0.0, np.cumsum(np.log1p(risk_free["risk_free"].to_numpy(np.float64))))
    first, last = (
        np.searchsorted(days, rows[name].to_numpy("datetime64[us]"), side="right")
        for name in ("formation", "date")
    )
    column = np.searchsorted(assets, rows["asset"].to_numpy(object))
    over = rows["date"].to_numpy("datetime64[us]") <= days[-1]
    whole = over & (known[last, column] - known[first, column] == last - first)
    earned = np.exp(growth[last, column] - growth[first, column]) - np.exp(rate[last] - rate[first])
    table = rows[["date", "asset", "return"]].assign(from_prices=earned)[whole]
    return table.assign(difference=(table["return"] - table["from_prices"]).abs())


def _sample(panel: pd.DataFrame) -> pd.DataFrame:
    names = np.unique(panel["asset"].dropna().to_numpy(object))
    chosen = names[:: max(1, -(-len(names) // SAMPLED_ASSETS))]
    rows = panel.loc[panel["asset"].isin(chosen) & panel["return"].notna(), _PANEL]
    return rows.dropna(subset=["date", "formation"])


def _grown(
    prices: pd.DataFrame, days: NDArray[np.datetime64], assets: NDArray[np.object_]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return (D + 1, N) cumulative log growth and number of known returns, zero to begin with."""
    rows = prices.loc[prices["asset"].isin(assets), _PRICES].dropna(subset=["date"])
    at = np.searchsorted(days, rows["date"].to_numpy("datetime64[us]"))
    inside = at < len(days)
    growth = np.full((len(days), len(assets)), np.nan)
    column = np.searchsorted(assets, rows["asset"].to_numpy(object))
    change = rows["total_return"].to_numpy(np.float64)
    possible = np.where(change > -1, change, np.nan)  # a total loss has no logarithm
    growth[at[inside], column[inside]] = np.log1p(possible[inside])
    known = np.isfinite(growth)
    start = np.zeros((1, len(assets)))
    return (
        np.concatenate([start, np.cumsum(np.where(known, growth, 0.0), axis=0)]),
        np.concatenate([start.astype(np.int64), np.cumsum(known, axis=0)]),
    )


def target_rules() -> Iterator[Rule]:
    """Give the rule about `target_table`."""
    yield Rule(
        name="return_in_prices",
        table="panel_targets",
        severity="blocking",
        requires=f"of {SAMPLED_ASSETS} assets, a row's return is what daily returns after its"
        " formation, up to its date, compound to",
        expectation="ExpectColumnValuesToBeBetween",
        arguments={"column": "difference", "max_value": LARGEST_DIFFERENCE},
    )
