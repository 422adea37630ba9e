"""Stage fetch: the network or a database → data/fetched."""

from __future__ import annotations

import datetime as dt
from typing import Any

from prefect import flow

from flows import PROJECT
from flows.api import run_flow
from latentbeta.config import read_settings
from latentbeta.environment import CACHE_FOLDER
from latentbeta.progress import say
from latentbeta.sources.fetch import Places, fetch

SHOWN = 10  # assets that are named; manifest.parquet has them all


@flow(name="fetch")
def fetch_flow() -> None:
    """Ask for what is missing, lay it out for ingest, and say what did not come."""
    places = Places(
        out=PROJECT / "data" / "fetched",
        downloads=PROJECT / "data" / "downloads",
        cache=PROJECT / CACHE_FOLDER,
    )
    settings = read_settings(PROJECT / "params.yaml")
    summary = fetch(settings, places, dt.datetime.now(tz=dt.UTC))
    counts = ", ".join(f"{count:,} {status}" for status, count in summary["assets"].items())
    say(f"{summary['prices']}: {counts}, up to {summary['until']}")
    for status in ("absent", "failed"):
        say_why(status, summary[status])
    for found in summary["factors"]:
        say(f"{found['name']}: {found['first_date']} to {found['last_date']}")


def say_why(status: str, reasons: dict[str, Any]) -> None:
    """Name the first assets of a status, with the reason of each."""
    for asset, reason in list(reasons.items())[:SHOWN]:
        say(f"{status}: {asset}: {reason}")
    if len(reasons) > SHOWN:
        say(f"{status}: {len(reasons) - SHOWN} more, see data/fetched/manifest.json")


if __name__ == "__main__":
    run_flow(fetch_flow)
