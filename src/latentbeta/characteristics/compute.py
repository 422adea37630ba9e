"""Computing several characteristics of a daily market, some assets at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from latentbeta.characteristics.industry import SUFFIX
from latentbeta.characteristics.registry import rows_of
from latentbeta.characteristics.row import Characteristic
from latentbeta.characteristics.windows import Formations
from latentbeta.data.market import DailyMarket, Market, Matrix, blocks
from latentbeta.progress import counting


@dataclass(frozen=True)
class Computed:
    """Characteristics of some assets of a market.

    Attributes
    ----------
    columns : slice
        Which assets these are.
    market : DailyMarket
        Their prices.
    values : dict of (T, n) float64
        By name, as computed, neither ranked nor filled; NaN where not computable.
    """

    columns: slice
    market: DailyMarket
    values: dict[str, Matrix]


def compute(
    market: Market,
    formations: Formations,
    names: Sequence[str],
    own: Iterable[Characteristic] = (),
) -> Iterator[Computed]:
    """Yield characteristics at each formation, assets in their order, showing progress.

    What the registry holds takes no more memory than a block of assets needs. A user's own
    function may look at any asset, so it is given the whole market at once.

    Parameters
    ----------
    market : Market
        D days, N assets.
    formations : (T,) int
        Positions of the days at whose close the characteristics are known.
    names : sequence of str
        Of the registry or of `own`, as they are or with ``_ia`` behind them.
    own : iterable of Characteristic
        The user's.

    Raises
    ------
    SettingsError
        When a name stands for no characteristic, or one of the user's gives no (T, N) floats.
    """
    own = tuple(own)
    rows = rows_of(names, own)
    users = {row.name for row in own}
    at_once = [name for name in names if name in users or name.removesuffix(SUFFIX) in users]
    n_assets = market.shape[1]
    everything = market.columns(0, n_assets) if at_once else None
    whole = {name: rows[name].function(everything, formations) for name in at_once if everything}
    with counting("characteristics", n_assets) as advance:
        for columns, block in blocks(market):
            yield Computed(
                columns,
                block,
                {
                    name: whole[name][:, columns]
                    if name in whole
                    else rows[name].function(block, formations)
                    for name in names
                },
            )
            advance(columns.stop - columns.start)
