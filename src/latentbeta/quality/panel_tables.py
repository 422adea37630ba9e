"""The small tables that the panel suite looks at, each made column by column, for memory."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.panel.files import LEADING_COLUMNS
from latentbeta.quality.drift import drift_table

USUAL_DATES = 12  # before a date, whose median coverage is what is usual


def characteristics_of(panel: pd.DataFrame) -> list[str]:
    """Return the names of the panel's characteristics, in its order of columns."""
    return [str(column) for column in panel.columns if column not in LEADING_COLUMNS]


def panel_tables(
    panel: pd.DataFrame, raw: pd.DataFrame, price_dates: pd.DatetimeIndex
) -> dict[str, pd.DataFrame]:
    """Return the tables that the panel suite is about.

    Parameters
    ----------
    panel, raw : pandas.DataFrame
        Ranked and raw characteristics, in the columns of docs/architecture.md.
    price_dates : (D,) pandas.DatetimeIndex
        Dates of the prices that the panel is made from; of a panel without prices, its own
        formations.

    Returns
    -------
    dict of pandas.DataFrame
        ``panel``; ``panel_known``, the returns before its newest date; ``panel_dates`` (a row a
        date), ``panel_characteristics`` (a row a characteristic), ``characteristic_dates`` and
        ``characteristic_years`` (a row a characteristic and date, or year), ``panel_drift`` (a
        row a characteristic).
    """
    keys = panel.reindex(columns=["date", "formation"])
    targets = panel.reindex(columns=["date", "asset", "return"])
    names = characteristics_of(panel)
    known = {name: raw[name].notna().to_numpy() for name in names if name in raw.columns}
    dated = raw["date"].to_numpy("datetime64[us]")
    return {
        "panel": panel,
        "panel_known": targets.loc[targets["date"] < targets["date"].max()],
        "panel_dates": _by_dates(keys, price_dates),
        "panel_characteristics": _by_characteristics(panel, names, known),
        "characteristic_dates": _by_characteristic_and_date(dated, known),
        "characteristic_years": _by_years(dated, known),
        "panel_drift": drift_table(panel, raw),
    }


def _by_dates(keys: pd.DataFrame, price_dates: pd.DatetimeIndex) -> pd.DataFrame:
    """One row a date: assets, formations, and how the formation sits among the price dates."""
    grouped = keys.groupby("date")["formation"]
    table = grouped.agg(formation="max", n_formations="nunique", n_assets="size").reset_index()
    newest = np.arange(len(table)) == len(table) - 1
    in_prices = table["formation"].isin(price_dates)
    on_last = table["formation"] == price_dates.max()
    return table.assign(
        n_formations=table["n_formations"].astype(np.float64),
        n_assets=table["n_assets"].astype(np.float64),
        formed_in_prices=np.where(newest, on_last, in_prices).astype(np.float64),
    )


def _by_characteristics(
    panel: pd.DataFrame, names: list[str], known: Mapping[str, NDArray[np.bool_]]
) -> pd.DataFrame:
    """One row a characteristic: spread over the panel, and share known before ranking."""
    return pd.DataFrame(
        {
            "characteristic": pd.Series(names, dtype="str"),
            "spread": np.array([_spread(panel[name]) for name in names], np.float64),
            "coverage": [known[name].mean() if name in known else 0.0 for name in names],
        }
    )


def _spread(column: pd.Series) -> float:
    values = pd.to_numeric(column, errors="coerce")
    return float(values.max() - values.min())


def _by_characteristic_and_date(
    dated: NDArray[np.datetime64], known: Mapping[str, NDArray[np.bool_]]
) -> pd.DataFrame:
    """One row a characteristic and date: share known, also against the median of twelve before."""
    coverage = _coverage(dated, known)
    usual = coverage.rolling(USUAL_DATES).median().shift()
    against = coverage / usual.where(usual > 0)
    return _long(coverage, "coverage").assign(
        share_of_usual=_long(against, "share_of_usual")["share_of_usual"]
    )


def _by_years(
    dated: NDArray[np.datetime64], known: Mapping[str, NDArray[np.bool_]]
) -> pd.DataFrame:
    """One row a characteristic and year: share known, also against the best year before.

    Dated by the year's last date. In its first year a characteristic with a long memory is known
    for few assets, and later for more: that is no loss.
    """
    dates, inverse = np.unique(dated, return_inverse=True)
    years = dates.astype("datetime64[Y]")
    last = dates[np.append(years[1:] != years[:-1], True)]
    in_year = last[np.searchsorted(last, dates)]
    coverage = _coverage(in_year[inverse], known)
    best = coverage.cummax().shift()
    against = coverage / best.where(best > 0)
    return _long(coverage, "coverage").assign(
        share_of_best=_long(against, "share_of_best")["share_of_best"]
    )


def _coverage(
    groups: NDArray[np.datetime64], known: Mapping[str, NDArray[np.bool_]]
) -> pd.DataFrame:
    """Return the share known in each group (rows, ascending) of each characteristic (columns)."""
    labels, inverse = np.unique(groups, return_inverse=True)
    size = np.bincount(inverse)
    shares = {name: np.bincount(inverse, weights=where) / size for name, where in known.items()}
    return pd.DataFrame(shares, index=pd.Index(labels, name="date"))


def _long(table: pd.DataFrame, value: str) -> pd.DataFrame:
    return table.reset_index().melt("date", var_name="characteristic", value_name=value)
