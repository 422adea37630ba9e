"""Two panels of the same assets, one after the other in time."""

from __future__ import annotations

import numpy as np

from latentbeta.panel.panel import Panel


def stack(first: Panel, second: Panel) -> Panel:
    """Return a panel with the dates of `first`, then those of `second`.

    Raises
    ------
    ValueError
        When the asset axes or characteristics differ, or the dates overlap.
    """
    if _columns(first) != _columns(second) or not np.array_equal(first.assets, second.assets):
        raise ValueError("panels of different assets or characteristics cannot be stacked")
    if first.n_dates and second.n_dates and first.dates[-1] >= second.dates[0]:
        raise ValueError(f"{second.dates[0]} does not come after {first.dates[-1]}")
    return Panel(
        dates=np.concatenate([first.dates, second.dates]),
        assets=first.assets,
        characteristic_names=first.characteristic_names,
        offsets=np.concatenate([first.offsets, first.offsets[-1] + second.offsets[1:]]),
        asset_index=np.concatenate([first.asset_index, second.asset_index]),
        Z=np.concatenate([first.Z, second.Z]),
        R=np.concatenate([first.R, second.R]),
        market_equity=np.concatenate([first.market_equity, second.market_equity]),
        sector_names=first.sector_names,
        sector=np.concatenate([first.sector, second.sector]),
        factor_names=first.factor_names,
        F=np.concatenate([first.F, second.F]),
    )


def _columns(panel: Panel) -> tuple[tuple[str, ...], ...]:
    return panel.characteristic_names, panel.sector_names, panel.factor_names
