"""Who belongs to each cross-section: what was listed, quoted, a member and large enough then."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentbeta.characteristics.windows import last_known, mean_of_known, over_windows
from latentbeta.config import MemberSettings
from latentbeta.data.market import DailyMarket
from latentbeta.errors import DataError

Members = NDArray[np.bool_]
Formations = NDArray[np.int64]

TRADING_WINDOW = 63  # sessions over which the value traded is averaged: a quarter


def tradable(market: DailyMarket, formations: Formations, settings: MemberSettings) -> Members:
    """Return (T, N) whether an asset is dear and liquid enough at each formation.

    Looks at no day after the formation, and at each asset by itself.

    Parameters
    ----------
    market : DailyMarket
    formations : (T,) int
        Positions of the formation days.
    settings : MemberSettings
        Its `minimum_price` is held against the latest close of the last five sessions, its
        `minimum_dollar_volume` against the mean of close × volume over the last 63 sessions, of
        which two thirds must be known. An asset for which either is unknown is out.
    """
    inside = np.ones((len(formations), market.shape[1]), dtype=bool)
    if settings.minimum_price is not None:
        inside &= last_known(market.close, formations) >= settings.minimum_price
    if settings.minimum_dollar_volume is not None:
        dollars = market.close * market.volume
        mean = over_windows(dollars, formations, TRADING_WINDOW, mean_of_known)
        inside &= mean >= settings.minimum_dollar_volume
    return inside


def largest(market_equity: NDArray[np.float64], members: Members, count: int) -> Members:
    """Keep the `count` members of each date with the largest market equity.

    Of equals, those whose names come first stay. A date with fewer members keeps all of them
    whose market equity is known.

    Parameters
    ----------
    market_equity : (T, N)
        At the formations, NaN where not known.
    members : (T, N) bool
    count : int

    Raises
    ------
    DataError
        When no member's market equity is known on any date.
    """
    known = members & np.isfinite(market_equity)
    if not known.any():
        raise DataError(
            "characteristics.members.largest needs market equity, and no asset has shares"
            " outstanding; give data.columns.shares, or set it to null"
        )
    size = np.where(known, market_equity, -np.inf)
    order = np.argsort(-size, axis=1, kind="stable")[:, :count]
    kept = np.zeros_like(members)
    np.put_along_axis(kept, order, True, axis=1)
    return kept & known
