"""The panel of a user's own returns and characteristics, which come without prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.characteristics.ranking import rank_by_date
from latentbeta.config import PanelSettings, Rebalancing
from latentbeta.data.calendar import Dates
from latentbeta.data.given_files import LEADING, period_calendar
from latentbeta.data.series import Series
from latentbeta.errors import DataError, SettingsError
from latentbeta.panel.build import BuiltPanel, iso, summarise, with_factors
from latentbeta.panel.panel import Panel


@dataclass(frozen=True)
class _Cells:
    """Which rows of the given table form the panel, ordered by date, then asset.

    Attributes
    ----------
    ends : (E,) datetime64[us]
        Period ends, from the one before the first row to the one after the last.
    target : (n,) int
        Position in `ends` of the period that each row is to explain.
    formed : (n,) int
        Row of the given table with its characteristics.
    earned : (n,) int
        Row of the given table with its return, -1 where there is none.
    """

    ends: Dates
    target: NDArray[np.int64]
    formed: NDArray[np.int64]
    earned: NDArray[np.int64]


def build_given_panel(
    given: pd.DataFrame,
    *,
    rebalancing: Rebalancing,
    calendar: str,
    settings: PanelSettings,
    minimum_coverage: float,
    factors: Series | None = None,
) -> BuiltPanel:
    """Build the panel of a user's own returns and characteristics.

    Parameters
    ----------
    given : DataFrame
        As in given_panel.parquet: date, asset, return, market_equity, sector, characteristics.
    rebalancing : {"daily", "weekly", "monthly"}
    calendar : str
        Name of the exchange's calendar.
    settings : PanelSettings
        Its `lag` is how many periods before the return the characteristics (and market equity
        and sector) stand; those of `required` must be known.
    minimum_coverage : float
        A characteristic known for a smaller share of the first date's assets is left out.
    factors : Series, optional
        Observed factors; the period after the last known return has none.

    Raises
    ------
    SettingsError
        When `required` names what is no characteristic.
    DataError
        When no row is left, no characteristic is known often enough, or the factors' rows do not
        fit the periods.

    Notes
    -----
    An asset belongs to a date's cross-section when, `lag` periods before, it has a row with all
    required characteristics and at least one of the others: later rows have no say, so an asset
    without a return on the date stays, its return missing. With a lag the newest date lies one
    period ahead of the files.
    """
    names = [str(name) for name in given if name not in LEADING]
    if unknown := [name for name in settings.required if name not in names]:
        raise SettingsError(
            f"data.panel.required: no characteristic is called {', '.join(unknown)};"
            f" there are {', '.join(names)}"
        )
    cells = _cells(given, names, settings, rebalancing, calendar)
    first = cells.formed[cells.target == cells.target.min()]
    left_out = _known_too_seldom(given.iloc[first][names], minimum_coverage)
    kept = [name for name in names if name not in left_out]
    if not kept:
        raise DataError(f"no characteristic is known often enough: {left_out}")
    built = _assembled(given, cells, kept, left_out)
    if factors is None:
        return built
    return with_factors(
        built, factors, _over(built.panel, given), rebalancing=rebalancing, calendar=calendar
    )


def _cells(
    given: pd.DataFrame,
    names: Sequence[str],
    settings: PanelSettings,
    rebalancing: Rebalancing,
    calendar: str,
) -> _Cells:
    dates = given["date"].to_numpy("datetime64[us]")
    ends = period_calendar(calendar, rebalancing, dates.min(), dates.max()).ends
    first, last = np.searchsorted(ends, (dates.min(), dates.max()))
    ends = ends[first - 1 : last + (2 if settings.lag else 1)]
    period = np.searchsorted(ends, dates)
    member = _with_characteristics(given, names, settings.required)
    member &= period + settings.lag < len(ends)
    formed = np.flatnonzero(member)
    if len(formed) == 0:
        raise DataError(
            f"no row from {iso(dates.min())} to {iso(dates.max())} has a characteristic"
            f"{' with all of data.panel.required' if settings.required else ''}; give more"
            " history, or require less"
        )
    target = period[formed] + settings.lag
    return _Cells(ends, target, formed, _rows_at(given["asset"], period, formed, target))


def _with_characteristics(
    given: pd.DataFrame, names: Sequence[str], required: Sequence[str]
) -> NDArray[np.bool_]:
    """Whether a row has all required characteristics and at least one; by column, for memory."""
    some, all_required = np.zeros(len(given), bool), np.ones(len(given), bool)
    for name in names:
        known = given[name].notna().to_numpy()
        some |= known
        if name in required:
            all_required &= known
    return some & all_required


def _rows_at(
    assets: pd.Series,
    period: NDArray[np.int64],
    formed: NDArray[np.int64],
    target: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the row of each formed row's asset in its target period, -1 where there is none."""
    codes, names = pd.factorize(assets, sort=True)
    key = period * len(names) + codes  # ascending: the table is sorted by date, then asset
    wanted = target * len(names) + codes[formed]
    row = np.searchsorted(key, wanted)
    return np.where(np.append(key, -1)[row] == wanted, row, -1)


def _known_too_seldom(first: pd.DataFrame, minimum: float) -> dict[str, str]:
    """Return the characteristics to leave out, with the reason; later dates have no say."""
    return {
        str(name): (
            f"known for {share:.1%} of the assets of the first date, less than"
            f" minimum_coverage = {minimum:.1%}"
        )
        for name, share in first.notna().mean().items()
        if share < minimum
    }


def _assembled(
    given: pd.DataFrame, cells: _Cells, names: list[str], left_out: dict[str, str]
) -> BuiltPanel:
    formed = given[["asset", "sector", "market_equity"]].iloc[cells.formed]
    assets, asset_index = np.unique(formed["asset"].to_numpy(dtype=np.str_), return_inverse=True)
    periods, date_index = np.unique(cells.target, return_inverse=True)
    offsets = np.append(0, np.cumsum(np.bincount(date_index)))
    values = np.empty((len(names), len(formed)))
    for p, name in enumerate(names):  # one column at a time, for memory
        values[p] = given[name].to_numpy(np.float64)[cells.formed]
    sector, sector_names = pd.factorize(formed["sector"], sort=True)
    panel = Panel(
        dates=cells.ends[periods],
        assets=assets,
        characteristic_names=tuple(names),
        offsets=offsets,
        asset_index=asset_index.astype(np.int64),
        Z=rank_by_date(values, offsets),
        R=_returns(given["return"].to_numpy(np.float64), cells.earned),
        market_equity=formed["market_equity"].to_numpy(np.float64),
        sector_names=tuple(sector_names),
        sector=sector.astype(np.int64),
    )
    keys = {"date": panel.dates[date_index], "asset": formed["asset"].array}
    raw = pd.DataFrame(keys | dict(zip(names, values, strict=True)), copy=False)
    n_realised = int(_over(panel, given).sum())
    return BuiltPanel(
        panel=panel,
        formations=cells.ends[periods - 1],
        raw=raw,
        summary=summarise(panel, raw, left_out, n_realised=n_realised),
    )


def _returns(returns: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(rows >= 0, returns[rows], np.nan)


def _over(panel: Panel, given: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether each of the panel's dates is over: no later than the last known return."""
    last = given.loc[given["return"].notna(), "date"].max()
    return panel.dates <= np.datetime64(last, "us")
