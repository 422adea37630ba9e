"""Items of companies' accounts, each known from the day on that it was published.

One row is one publication: the accounts of one fiscal period, or a later correction of them. A
value holds from its own publication on and is never put before it; which one is the newest at a
date is worked out date by date (`latentbeta.characteristics.accounts`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.config import DataSettings, FundamentalsSettings
from latentbeta.data.tables import Table, columns_of, find_columns, read_columns
from latentbeta.errors import DataError

FUNDAMENTALS_FILE = "fundamentals.parquet"
ITEMS = (
    "book_equity",
    "total_assets",
    "total_liabilities",
    "net_income",
    "sales",
    "cost_of_goods_sold",
    "cash",
)
QUARTERLY_INCOME = "quarterly_net_income"  # net income, where the accounts cover quarters
_TEXT = ("asset", "period_end", "published")
_QUARTER = 3  # months
# A period that ends in the first days of a month is that of the month before: fiscal years of 52
# or 53 weeks end a few days to either side of the month's end.
_GRACE = np.timedelta64(14, "D")

Days = NDArray[np.datetime64]


@dataclass(frozen=True)
class Fundamentals:
    """Publications of a market's assets.

    Attributes
    ----------
    asset : (n,) int64
        Column of the market's matrices.
    month : (n,) int64
        Month in which the fiscal period ended, counted from 1970.
    published : (n,) datetime64[us]
        Ascending.
    items : mapping of str to (n,) float64
        In currency; NaN where a publication does not hold the item.
    flow_months : int
        That income, sales and costs cover: 12, 6 or 3.
    stale_months : int
        After the period's end, from which on it says nothing any more.
    """

    asset: NDArray[np.int64]
    month: NDArray[np.int64]
    published: Days
    items: Mapping[str, NDArray[np.float64]]
    flow_months: int
    stale_months: int

    def item(self, name: str) -> NDArray[np.float64] | None:
        """Return the values of an item, None where the source does not have it."""
        if name == QUARTERLY_INCOME:
            return self.items.get("net_income") if self.flow_months == _QUARTER else None
        return self.items.get(name)

    def of_assets(self, start: int, stop: int) -> Fundamentals:
        """Return the publications of columns start (included) to stop (not included)."""
        rows = (self.asset >= start) & (self.asset < stop)
        return replace(
            self,
            asset=self.asset[rows] - start,
            month=self.month[rows],
            published=self.published[rows],
            items={name: values[rows] for name, values in self.items.items()},
        )

    def until(self, day: np.datetime64) -> Fundamentals:
        """Return the publications up to a day, as views."""
        stop = int(np.searchsorted(self.published, day, side="right"))
        return replace(
            self,
            asset=self.asset[:stop],
            month=self.month[:stop],
            published=self.published[:stop],
            items={name: values[:stop] for name, values in self.items.items()},
        )


def read_fundamentals(path: Path, settings: DataSettings, *, until: dt.date) -> pd.DataFrame:
    """Read the publications of a file up to a date; later ones are not looked at.

    A row without a publication date counts as published `data.fundamentals.lag` months after the
    end of its period.

    Returns
    -------
    DataFrame sorted by published, asset, period_end
        asset (str), period_end, published (datetime64[us]), stated (bool: whether the file has
        the publication's date), then the items that the file has (float64).

    Raises
    ------
    DataError
        Naming file, row, column and value: as `read_table`; no item, a row without asset or
        period's end, a publication before the end of its period, the same publication twice.
    """
    table = _table(path, settings)
    ends, asset = table.dates("period_end"), table.text("asset")
    for name, missing in (("period_end", np.isnat(ends)), ("asset", asset.codes < 0)):
        _refuse(table, missing, name, f"every row needs its {name}")
    stated = table.dates("published") if "published" in table.names else _never(len(ends))
    assumed = (pd.Series(ends) + pd.DateOffset(months=settings.fundamentals.lag)).to_numpy(
        "datetime64[us]"
    )
    published = np.where(np.isnat(stated), assumed, stated)
    kept = published <= np.datetime64(until)
    _refuse(table, kept & (stated < ends), "published", "lies before the end of the period")
    read = {
        "asset": asset.astype(str)[kept],
        "period_end": ends[kept],
        "published": published[kept],
        "stated": ~np.isnat(stated[kept]),
    }
    _refuse_repeated(table, kept, read)
    read |= {name: table.numbers(name, kept) for name in ITEMS if name in table.names}
    frame = pd.DataFrame(read).astype({"asset": "str"})
    return frame.sort_values(["published", "asset", "period_end"], ignore_index=True)


def fundamental_facts(
    path: Path | None, table: pd.DataFrame | None, assets: pd.Series
) -> dict[str, Any]:
    """Return the part of summary.json about accounts, nothing where there are none.

    `assets` are those with a price.
    """
    if path is None or table is None:
        return {}
    items = [name for name in ITEMS if name in table.columns]
    facts = {
        "file": path.name,
        "n_rows": len(table),
        "n_assets": int(table["asset"].nunique()),
        "without_prices": int((~table["asset"].drop_duplicates().isin(assets)).sum()),
        "publication_assumed": int((~table["stated"]).sum()),
        "items": {name: int(table[name].notna().sum()) for name in items},
    }
    return {"fundamentals": facts}


def fundamental_notes(facts: dict[str, Any]) -> dict[str, bool]:
    """Return sentences about the accounts of a summary, and whether each applies."""
    there = facts.get("fundamentals", {"publication_assumed": 0, "without_prices": 0, "n_rows": 0})
    assumed, rows = there["publication_assumed"], there["n_rows"]
    return {
        f"accounts without a publication date: {assumed} of {rows}; they count as published"
        " data.fundamentals.lag months after their period, and if they were corrected since, the"
        " panel knows too much": assumed > 0,
        f"assets with accounts but without a price: {there['without_prices']}": (
            there["without_prices"] > 0
        ),
    }


def load_fundamentals(
    folder: Path, assets: NDArray[np.str_], settings: FundamentalsSettings
) -> Fundamentals | None:
    """Load the publications of data/prices/ about the assets of a market, None if there are none.

    Parameters
    ----------
    folder : Path
        What `ingest` wrote.
    assets : (N,) str, ascending
    settings : FundamentalsSettings
    """
    path = folder / FUNDAMENTALS_FILE
    if not path.is_file():
        return None
    table = pd.read_parquet(path)
    table = table[table["asset"].isin(assets)]
    return Fundamentals(
        asset=np.searchsorted(assets, table["asset"].to_numpy(dtype=str)).astype(np.int64),
        month=fiscal_months(table["period_end"].to_numpy("datetime64[us]")),
        published=table["published"].to_numpy("datetime64[us]"),
        items={name: table[name].to_numpy(np.float64) for name in ITEMS if name in table.columns},
        flow_months=settings.months,
        stale_months=settings.stale,
    )


def fiscal_months(ends: Days) -> NDArray[np.int64]:
    """Return the month, counted from 1970, that periods belong to by the day they end on.

    A period that ends up to the 14th belongs to the month before.
    """
    return (ends - _GRACE).astype("datetime64[M]").astype(np.int64)


def _table(path: Path, settings: DataSettings) -> Table:
    asset = {"asset": settings.columns.get("asset", ("asset",))}
    names = find_columns(
        path,
        columns_of(path),
        asset | settings.fundamentals.columns,
        required=("asset", "period_end"),
        optional=("published", *ITEMS),
        setting="data.fundamentals.columns",
    )
    if not set(ITEMS) & set(names):
        raise DataError(
            f"{path}: no item of accounts: looked for {', '.join(ITEMS)}; add the file's own name"
            " of one to data.fundamentals.columns, or set data.fundamentals.file to null"
        )
    return read_columns(path, names, text=_TEXT)


def _refuse(table: Table, bad: NDArray[np.bool_], column: str, reason: str) -> None:
    if bad.any():
        table.fail(int(np.argmax(bad)), column, reason)


def _refuse_repeated(table: Table, kept: NDArray[np.bool_], read: Mapping[str, Any]) -> None:
    key = pd.DataFrame({name: read[name] for name in ("asset", "period_end", "published")})
    repeated = key.duplicated().to_numpy()
    if repeated.any():
        row = int(np.flatnonzero(kept)[np.argmax(repeated)])
        table.fail(
            row,
            "period_end",
            "an earlier row holds the accounts of this asset and period, published on the same"
            " day; delete one, or give a correction its own publication date",
        )


def _never(n: int) -> Days:
    return np.full(n, np.datetime64("NaT"), dtype="datetime64[us]")
