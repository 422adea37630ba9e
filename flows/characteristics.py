"""Stage characteristics: data/prices → data/panel."""

from __future__ import annotations

import pandas as pd
from prefect import flow

from flows import PROJECT
from flows.api import run_flow
from latentbeta.config import read_settings
from latentbeta.data.store import load_market
from latentbeta.panel import build_panel, write_panel
from latentbeta.progress import say


@flow(name="characteristics")
def characteristics_flow() -> None:
    """Compute the characteristics, build the panel, and write its folder."""
    settings = read_settings(PROJECT / "params.yaml")
    prices = PROJECT / "data" / "prices"
    assets = pd.read_parquet(prices / "assets.parquet", columns=["delisted"])
    built = build_panel(
        load_market(prices),
        rebalancing=settings.rebalancing,
        calendar=settings.data.calendar,
        settings=settings.characteristics,
        delisted=assets["delisted"].to_numpy(dtype="datetime64[us]"),
    )
    write_panel(built, PROJECT / "data" / "panel")
    for name, reason in built.summary.left_out.items():
        say(f"left out {name}: {reason}")
    say(
        f"panel: {built.summary.n_rows:,} rows of {built.summary.n_assets:,} assets on"
        f" {built.summary.n_dates:,} dates, {built.summary.first_date} to"
        f" {built.summary.last_date}, {len(built.summary.characteristics)} characteristics"
    )


if __name__ == "__main__":
    run_flow(characteristics_flow)
