"""The newest session beside the one before it: is today's delivery whole."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from latentbeta.config import QualitySettings
from latentbeta.quality.rules import Rule

_COUNTED = ("close", "volume", "total_return", "shares")


def newest_table(prices: pd.DataFrame) -> pd.DataFrame:
    """Return one row for the newest session's assets, and one for each column known in them.

    Parameters
    ----------
    prices : pandas.DataFrame
        Daily prices in the columns of docs/architecture.md.

    Returns
    -------
    pandas.DataFrame
        date, characteristic (what is counted: ``rows``, ``assets of the session before``, or a
        column's known values), n_before, n_newest, share; NaN where nothing was there before.
    """
    dates = prices["date"].to_numpy("datetime64[us]")
    newest = dates[~np.isnat(dates)].max()
    earlier = dates[dates < newest]
    table = prices.reindex(columns=["asset", *_COUNTED])
    now = table[dates == newest]
    before = table[dates == earlier.max()] if len(earlier) else table.head(0)
    stayed = int(before["asset"].isin(now["asset"]).sum())
    counts = {
        "rows": (len(before), len(now)),
        "assets of the session before": (len(before), stayed),
    } | {name: (int(before[name].count()), int(now[name].count())) for name in _COUNTED}
    found = pd.DataFrame(
        [(newest, name, *pair) for name, pair in counts.items()],
        columns=["date", "characteristic", "n_before", "n_newest"],
    )
    some = found["n_before"].where(found["n_before"] > 0)
    return found.assign(share=found["n_newest"] / some)


def newest_rules(settings: QualitySettings) -> Iterator[Rule]:
    """Give the rule about `newest_table`."""
    share = settings.newest_coverage
    yield Rule(
        name="newest_session_whole",
        table="price_newest",
        severity="warning",
        requires=f"the newest session has at least {share:.0%} of the session before it: rows,"
        " its very assets, and how many of them have a close, volume, return and shares",
        expectation="ExpectColumnValuesToBeBetween",
        arguments={"column": "share", "min_value": share},
    )
