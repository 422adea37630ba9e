"""Write the embedded market as a user would hand in prices, with the truth beside it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.config import Rebalancing, SimulationSettings
from latentbeta.data.calendar import sessions
from latentbeta.errors import SettingsError
from latentbeta.memory import keep_freed_memory
from latentbeta.simulation.betas import N_FACTORS
from latentbeta.simulation.tape import QUOTES, Tape, asset_name
from latentbeta.simulation.trading import trade
from latentbeta.storage import folder_written_atomically, write_csv, write_parquet

Slots = NDArray[np.int64]

FACTORS = [f"factor_{k + 1}" for k in range(N_FACTORS)]


def simulate(
    settings: SimulationSettings,
    *,
    rebalancing: Rebalancing,
    calendar: str,
    seed: int,
    as_of: dt.date | None,
    out: Path,
) -> None:
    """Simulate the market and write it to a folder.

    The same settings and seed give the same bytes. A later end adds rows and changes none that
    is there, so each night's market holds that of the night before.

    Parameters
    ----------
    settings : SimulationSettings
    rebalancing : {"daily", "weekly", "monthly"}
        How long the betas are held.
    calendar : str
        Exchange on whose sessions the market trades.
    seed : int
    as_of : date or None
        The market trades to this date, when it lies past the end of the settings.
    out : Path
        Folder that is replaced, in one step, by prices.parquet, sectors.csv, risk_free.csv,
        truth/betas.parquet and truth/factors.parquet.

    Raises
    ------
    SettingsError
        When there is no session between start and end.
    """
    end = max(settings.end, as_of or settings.end)
    days = sessions(calendar, settings.start, end)
    if len(days) == 0:
        raise SettingsError(f"simulation: {calendar} has no session from {settings.start} to {end}")
    keep_freed_memory()
    tape = trade(settings, days, rebalancing=rebalancing, calendar=calendar, seed=seed)
    with folder_written_atomically(out) as folder:
        write_parquet(price_table(tape), folder / "prices.parquet")
        write_csv(listing_table(tape), folder / "sectors.csv")
        write_csv(
            pd.DataFrame({"date": tape.days, "risk_free": tape.risk_free}), folder / "risk_free.csv"
        )
        write_parquet(beta_table(tape), folder / "truth" / "betas.parquet")
        write_parquet(factor_table(tape), folder / "truth" / "factors.parquet")


def price_table(tape: Tape) -> pd.DataFrame:
    """List the quotes, sorted by date, then asset."""
    rows, slots = np.nonzero(np.isfinite(tape.quotes["close"]))
    table = {
        "date": tape.days[rows],
        "asset": _names(slots, tape.generation[rows, slots]),
        **{name: tape.quotes[name][rows, slots] for name in QUOTES},
    }
    return pd.DataFrame(table)


def listing_table(tape: Tape) -> pd.DataFrame:
    """List the assets: each one's sector and the first and last day of its listing."""
    return pd.DataFrame(
        {
            "asset": [listing.asset for listing in tape.listings],
            "sector": [f"Sector {listing.sector + 1:02d}" for listing in tape.listings],
            "listed": [listing.listed for listing in tape.listings],
            "delisted": np.array([listing.delisted for listing in tape.listings]),
            "delisting_return": [listing.delisting_return for listing in tape.listings],
        }
    ).sort_values("asset", ignore_index=True)


def beta_table(tape: Tape) -> pd.DataFrame:
    """List true betas by the end of the period they hold in, the one in progress included."""
    parts = [
        pd.DataFrame(
            {"date": formed.date, "asset": _names(formed.slots, formed.generations)}
            | dict(zip(FACTORS, formed.betas.T, strict=True))
        )
        for formed in tape.formed
    ]
    return pd.concat(parts, ignore_index=True)


def factor_table(tape: Tape) -> pd.DataFrame:
    """List true factor returns of each complete period: the sum over its days."""
    ends = np.array([formed.date for formed in tape.formed])
    ends = ends[ends <= tape.days[-1]]
    stops = np.searchsorted(tape.days, ends) + 1
    starts = np.append(0, stops[:-1])
    sums = [tape.factors[start:stop].sum(axis=0) for start, stop in zip(starts, stops, strict=True)]
    table = pd.DataFrame(np.reshape(sums, (-1, N_FACTORS)), columns=FACTORS)
    table.insert(0, "date", ends.astype("datetime64[us]"))
    return table


def _names(slots: Slots, generations: Slots) -> pd.Series:
    """Spell the identifiers of (slot, generation) pairs, each distinct one once."""
    many = int(generations.max()) + 1
    place, distinct = pd.factorize(slots * many + generations)
    spelt = [asset_name(int(pair // many), int(pair % many)) for pair in distinct]
    return pd.Series(spelt, dtype=str).take(place).reset_index(drop=True)
