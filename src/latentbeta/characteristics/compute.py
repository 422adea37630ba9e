"""Computing several characteristics of a daily market at once."""

from __future__ import annotations

from collections.abc import Sequence

from latentbeta.characteristics.registry import REGISTRY, require_known
from latentbeta.characteristics.windows import Formations
from latentbeta.data.market import DailyMarket, Matrix
from latentbeta.progress import track


def compute(market: DailyMarket, formations: Formations, names: Sequence[str]) -> dict[str, Matrix]:
    """Compute characteristics at each formation, showing progress.

    Parameters
    ----------
    market : DailyMarket
        D days, N assets.
    formations : (T,) int
        Positions of the days at whose close the characteristics are known.
    names : sequence of str
        Keys of the registry.

    Returns
    -------
    dict of (T, N) float64
        As computed, neither ranked nor filled; NaN where not computable.

    Raises
    ------
    SettingsError
        When a name is not in the registry.
    """
    require_known(names)
    return {
        name: REGISTRY[name].function(market, formations)
        for name in track(names, "characteristics")
    }
