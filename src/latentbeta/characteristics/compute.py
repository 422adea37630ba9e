"""Computing several characteristics of a daily market at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from latentbeta.characteristics.registry import rows_of
from latentbeta.characteristics.row import Characteristic
from latentbeta.characteristics.windows import Formations
from latentbeta.data.market import DailyMarket, Matrix
from latentbeta.progress import track


def compute(
    market: DailyMarket,
    formations: Formations,
    names: Sequence[str],
    own: Iterable[Characteristic] = (),
) -> dict[str, Matrix]:
    """Compute characteristics at each formation, showing progress.

    Parameters
    ----------
    market : DailyMarket
        D days, N assets.
    formations : (T,) int
        Positions of the days at whose close the characteristics are known.
    names : sequence of str
        Of the registry or of `own`, as they are or with ``_ia`` behind them.
    own : iterable of Characteristic
        The user's.

    Returns
    -------
    dict of (T, N) float64
        As computed, neither ranked nor filled; NaN where not computable.

    Raises
    ------
    SettingsError
        When a name stands for no characteristic, or one of the user's gives no (T, N) floats.
    """
    rows = rows_of(names, own)
    return {
        name: rows[name].function(market, formations) for name in track(names, "characteristics")
    }
