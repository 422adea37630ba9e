"""The user's own characteristics: Python files of a folder, whose rows join the registry.

A file defines functions and `ROWS`, one `Characteristic` each. Nothing of the package is edited.
Such a function is given all assets of a market. What it returns is looked at: its shape and type,
and, once a market, that the value at a formation needed neither later days and publications nor
other formations.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import numpy as np

from latentbeta.characteristics.industry import SUFFIX
from latentbeta.characteristics.registry import REGISTRY
from latentbeta.characteristics.row import Characteristic
from latentbeta.characteristics.windows import Formations
from latentbeta.data.fundamentals import ITEMS, QUARTERLY_INCOME
from latentbeta.data.market import DailyMarket, Matrix
from latentbeta.errors import CharacteristicError

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TAKEN = {"date", "formation", "asset", "return", "market_equity", "sector"}  # panel.parquet's
_INPUTS = {"total_return", "close", "high", "low", "volume", "shares", "sector", *ITEMS}
_INPUTS |= {QUARTERLY_INCOME}


def load_own(folder: Path) -> tuple[Characteristic, ...]:
    """Load the rows of every Python file of a folder, in the order of the files' names.

    Parameters
    ----------
    folder : Path
        A file whose name begins with an underscore is left to the others to import, by its name.
        There need be none, nor the folder.

    Returns
    -------
    tuple of Characteristic
        Their functions raise a CharacteristicError where the user's returns anything but (T, N)
        floats, fails, or needs days after a formation.

    Raises
    ------
    CharacteristicError
        Naming file and row: a file that cannot be imported or has no `ROWS`, a row that is none,
        a name that is taken or cannot be a column's, an input that does not exist.
    """
    rows: list[Characteristic] = []
    for file in sorted(folder.glob("[!_.]*.py")):
        taken = {row.name for row in rows}
        rows += [_checked(file, row, taken) for row in _rows_of_file(file)]
        _refuse_repeated(file, rows)
    return tuple(rows)


def _rows_of_file(file: Path) -> Sequence[Characteristic]:
    rows = getattr(_imported(file), "ROWS", None)
    if not isinstance(rows, (tuple, list)) or not rows:
        raise CharacteristicError(
            f"{file}: it has no ROWS; end it with ROWS = (Characteristic(...),), one a function"
        )
    for row in rows:
        if not isinstance(row, Characteristic):
            raise CharacteristicError(f"{file}: ROWS holds {row!r}, which is no Characteristic")
    return rows


def _imported(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"own_characteristics_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise CharacteristicError(f"{file}: cannot be imported as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # as an import does: dataclasses look themselves up there
    sys.path.insert(0, str(file.parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise CharacteristicError(
            f"{file}: cannot be imported: {type(error).__name__}: {error}"
        ) from error
    finally:
        sys.path.remove(str(file.parent))
    return module


def _checked(file: Path, row: Characteristic, taken: Iterable[str]) -> Characteristic:
    """Return the row with a function that is looked at, when the row itself is right."""

    def refuse(reason: str) -> NoReturn:
        raise CharacteristicError(f"{file}: {row.name!r}: {reason}")

    if not isinstance(row.name, str) or not _NAME.fullmatch(row.name):
        refuse("a name is of small letters, digits and underscores, and begins with a letter")
    if row.name in REGISTRY or row.name in _TAKEN or row.name in taken:
        refuse("the name is taken; give it another")
    if row.name.endswith(SUFFIX):
        refuse(f"{SUFFIX} at the end stands for the industry-adjusted form; give it another name")
    if unknown := sorted(set(row.inputs) - _INPUTS):
        refuse(f"there is no input {', '.join(unknown)}; there are {', '.join(sorted(_INPUTS))}")
    if row.sign not in (-1, 0, 1) or row.lag < 0:
        refuse("sign is -1, 0 or 1, and lag a number of days")
    return replace(row, function=_Watched(file, row))


class _Watched:
    """The user's function; what it returns is looked at."""

    def __init__(self, file: Path, row: Characteristic) -> None:
        self._file = file
        self._row = row

    def __call__(self, market: DailyMarket, formations: Formations) -> Matrix:
        shown = _read_only(market)
        values = self._values(shown, formations)
        seen = (self, formations.tobytes())
        (market.whole or market).remembered(seen, lambda: self._watch(shown, formations, values))
        return values

    def _watch(self, market: DailyMarket, formations: Formations, values: Matrix) -> None:
        """Raise a CharacteristicError where a value depends on what it may not see."""
        for position in _with_later_days(market, formations):
            day = int(formations[position])
            less = self._values(_up_to(market, day), formations[[position]])[0]
            if (column := _first_difference(less, values[position])) is not None:
                raise self._error(
                    f"on {str(market.days[day])[:10]} the value of {market.assets[column]} is"
                    f" {values[position, column]}, and {less[column]} once the later days and the"
                    " other formations are taken away: it may use days up to"
                    " market.days[formations[t]] alone"
                )

    def _values(self, market: DailyMarket, formations: Formations) -> Matrix:
        try:
            values = self._row.function(market, formations)
        except Exception as error:
            raise self._error(f"it failed with {type(error).__name__}: {error}") from error
        shape = (len(formations), market.shape[1])
        if not isinstance(values, np.ndarray) or values.shape != shape:
            what = getattr(values, "shape", None) or type(values).__name__
            raise self._error(f"it returned {what} for {shape[0]} formations of {shape[1]} assets")
        if values.dtype != np.float64:
            raise self._error(f"it returned {values.dtype}; return float64, NaN where missing")
        return np.where(np.isfinite(values), values, np.nan)

    def _error(self, reason: str) -> CharacteristicError:
        return CharacteristicError(f"{self._file}: {self._row.name!r}: {reason}")


def _refuse_repeated(file: Path, rows: Sequence[Characteristic]) -> None:
    names = [row.name for row in rows]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise CharacteristicError(f"{file}: {', '.join(repeated)} is there twice in ROWS")


def _first_difference(less: Matrix, values: Matrix) -> int | None:
    """Return the first place where two rows (N,) differ in a bit, None where they do not."""
    different = less.view(np.int64) != values.view(np.int64)
    return int(np.argmax(different)) if different.any() else None


def _with_later_days(market: DailyMarket, formations: Formations) -> list[int]:
    """Return the first, the middle and the last position of a formation that days come after."""
    before = np.flatnonzero(formations < market.shape[0] - 1)
    chosen = before[[0, len(before) // 2, -1]] if len(before) else before
    return sorted(set(chosen.tolist()))


def _up_to(market: DailyMarket, day: int) -> DailyMarket:
    """Return the market as it was known at the close of a day."""
    accounts = market.fundamentals
    return replace(
        market.until(day + 1),
        fundamentals=None if accounts is None else accounts.until(market.days[day]),
        whole=None if market.whole is None else market.whole.until(day + 1),
    )


def _read_only(market: DailyMarket) -> DailyMarket:
    """Return the market in views that cannot be written to: others read the same arrays."""
    views: dict[str, Any] = {}
    for field in fields(market):
        value = getattr(market, field.name)
        if isinstance(value, np.ndarray):
            views[field.name] = value.view()
            views[field.name].flags.writeable = False
    return replace(market, **views)
