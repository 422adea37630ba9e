"""Two panels of the same assets, one after the other in time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

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
        Z=_joined(first.Z, second.Z),
        R=np.concatenate([first.R, second.R]),
        market_equity=np.concatenate([first.market_equity, second.market_equity]),
        sector_names=first.sector_names,
        sector=np.concatenate([first.sector, second.sector]),
        factor_names=first.factor_names,
        F=np.concatenate([first.F, second.F]),
    )


def _joined(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Put rows after rows; as a view where they follow each other in one block of memory.

    A fold's training and validation dates do, and the panel may be larger than the memory.
    """
    follows = first.ctypes.data + first.nbytes == second.ctypes.data
    whole = first.flags.c_contiguous and second.flags.c_contiguous
    if not (follows and whole and first.nbytes and _owner(first) is _owner(second)):
        return np.concatenate([first, second])
    shape = len(first) + len(second), *first.shape[1:]
    return np.lib.stride_tricks.as_strided(first, shape, writeable=False)


def _owner(array: NDArray[np.float32]) -> Any:
    """Return what holds an array's memory."""
    base: Any = array
    while isinstance(base, np.ndarray) and base.base is not None:
        base = base.base
    return base


def _columns(panel: Panel) -> tuple[tuple[str, ...], ...]:
    return panel.characteristic_names, panel.sector_names, panel.factor_names
