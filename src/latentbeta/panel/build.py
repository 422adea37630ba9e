"""Building the panel: who is in each cross-section, what was known, what it then earned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.characteristics.compute import compute
from latentbeta.characteristics.industry import require_sectors
from latentbeta.characteristics.ranking import rank_by_date
from latentbeta.characteristics.registry import rows_of
from latentbeta.characteristics.row import Characteristic
from latentbeta.config import CharacteristicsSettings, Rebalancing
from latentbeta.data.market import Market
from latentbeta.data.series import Series, over_periods
from latentbeta.errors import DataError
from latentbeta.panel.inputs import without_inputs
from latentbeta.panel.panel import Panel
from latentbeta.panel.periods import Periods, return_periods
from latentbeta.panel.rows import rows_of_panel
from latentbeta.panel.universe import cross_sections


@dataclass(frozen=True, kw_only=True)
class PanelSummary:
    """What the panel holds, for people and for the report.

    Attributes
    ----------
    n_dates, n_rows, n_assets : int
    first_date, last_date : str
        ISO dates; the last lies ahead of the data.
    characteristics : tuple of str
    left_out : dict
        Characteristic to the reason why it is not in the panel.
    coverage : dict
        Characteristic to the share of rows in which it was known before ranking.
    missing_returns : float
        Share of rows without a return, the newest date apart.
    """

    n_dates: int
    n_rows: int
    n_assets: int
    first_date: str
    last_date: str
    characteristics: tuple[str, ...]
    left_out: dict[str, str]
    coverage: dict[str, float]
    missing_returns: float


@dataclass(frozen=True, kw_only=True)
class BuiltPanel:
    """A panel with what goes beside it in its folder.

    Attributes
    ----------
    panel : Panel
    formations : (T,) datetime64[us]
        Day at whose close the characteristics of each date were known.
    raw : DataFrame
        date, asset, and the characteristics as computed, row by row as in the panel.
    summary : PanelSummary
    """

    panel: Panel
    formations: NDArray[np.datetime64]
    raw: pd.DataFrame
    summary: PanelSummary


def build_panel(
    market: Market,
    *,
    rebalancing: Rebalancing,
    calendar: str,
    settings: CharacteristicsSettings,
    delisted: NDArray[np.datetime64] | None = None,
    spells: pd.DataFrame | None = None,
    factors: Series | None = None,
    own: Sequence[Characteristic] = (),
) -> BuiltPanel:
    """Build the panel of ranked characteristics and excess returns.

    Parameters
    ----------
    market : Market
    rebalancing : {"daily", "weekly", "monthly"}
    calendar : str
        Name of the exchange's calendar.
    settings : CharacteristicsSettings
    delisted : (N,) datetime64, optional
        Last day of each asset's listing, NaT where it has none.
    spells : DataFrame, optional
        asset, start and end of memberships: then only the members of a formation's day are in its
        cross-section.
    factors : Series, optional
        Observed factors; the newest period, which lies ahead, has none.
    own : sequence of Characteristic
        The user's, beside those of the registry.

    Raises
    ------
    SettingsError
        When a name stands for no characteristic, or one needs sectors and there are none.
    DataError
        When no asset ever belongs to a cross-section, no characteristic can be computed, or the
        factors' rows do not fit the periods.

    Notes
    -----
    No row depends on a day after its date, and no characteristic on a day after its formation:
    later days may change or be cut off without changing a bit of it. That holds for the choice
    of characteristics as well, which is made on the days before the panel begins.
    """
    rows = rows_of(settings.names, own)
    require_sectors(rows, market)
    periods = return_periods(market, rebalancing, calendar=calendar)
    members = cross_sections(market, periods.formations, settings, delisted=delisted, spells=spells)
    started: NDArray[np.bool_] = np.any(members, axis=1)
    if not started.any():
        raise DataError(
            f"no asset is in any cross-section: the prices run from {iso(market.days[0])} to"
            f" {iso(market.days[-1])}; give more history than the {settings.minimum_history} days"
            " of characteristics.minimum_history, or ask less of characteristics.members and"
            " data.membership"
        )
    periods, members = periods[started], members[started]
    left_out = without_inputs(market, int(periods.formations[0]), settings, rows)
    names = tuple(name for name in settings.names if name not in left_out)
    if not names:
        raise DataError(f"no characteristic can be computed: {left_out}")
    built = _assembled(market, periods, members, names, left_out, own)
    if factors is None:
        return built
    realised = periods.ends < len(market.days)
    return with_factors(built, factors, realised, rebalancing=rebalancing, calendar=calendar)


def with_factors(
    built: BuiltPanel,
    factors: Series,
    realised: NDArray[np.bool_],
    *,
    rebalancing: Rebalancing,
    calendar: str,
) -> BuiltPanel:
    """Return the panel with observed factors, NaN in periods that are not yet over.

    Parameters
    ----------
    realised : (T,) bool
        Whether the data reach the end of the period.
    """
    panel = built.panel
    F = over_periods(
        factors,
        built.formations,
        panel.dates,
        rebalancing=rebalancing,
        calendar=calendar,
        source="data.factors",
    )
    names = tuple(factors.table.columns[1:])
    filled = replace(panel, F=np.where(realised[:, None], F, np.nan), factor_names=names)
    return replace(built, panel=filled)


def _assembled(
    market: Market,
    periods: Periods,
    members: NDArray[np.bool_],
    names: tuple[str, ...],
    left_out: dict[str, str],
    own: Sequence[Characteristic],
) -> BuiltPanel:
    offsets = np.append(0, np.cumsum(members.sum(axis=1)))
    found = rows_of_panel(compute(market, periods.formations, names, own), periods, members)
    kept = members.any(axis=0)  # the asset axis holds those with at least one row
    date_index, asset_index = np.nonzero(members[:, kept])
    panel = Panel(
        dates=periods.dates,
        assets=market.assets[kept],
        characteristic_names=names,
        offsets=offsets,
        asset_index=asset_index,
        Z=rank_by_date(found.values, offsets),
        R=found.returns,
        market_equity=found.market_equity,
        sector_names=_sector_names(market),
        sector=market.sector[kept][asset_index],
    )
    raw = pd.DataFrame(
        {"date": panel.dates[date_index], "asset": pd.array(panel.assets[asset_index], dtype="str")}
        | dict(zip(names, found.values, strict=True)),
        copy=False,
    )
    return BuiltPanel(
        panel=panel,
        formations=market.days[periods.formations],
        raw=raw,
        summary=summarise(
            panel, raw, left_out, n_realised=int((periods.ends < len(market.days)).sum())
        ),
    )


def _sector_names(market: Market) -> tuple[str, ...]:
    """Name the sectors, by their numbers where the market has codes alone."""
    return market.sector_names or tuple(str(code) for code in range(market.sector.max() + 1))


def summarise(
    panel: Panel, raw: pd.DataFrame, left_out: dict[str, str], *, n_realised: int
) -> PanelSummary:
    """Return what a panel holds; its first `n_realised` dates are those that are over."""
    realised = panel.between(0, n_realised).R
    return PanelSummary(
        n_dates=panel.n_dates,
        n_rows=panel.n_rows,
        n_assets=panel.n_assets,
        first_date=iso(panel.dates[0]),
        last_date=iso(panel.dates[-1]),
        characteristics=panel.characteristic_names,
        left_out=left_out,
        coverage={name: float(raw[name].notna().mean()) for name in panel.characteristic_names},
        missing_returns=float(np.isnan(realised).mean()) if len(realised) else 0.0,
    )


def iso(day: np.datetime64) -> str:
    """Return a day as YYYY-MM-DD."""
    return str(day)[:10]
