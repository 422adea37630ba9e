"""Industry-adjusted forms: a characteristic less its mean over the asset's sector."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from latentbeta.characteristics.row import Characteristic
from latentbeta.characteristics.windows import Formations, mean_across_assets, quoted_lately
from latentbeta.data.market import DailyMarket, Matrix
from latentbeta.errors import SettingsError

SUFFIX = "_ia"
NEGLIGIBLE = 1e-12  # of a value: what is left of equal values is rounding, and no rank


def industry_adjusted(row: Characteristic) -> Characteristic:
    """Return the row of a characteristic's industry-adjusted form, called its name and ``_ia``."""

    def function(market: DailyMarket, formations: Formations) -> Matrix:
        return less_sector_mean(row.function(market, formations), market, formations)

    return Characteristic(
        name=row.name + SUFFIX,
        title=f"{row.title}, industry-adjusted",
        source=f"{row.source}; Asness, Porter and Stevens (2000)",
        formula=f"{row.name} - mean of {row.name} over the quoted assets of the sector",
        lag=row.lag,
        sign=row.sign,
        inputs=tuple(dict.fromkeys((*row.inputs, "close", "sector"))),
        function=function,
    )


def require_sectors(names: Iterable[str], market: DailyMarket) -> None:
    """Raise a SettingsError that names what is industry-adjusted where no asset has a sector."""
    adjusted = [name for name in names if name.endswith(SUFFIX)]
    if adjusted and not (market.sector >= 0).any():
        raise SettingsError(
            f"characteristics.names: {', '.join(adjusted)}: less its sector's mean, but the data"
            " have no sectors; name a file of them in data.sectors, or leave these out"
        )


def less_sector_mean(values: Matrix, market: DailyMarket, formations: Formations) -> Matrix:
    """Return each value less the mean over the quoted assets of its sector.

    Parameters
    ----------
    values : (T, N)
    market : DailyMarket
    formations : (T,) int

    Returns
    -------
    (T, N) float64
        NaN where the value or the sector is not known.

    Notes
    -----
    Asness, Porter and Stevens (2000); the suffix is that of GHZ. A sector's sum runs in the order
    of its assets, so that one listed later does not move the past.
    """
    quoted = np.where(quoted_lately(market, formations), values, np.nan)
    result = np.full(values.shape, np.nan)
    for code in np.unique(market.sector[market.sector >= 0]):
        members = market.sector == code
        mean = mean_across_assets(quoted[:, members])[:, None]
        difference = values[:, members] - mean
        rounding = np.abs(difference) <= NEGLIGIBLE * np.abs(mean)
        result[:, members] = np.where(rounding, 0.0, difference)
    return result
