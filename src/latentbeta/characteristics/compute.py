"""Computing several characteristics of a daily market, some assets at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

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

    Memory holds little more than what a block of assets needs. No function may look at the assets
    beside one, but for means over the market or a sector, which know the whole of it.

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
    rows = rows_of(names, own)
    with counting("characteristics", market.shape[1]) as advance:
        for columns, block in blocks(market):
            values = {name: rows[name].function(block, formations) for name in names}
            yield Computed(columns, block, values)
            advance(columns.stop - columns.start)
