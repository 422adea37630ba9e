"""Industry-adjusted forms: a characteristic less its mean over the asset's sector."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from latentbeta.characteristics.row import Characteristic
from latentbeta.characteristics.sectors import sector_mean
from latentbeta.characteristics.windows import Formations
from latentbeta.data.market import DailyMarket, Market, Matrix
from latentbeta.errors import SettingsError

SUFFIX = "_ia"
NEGLIGIBLE = 1e-12  # of a value: what is left of equal values is rounding, and no rank


def industry_adjusted(row: Characteristic) -> Characteristic:
    """Return the row of a characteristic's industry-adjusted form, called its name and ``_ia``."""

    def function(market: DailyMarket, formations: Formations) -> Matrix:
        mean = sector_mean(market, formations, row.name, row.function)
        return less_mean(row.function(market, formations), mean)

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


def require_sectors(names: Iterable[str], market: Market) -> None:
    """Raise a SettingsError that names what is industry-adjusted where no asset has a sector."""
    adjusted = [name for name in names if name.endswith(SUFFIX)]
    if adjusted and not (market.sector >= 0).any():
        raise SettingsError(
            f"characteristics.names: {', '.join(adjusted)}: less its sector's mean, but the data"
            " have no sectors; name a file of them in data.sectors, or leave these out"
        )


def less_mean(values: Matrix, mean: Matrix) -> Matrix:
    """Return each value less the mean of its sector, (T, N) all; zero where rounding is left.

    Notes
    -----
    Asness, Porter and Stevens (2000); the suffix is that of GHZ.
    """
    difference = values - mean
    difference[np.abs(difference) <= NEGLIGIBLE * np.abs(mean)] = 0.0
    return difference
