"""Stage ingest: the user's files → data/prices, and data/snapshots beside it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from prefect import flow

from flows import PROJECT
from flows.api import run_flow
from latentbeta.config import DataSettings, read_settings
from latentbeta.data.given import ingest_panel
from latentbeta.data.snapshots import ingest_and_keep
from latentbeta.data.snapshots.words import news_in_words
from latentbeta.progress import say

PRICES, SNAPSHOTS = PROJECT / "data/prices", PROJECT / "data/snapshots"
EARLIEST_ZONE = dt.timezone(dt.timedelta(hours=14))  # a date is today once it is so anywhere


@flow(name="ingest")
def ingest_flow() -> None:
    """Read, check and store prices or a panel, and say what was found."""
    settings = read_settings(PROJECT / "params.yaml")
    today = dt.datetime.now(tz=EARLIEST_ZONE).date()
    if settings.data.kind == "panel":
        summary = ingest_panel(settings.data, settings.rebalancing, PRICES, today)
    else:
        summary = _prices(settings.data, today)
    SNAPSHOTS.mkdir(exist_ok=True)  # an output of the stage, of a panel an empty one
    say(
        f"{settings.data.kind}: {summary['n_rows']:,} rows of {summary['n_assets']:,} assets,"
        f" {summary['first_date']} to {summary['last_date']}"
    )
    for kind in (name for name in ("dropped", "flags") if name in summary):
        counts = [f"{name} {count:,}" for name, count in summary[kind].items() if count]
        say(f"{kind}: {', '.join(counts) or 'none'}")
    if "factors" in summary:
        say(f"factors of {summary['factors']['file']}: {factors_in_words(summary['factors'])}")
    for note in summary["notes"]:
        say(f"note: {note}")


def _prices(settings: DataSettings, today: dt.date) -> dict[str, Any]:
    now = dt.datetime.now(tz=dt.UTC)
    done = ingest_and_keep(settings, PRICES, SNAPSHOTS, today=today, now=now)
    say(news_in_words(done.snapshot, is_new=done.is_new))
    return done.summary


def factors_in_words(facts: dict[str, Any]) -> str:
    """Return what each observed factor covers."""
    return ", ".join(
        f"{name} {known['first_date']} to {known['last_date']}"
        for name, known in facts["names"].items()
    )


if __name__ == "__main__":
    run_flow(ingest_flow)
