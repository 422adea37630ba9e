"""Bringing one asset up to date: what is asked for, and what becomes of the answer."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from latentbeta.errors import AbsentError, SourceError
from latentbeta.sources.downloads import Download, Record, answered, unanswered
from latentbeta.sources.protocol import PriceSource

# A price that is stored and one that comes again agree when they differ by less than this: more
# than the last digit of single precision, less than a tick.
_TOLERANCE = 1e-5
_COMPARED = ("open", "high", "low", "close", "dividend", "split")
# A new history that begins later than the old one by more days, or has fewer of its rows, is
# taken for a fault of the source.
_LATEST_START = 10
_FEWEST_ROWS = 0.95


@dataclass(frozen=True)
class Wanted:
    """The days that are to be covered.

    Attributes
    ----------
    start, end : date
    overlap : int
        Days before the last stored row that are asked for again.
    """

    start: dt.date
    end: dt.date
    overlap: int


def is_finished(record: Record | None, wanted: Wanted) -> bool:
    """Whether there is nothing to ask: all days are covered, or the source has no such asset."""
    if record is None:
        return False
    if record.status == "absent":
        return True
    return (
        record.status == "fetched"
        and _begins_early_enough(record, wanted)
        and (record.through is not None and record.through >= wanted.end.isoformat())
    )


def updated(source: PriceSource, asset: str, held: Download | None, wanted: Wanted) -> Download:
    """Ask for what is missing, and return the asset as it is to be stored.

    Stored rows are added to; only volumes of the overlap may change. Where prices, dividends or
    splits of the overlap differ, the source has corrected its past, and the whole history is
    asked for.

    Parameters
    ----------
    source : PriceSource
    asset : str
    held : Download or None
        What is stored.
    wanted : Wanted

    Returns
    -------
    Download
        With status failed or absent, and the rows that were there, when the source fails or no
        longer has the asset.
    """
    before = source.attempts()
    try:
        rows = _fresh_rows(source, asset, held, wanted)
    except AbsentError as error:
        attempts = source.attempts() - before
        return unanswered(asset, held, status="absent", attempts=attempts, error=str(error))
    except SourceError as error:
        attempts = source.attempts() - before
        return unanswered(asset, held, status="failed", attempts=attempts, error=str(error))
    start = wanted.start.isoformat()
    if held is not None and held.record.start is not None:
        start = min(start, held.record.start)
    return answered(
        asset,
        rows,
        attempts=source.attempts() - before,
        start=start,
        through=wanted.end.isoformat(),
    )


def _fresh_rows(
    source: PriceSource, asset: str, held: Download | None, wanted: Wanted
) -> pd.DataFrame:
    if held is None or held.rows.empty:
        return source.fetch(asset, wanted.start, wanted.end)
    if _begins_early_enough(held.record, wanted):
        last = held.rows["date"].iloc[-1].date()
        since = last - dt.timedelta(days=wanted.overlap)
        added = source.fetch(asset, since, max(wanted.end, last))
        if agrees(held.rows, added, since):
            return extended(held.rows, added)
    begin = min(wanted.start, held.rows["date"].iloc[0].date())
    last = held.rows["date"].iloc[-1].date()
    whole = source.fetch(asset, begin, max(wanted.end, last))
    _refuse_loss(held.rows, whole)
    return whole


def agrees(held: pd.DataFrame, added: pd.DataFrame, since: dt.date) -> bool:
    """Whether what comes again from the date `since` on is what is stored."""
    old = held[held["date"] >= pd.Timestamp(since)]
    new = added[added["date"] <= held["date"].iloc[-1]]
    if not np.array_equal(old["date"].to_numpy(), new["date"].to_numpy()):
        return False
    return all(
        np.allclose(old[name], new[name], rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)
        for name in _COMPARED
    )


def extended(held: pd.DataFrame, added: pd.DataFrame) -> pd.DataFrame:
    """Add the rows after the last stored one; volumes of the overlap are taken as they come now."""
    again = added.set_index("date")["volume"]
    volume = held["date"].map(again).fillna(held["volume"])
    later = added[added["date"] > held["date"].iloc[-1]]
    return pd.concat([held.assign(volume=volume.astype(np.float64)), later], ignore_index=True)


def _refuse_loss(held: pd.DataFrame, whole: pd.DataFrame) -> None:
    late = dt.timedelta(days=_LATEST_START)
    if len(whole) < _FEWEST_ROWS * len(held) or whole["date"].iloc[0] > held["date"].iloc[0] + late:
        raise SourceError(
            f"the source's history shrank from {len(held)} to {len(whole)} rows; the stored one is"
            " kept. Delete its file to take the new one"
        )


def _begins_early_enough(record: Record, wanted: Wanted) -> bool:
    return record.start is not None and record.start <= wanted.start.isoformat()
