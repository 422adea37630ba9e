"""Who belongs to each cross-section: what was listed, quoted, a member and large enough then."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.characteristics.size import market_equity
from latentbeta.characteristics.windows import (
    last_known,
    mean_of_known,
    over_windows,
    quoted_lately,
)
from latentbeta.config import CharacteristicsSettings, MemberSettings
from latentbeta.data.market import DailyMarket, Market, blocks
from latentbeta.data.membership import members_on
from latentbeta.errors import DataError

Members = NDArray[np.bool_]
Formations = NDArray[np.int64]

TRADING_WINDOW = 63  # sessions over which the value traded is averaged: a quarter


def cross_sections(
    market: Market,
    formations: Formations,
    settings: CharacteristicsSettings,
    *,
    delisted: NDArray[np.datetime64] | None = None,
    spells: pd.DataFrame | None = None,
) -> Members:
    """Return (T, N) whether an asset belongs to the cross-section of each formation.

    It does when, at the formation, it was quoted within the last five sessions, has been quoted
    on at least `minimum_history` days so far, its listing has not ended, it is a member where
    there are spells, and the rules of `settings.members` hold. Nothing later than the formation
    is looked at.

    Parameters
    ----------
    market : Market
    formations : (T,) int
        Positions of the formation days.
    settings : CharacteristicsSettings
    delisted : (N,) datetime64, optional
        Last day of each asset's listing, NaT where it has none.
    spells : DataFrame, optional
        As `latentbeta.data.membership.read_membership` returns it.

    Raises
    ------
    DataError
        When only the largest are wanted and no market equity is known.
    """
    rules, days = settings.members, market.days[formations]
    inside = np.empty((len(formations), market.shape[1]), dtype=bool)
    size = np.full(inside.shape if rules.largest else (0, 0), np.nan)
    for columns, block in blocks(market):
        quotes = np.cumsum(np.isfinite(block.close), axis=0, dtype=np.int32)[formations]
        long_enough = quotes >= settings.minimum_history
        inside[:, columns] = (
            quoted_lately(block, formations) & long_enough & tradable(block, formations, rules)
        )
        if rules.largest:
            size[:, columns] = market_equity(block, formations)
    if delisted is not None:
        # NaT compares as False, so an asset without a last day stays.
        inside &= ~(delisted[None, :] <= days[:, None])
    if spells is not None:
        inside &= members_on(spells, market.assets, days)
    return largest(size, inside, rules.largest) if rules.largest else inside


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
        inside &= last_known(formations, market.close) >= settings.minimum_price
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
