"""The registry of characteristics: one row each, with its source, formula and function."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from latentbeta.characteristics.fundamental_rows import FUNDAMENTAL_ROWS
from latentbeta.characteristics.industry import SUFFIX, industry_adjusted
from latentbeta.characteristics.price_rows import PRICE_ROWS
from latentbeta.characteristics.row import Characteristic
from latentbeta.errors import SettingsError

REGISTRY: dict[str, Characteristic] = {row.name: row for row in (*PRICE_ROWS, *FUNDAMENTAL_ROWS)}

# One value for a whole sector: less the sector's mean nothing is left.
_OF_A_SECTOR = ("indmom",)


def rows_of(names: Sequence[str], own: Iterable[Characteristic] = ()) -> dict[str, Characteristic]:
    """Return the rows of characteristics by name, in the order of the names.

    Parameters
    ----------
    names : sequence of str
        Names of the registry or of `own`. With ``_ia`` behind it, a name means the same less its
        mean over the asset's sector.
    own : iterable of Characteristic
        The user's.

    Raises
    ------
    SettingsError
        Naming each name that stands for none.
    """
    there = REGISTRY | {row.name: row for row in own}
    rows = {name: _row(name, there) for name in names}
    unknown = [name for name, row in rows.items() if row is None]
    if unknown:
        raise SettingsError(
            f"characteristics.names: no characteristic is called {', '.join(unknown)};"
            f" there are {', '.join(there)}, and each with {SUFFIX} behind it, less its sector's"
            " mean"
        )
    return {name: row for name, row in rows.items() if row is not None}


def _row(name: str, there: dict[str, Characteristic]) -> Characteristic | None:
    base = name.removesuffix(SUFFIX)
    if name in there:
        return there[name]
    if base == name or base in _OF_A_SECTOR or base not in there:
        return None
    return industry_adjusted(there[base])
