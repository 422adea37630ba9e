"""Which assets are asked for: a list in the settings, or a file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from latentbeta.data.tables import Columns, read_table
from latentbeta.errors import SettingsError

_KNOWN = ("name", "sector", "listed", "delisted", "delisting_return")


def asset_list(given: tuple[str, ...] | Path, columns: Columns) -> pd.DataFrame:
    """Return the assets that the settings name, sorted.

    Parameters
    ----------
    given : tuple of str, or Path
        Names, or a CSV or Parquet file with a column of them.
    columns : mapping
        As in `read_table`.

    Returns
    -------
    DataFrame
        asset (str), and name, sector, listed, delisted, delisting_return as far as the file has
        them: the layout of a sectors file.

    Raises
    ------
    SettingsError
        When it names none, or one twice.
    DataError
        As `read_table`.
    """
    if isinstance(given, Path):
        table = read_table(given, columns, required=("asset",), optional=_KNOWN)
        listed = table.frame.assign(asset=table.text("asset").astype(str))
        source = str(given)
    else:
        listed, source = pd.DataFrame({"asset": list(given)}, dtype=str), "fetch.assets"
    names = listed["asset"].str.strip()
    if names.empty or (names == "").any() or names.isna().any():
        raise SettingsError(f"{source}: name the assets to fetch, none of them empty")
    if names.duplicated().any():
        raise SettingsError(f"{source}: {names[names.duplicated()].iloc[0]!r} is there twice")
    return listed.assign(asset=names).sort_values("asset", ignore_index=True)
