"""The panel's rows, gathered from matrices of some assets after others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentbeta.characteristics.compute import Computed
from latentbeta.characteristics.size import market_equity
from latentbeta.data.market import Matrix
from latentbeta.panel.periods import Periods
from latentbeta.panel.returns import period_returns


@dataclass(frozen=True)
class PanelRows:
    """What the n rows of a panel hold, in the order of the panel.

    Attributes
    ----------
    values : (P, n)
        Characteristics as computed.
    returns, market_equity : (n,)
    """

    values: Matrix
    returns: Matrix
    market_equity: Matrix


def rows_of_panel(
    pieces: Iterable[Computed], periods: Periods, members: NDArray[np.bool_]
) -> PanelRows:
    """Take the values of the (T, N) members out of the pieces, which cover all assets."""
    position = np.cumsum(members, dtype=np.int64).reshape(members.shape) - 1
    n_rows, found = int(members.sum()), None
    for piece in pieces:
        inside = members[:, piece.columns]
        rows = position[:, piece.columns][inside]
        if found is None:
            found = PanelRows(np.empty((len(piece.values), n_rows)), *np.empty((2, n_rows)))
        for p, values in enumerate(piece.values.values()):
            found.values[p, rows] = values[inside]
        found.returns[rows] = period_returns(piece.market, periods)[inside]
        found.market_equity[rows] = market_equity(piece.market, periods.formations)[inside]
    assert found is not None  # a market has assets
    return found
