"""Stage ingest: the user's price files → data/prices."""

from __future__ import annotations

import datetime as dt

from prefect import flow

from flows import PROJECT
from flows.api import run_flow
from latentbeta.config import read_settings
from latentbeta.data.store import ingest
from latentbeta.progress import say

EARLIEST_ZONE = dt.timezone(dt.timedelta(hours=14))  # a date is today once it is so anywhere


@flow(name="ingest")
def ingest_flow() -> None:
    """Read, check, adjust and store the prices, and say what was found."""
    settings = read_settings(PROJECT / "params.yaml")
    today = dt.datetime.now(tz=EARLIEST_ZONE).date()
    summary = ingest(settings.data, PROJECT / "data" / "prices", today)
    say(
        f"prices: {summary['n_rows']:,} rows of {summary['n_assets']:,} assets,"
        f" {summary['first_date']} to {summary['last_date']}"
    )
    for kind in ("dropped", "flags"):
        counts = [f"{name} {count:,}" for name, count in summary[kind].items() if count]
        say(f"{kind}: {', '.join(counts) or 'none'}")
    for note in summary["notes"]:
        say(f"note: {note}")


if __name__ == "__main__":
    run_flow(ingest_flow)
