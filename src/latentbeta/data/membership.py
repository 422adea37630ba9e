"""Dated membership of the universe: an index's members, say, as spells with a start and an end."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.data.tables import Columns, read_table

MEMBERSHIP_FILE = "membership.parquet"
NO_END = np.datetime64("9999-12-31", "us")

Days = NDArray[np.datetime64]


def read_membership(path: Path, columns: Columns, *, until: dt.date) -> pd.DataFrame:
    """Read the spells that had begun by a date.

    An end after `until` is not known yet on that date, so it is left out.

    Returns
    -------
    DataFrame sorted by asset, then start
        asset (str), start, end (datetime64[us]; the last day as a member, NaT while it lasts).

    Raises
    ------
    DataError
        As `read_table`; when a row has no asset or no start, or ends before it starts.
    """
    table = read_table(path, columns, required=("asset", "start"), optional=("end",))
    asset, start = table.text("asset"), table.dates("start")
    end = table.dates("end") if "end" in table.names else np.full_like(start, "NaT")
    for column, wrong, advice in (
        ("asset", asset.codes < 0, "every spell needs its asset"),
        ("start", np.isnat(start), "every spell needs its first day"),
        ("end", end < start, "the spell ends before it starts; correct one of the two"),
    ):
        if wrong.any():
            table.fail(int(np.argmax(wrong)), column, advice)
    begun = start <= np.datetime64(until)
    known = np.where(end <= np.datetime64(until), end, np.datetime64("NaT", "us"))
    spells = pd.DataFrame({"asset": asset.astype(str), "start": start, "end": known})
    typed = spells[begun].astype(
        {"asset": "str", "start": "datetime64[us]", "end": "datetime64[us]"}
    )
    return typed.sort_values(["asset", "start"], ignore_index=True)


def load_membership(folder: Path) -> pd.DataFrame | None:
    """Load the spells of data/prices/, None where the source has none."""
    file = folder / MEMBERSHIP_FILE
    return pd.read_parquet(file) if file.is_file() else None


def members_on(spells: pd.DataFrame, assets: NDArray[np.str_], days: Days) -> NDArray[np.bool_]:
    """Return (T, N) whether each asset is a member on each day.

    Parameters
    ----------
    spells : DataFrame
        As `read_membership` returns it; spells of assets that are not in `assets` do not matter,
        and those of one asset may touch or overlap.
    assets : (N,) str, ascending
    days : (T,) datetime64[us], ascending
    """
    column = np.searchsorted(assets, spells["asset"].to_numpy(dtype=np.str_))
    column = np.minimum(column, len(assets) - 1)
    priced = assets[column] == spells["asset"].to_numpy(dtype=np.str_)
    begins = np.searchsorted(days, spells["start"].to_numpy("datetime64[us]"))
    last = spells["end"].fillna(NO_END).to_numpy("datetime64[us]")
    ends = np.searchsorted(days, last, side="right")
    change = np.zeros((len(days) + 1, len(assets)), dtype=np.int64)
    np.add.at(change, (begins[priced], column[priced]), 1)
    np.add.at(change, (ends[priced], column[priced]), -1)
    inside: NDArray[np.bool_] = np.cumsum(change, axis=0)[:-1] > 0
    return inside


def membership_facts(
    path: Path | None, spells: pd.DataFrame | None, assets: pd.DataFrame, days: Days
) -> dict[str, Any]:
    """Return the part of summary.json about members, nothing where there is no such file.

    Members without prices are those that point-in-time results would need and that the source
    does not have: `priced` is the share of members with a price history that reaches the day,
    at the first and the last session and on average over sessions 21 apart that have members.

    Parameters
    ----------
    assets : DataFrame
        asset, first_date and last_date, as in assets.parquet.
    days : (D,) datetime64[us]
        Sessions of the data.
    """
    if path is None or spells is None:
        return {}
    sampled = np.unique(np.append(days[::21], days[-1]))
    names = np.unique(spells["asset"].to_numpy(dtype=np.str_))
    inside = members_on(spells, names, sampled)
    prices = assets.set_index("asset")[["first_date", "last_date"]].reindex(names)
    first, last = (prices[name].to_numpy("datetime64[us]") for name in prices)
    quoted = (first <= sampled[:, None]) & (sampled[:, None] <= last)
    n_members = inside.sum(axis=1)
    with_members = n_members > 0
    share = (inside & quoted).sum(axis=1)[with_members] / n_members[with_members]
    share = share if len(share) else np.zeros(1)
    return {
        "membership": {
            "file": path.name,
            "n_spells": len(spells),
            "n_assets": len(names),
            "priced": float(share.mean()),
            "priced_first": float(share[0]),
            "priced_last": float(share[-1]),
        }
    }


def membership_notes(facts: dict[str, Any]) -> dict[str, bool]:
    """Return what a reader should know about members without prices, and whether it applies."""
    if "membership" not in facts:
        return {}
    found = facts["membership"]
    return {
        f"{1 - found['priced']:.1%} of the members of {found['file']} have no prices"
        f" ({1 - found['priced_first']:.1%} on the first day, {1 - found['priced_last']:.1%} on"
        " the last): the universe is not point-in-time": found["priced"] < 1,
    }
