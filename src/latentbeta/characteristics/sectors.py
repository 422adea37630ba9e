"""Means over the quoted assets of a sector, at each formation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from latentbeta.characteristics.windows import AcrossAssets, Formations, quoted_lately
from latentbeta.data.market import DailyMarket, Market, Matrix, blocks

Function = Callable[[DailyMarket, Formations], Matrix]


def sector_mean(
    market: DailyMarket, formations: Formations, name: str, function: Function
) -> Matrix:
    """Return the equal-weighted mean of a characteristic over each asset's sector.

    Parameters
    ----------
    market : DailyMarket
        Of some assets of a market, too, the mean is over all of the market.
    formations : (T,) int
    name : str
        Of the characteristic: its means are worked out once.
    function : callable
        Whose value of an asset does not depend on which assets it is given beside it.

    Returns
    -------
    (T, N) float64
        Over the sector's assets that are quoted at the formation, the asset itself included; NaN
        where the sector is not known.
    """
    source = market.whole or market
    means = source.remembered(
        ("sector mean", name, formations.tobytes()),
        lambda: _means_by_sector(market, formations, function),
    )
    unknown = market.sector < 0
    result: Matrix = means[:, np.where(unknown, 0, market.sector)]
    result[:, unknown] = np.nan
    return result


def _means_by_sector(market: DailyMarket, formations: Formations, function: Function) -> Matrix:
    """(T, sectors); each sum runs in the order of the assets, so a later one adds at its end."""
    whole = market.whole
    pieces: Iterable[DailyMarket] = [market]
    if whole is not None and market.shape != whole.shape:
        pieces = _blocks(whole)
    n_sectors = int((whole or market).sector.max(initial=0)) + 1
    sums = [AcrossAssets() for _ in range(n_sectors)]
    for piece in pieces:
        quoted = quoted_lately(piece, formations)
        values = np.where(quoted, function(piece, formations), np.nan)
        for code in np.unique(piece.sector[piece.sector >= 0]):
            sums[code] = sums[code].with_assets(values[:, piece.sector == code])
    return np.stack([np.broadcast_to(each.mean(), len(formations)) for each in sums], axis=1)


def _blocks(market: Market) -> Iterator[DailyMarket]:
    return (block for _, block in blocks(market))
