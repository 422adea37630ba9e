"""From a user's own panel of returns and characteristics to data/prices/."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.config import DataSettings, Rebalancing
from latentbeta.data.given_files import (
    LEADING,
    GivenFiles,
    Horizon,
    find_given_files,
    period_calendar,
    read_given,
)
from latentbeta.data.series import Series, over_periods, read_series
from latentbeta.data.store import FACTORS_FILE, observed_factors
from latentbeta.data.summary import factor_facts
from latentbeta.data.tables import read_table
from latentbeta.errors import DataError
from latentbeta.storage import content_hash, folder_written_atomically, write_json, write_parquet

GIVEN_FILE = "given_panel.parquet"
# A rate is one number a date; beyond this its copies in a panel's rows contradict each other.
_SAME_RATE = 1e-6
_WHERE_FROM = ("period", "end", "day", "row", "file")


@dataclass(frozen=True)
class _Excess:
    """Excess returns, and how they came about."""

    values: NDArray[np.float64]
    known_rate: bool
    missing_rates: int


@dataclass(frozen=True)
class _Given:
    table: pd.DataFrame
    factors: Series | None
    excess: _Excess
    withheld: int
    not_read: tuple[str, ...]


def ingest_panel(
    settings: DataSettings, rebalancing: Rebalancing, out: Path, today: dt.date
) -> dict[str, Any]:
    """Read, check and store a user's own panel, up to the date `settings.as_of`.

    Parameters
    ----------
    settings : DataSettings
    rebalancing : {"daily", "weekly", "monthly"}
        How long a return period is: an asset has one row in each.
    out : Path
        Folder that is replaced, in one step, by given_panel.parquet, summary.json and, where
        the source has them, factors.parquet. After an error it is as it was.
    today : date
        A row that is known after it is an error, unless `settings.as_of` says what is read.

    Returns
    -------
    dict
        The summary, as written to summary.json.

    Raises
    ------
    DataError
        Naming file, row, column and value of the first fault.

    Notes
    -----
    given_panel.parquet: date (the period's last session), asset, return (excess, decimal; NaN
    where missing or the period is not over), market_equity, sector, then one float64 column a
    characteristic, as they stand in the files: not lagged, ranked or filled. Sorted by date, then
    asset; none twice.
    """
    files = find_given_files(settings)
    given = _read(files, settings, rebalancing, today)
    with folder_written_atomically(out) as folder:
        write_parquet(given.table, folder / GIVEN_FILE)
        if given.factors is not None:
            write_parquet(given.factors.table, folder / FACTORS_FILE)
        summary = _summary(settings, files, given) | {
            "content_hash": content_hash(folder / GIVEN_FILE)
        }
        write_json(summary, folder / "summary.json")
    return summary


def load_given(folder: Path) -> pd.DataFrame:
    """Load what `ingest_panel` wrote.

    Raises
    ------
    DataError
        When the folder holds no such panel.
    """
    if not (folder / GIVEN_FILE).is_file():
        raise DataError(f"{folder}: no {GIVEN_FILE}; run the ingest stage first")
    return pd.read_parquet(folder / GIVEN_FILE)


def _read(
    files: GivenFiles, settings: DataSettings, rebalancing: Rebalancing, today: dt.date
) -> _Given:
    horizon = Horizon(settings.as_of, today, settings.panel.lag)
    rows = read_given(files.panel, settings, rebalancing, horizon)
    frame = rows.frame
    if files.returns is not None:
        frame = _with_returns(frame, files.returns, settings, rebalancing, horizon)
    _require_columns(frame, files.panel[0], settings)
    early = frame["end"].to_numpy() > horizon.last  # these periods are not over
    withheld = int((early & frame["return"].notna()).sum())
    frame["return"] = frame["return"].mask(early)
    excess = _excess_returns(frame, files.risk_free, settings, rebalancing)
    last = frame["end"].to_numpy()[~early].max(initial=frame["end"].min())
    return _Given(
        table=_table(frame, excess),
        factors=observed_factors(settings, files.factors, last=last),
        excess=excess,
        withheld=withheld,
        not_read=rows.not_read,
    )


def _require_columns(frame: pd.DataFrame, path: Path, settings: DataSettings) -> None:
    if "return" not in frame:
        raise DataError(
            f"{path}: no column for 'return': add the file's own name to data.columns.return in"
            " params.yaml, or name the file that has them in data.panel.returns; for daily prices"
            " set data.kind to prices"
        )
    if not _characteristics(frame):
        raise DataError(
            f"{path}: no characteristic: data.panel.characteristics,"
            f" {', '.join(settings.panel.characteristics)}, names no column of numbers"
        )


def _characteristics(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name in frame if name not in (*_WHERE_FROM, *LEADING, "risk_free")]


def _table(frame: pd.DataFrame, excess: _Excess) -> pd.DataFrame:
    """Return the columns of given_panel.parquet."""
    leading = frame.assign(date=frame["end"]).reindex(columns=list(LEADING))
    leading["return"] = excess.values
    table = pd.concat([leading, frame[_characteristics(frame)]], axis=1)
    return table.astype({"asset": "str", "sector": "str"})


def _with_returns(
    frame: pd.DataFrame,
    path: Path,
    settings: DataSettings,
    rebalancing: Rebalancing,
    horizon: Horizon,
) -> pd.DataFrame:
    """Join the returns of a second file, by asset and period; rows of either are kept."""
    nothing_else = settings.panel.model_copy(update={"characteristics": ()})
    alone = settings.model_copy(update={"panel": nothing_else})
    ended = Horizon(horizon.until, horizon.today, lag=1)
    read = read_given([path], alone, rebalancing, ended).frame
    if "return" not in read:
        raise DataError(
            f"{path}: no column for 'return'; add the file's own name to data.columns.return"
        )
    keys = ["period", "end", "asset"]
    theirs = read[[*keys, *read.columns.intersection(["return", "risk_free"])]]
    mine = frame.drop(
        columns=["day", "row", "file", *theirs.columns.difference(keys)], errors="ignore"
    )
    joined = mine.astype({"asset": "str"}).merge(
        theirs.astype({"asset": "str"}), on=keys, how="outer", validate="one_to_one"
    )
    return joined.sort_values(["period", "asset"], ignore_index=True)


def _excess_returns(
    frame: pd.DataFrame, path: Path | None, settings: DataSettings, rebalancing: Rebalancing
) -> _Excess:
    """Take the risk-free rate of the period off raw returns: the panel's own, or the file's."""
    values = frame["return"].to_numpy(np.float64)
    if settings.panel.returns_are == "excess":
        return _Excess(values, known_rate=True, missing_rates=0)
    periods, place = np.unique(frame["end"].to_numpy(), return_inverse=True)
    if "risk_free" in frame:
        rates = _own_rates(frame["risk_free"].to_numpy(np.float64), place, periods)
    elif path is not None:
        rates = _rates_of_file(path, periods, settings, rebalancing)
    else:
        return _Excess(values, known_rate=False, missing_rates=0)
    latest = pd.Series(rates).ffill().fillna(0.0).to_numpy()
    return _Excess(values - latest[place], True, int(np.isnan(rates).sum()))


def _own_rates(
    rates: NDArray[np.float64], place: NDArray[np.int64], periods: NDArray[np.datetime64]
) -> NDArray[np.float64]:
    """Return the rate of each period, from a column of the panel that repeats it."""
    by_period = pd.Series(rates).groupby(place)
    lowest, highest = by_period.min(), by_period.max()
    apart = (highest - lowest) > _SAME_RATE
    if apart.any():
        t = int(np.argmax(apart))
        raise DataError(
            f"the panel's risk-free rate of {str(periods[t])[:10]} is {lowest[t]:g} in one row and"
            f" {highest[t]:g} in another; make them one, or take the column out of"
            " data.columns.risk_free"
        )
    return np.asarray(lowest, dtype=np.float64)


def _rates_of_file(
    path: Path,
    periods: NDArray[np.datetime64],
    settings: DataSettings,
    rebalancing: Rebalancing,
) -> NDArray[np.float64]:
    """Return the rate of each period from a file of daily or as frequent rates."""
    table = read_table(path, settings.columns, required=("date", "risk_free"), optional=())
    until = dt.date.fromisoformat(str(periods[-1])[:10])
    calendar = period_calendar(settings.calendar, rebalancing, periods[0], periods[-1])
    before = calendar.ends[np.searchsorted(calendar.ends, periods) - 1]
    return over_periods(
        read_series(table, ["risk_free"], until=until),
        before,
        periods,
        rebalancing=rebalancing,
        calendar=settings.calendar,
        source=str(path),
    )[:, 0]


def _summary(settings: DataSettings, files: GivenFiles, given: _Given) -> dict[str, Any]:
    table = given.table
    over = table.loc[table["return"].notna(), "date"]
    return {
        "kind": settings.kind,
        "n_rows": len(table),
        "n_assets": int(table["asset"].nunique()),
        "first_date": f"{table['date'].min():%Y-%m-%d}",
        "last_date": f"{over.max() if len(over) else table['date'].max():%Y-%m-%d}",
        "source": str(settings.path),
        "files": [file.name for file in files.panel],
        "calendar": settings.calendar,
        "universe": settings.universe,
        "has_risk_free": given.excess.known_rate,
        "has_truth": False,
        "characteristics": list(table.columns[len(LEADING) :]),
        "notes": _notes(settings, given),
    } | factor_facts(files.factors, given.factors)


def _notes(settings: DataSettings, given: _Given) -> list[str]:
    """Sentences that a reader of the results should know."""
    excess, lag, table = given.excess, settings.panel.lag, given.table
    stands = f"{lag} period{'s' if lag > 1 else ''} before the return" if lag else "by the return"
    candidates = {
        f"characteristics are those that stand {stands} they explain": True,
        "no risk-free rate: returns are raw, not in excess of it": not excess.known_rate,
        f"the risk-free rate is missing in {excess.missing_rates} periods: the latest before them"
        " is used": excess.missing_rates > 0,
        "no market equity: nothing is weighted by value": bool(table["market_equity"].isna().all()),
        f"returns of periods that were not over, left aside: {given.withheld}": given.withheld > 0,
        f"columns that hold no numbers, not read: {', '.join(given.not_read)}": bool(
            given.not_read
        ),
        "the universe holds survivors only: results are flattered": (
            settings.universe == "survivors"
        ),
    }
    return [note for note, applies in candidates.items() if applies]
