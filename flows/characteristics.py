"""Stage characteristics: what ingest stored → data/panel."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from prefect import flow

from flows import PROJECT
from flows.api import run_flow
from latentbeta.characteristics.own import load_own
from latentbeta.config import Settings, read_settings
from latentbeta.data.fundamentals import load_fundamentals
from latentbeta.data.given import load_given
from latentbeta.data.market_files import open_market
from latentbeta.data.membership import load_membership
from latentbeta.data.store import load_factors
from latentbeta.panel import BuiltPanel, build_given_panel, build_panel, write_panel
from latentbeta.progress import say

PRICES, OWN = PROJECT / "data" / "prices", PROJECT / "characteristics"


@flow(name="characteristics")
def characteristics_flow() -> None:
    """Build the panel from prices or from what the user gave, and write its folder."""
    settings = read_settings(PROJECT / "params.yaml")
    built = (from_panel if settings.data.kind == "panel" else from_prices)(settings)
    write_panel(built, PROJECT / "data" / "panel")
    for name, reason in built.summary.left_out.items():
        say(f"left out {name}: {reason}")
    say(
        f"panel: {built.summary.n_rows:,} rows of {built.summary.n_assets:,} assets on"
        f" {built.summary.n_dates:,} dates, {built.summary.first_date} to"
        f" {built.summary.last_date}, {len(built.summary.characteristics)} characteristics"
    )


def from_prices(settings: Settings) -> BuiltPanel:
    """Compute the characteristics of daily prices."""
    assets = pd.read_parquet(PRICES / "assets.parquet", columns=["delisted"])
    market = open_market(PRICES)
    accounts = load_fundamentals(PRICES, market.assets, settings.data.fundamentals)
    return build_panel(
        replace(market, fundamentals=accounts),
        rebalancing=settings.rebalancing,
        calendar=settings.data.calendar,
        settings=settings.characteristics,
        delisted=assets["delisted"].to_numpy(dtype="datetime64[us]"),
        spells=load_membership(PRICES),
        factors=load_factors(PRICES),
        own=load_own(OWN),
    )


def from_panel(settings: Settings) -> BuiltPanel:
    """Lag and rank the characteristics that came with the returns."""
    return build_given_panel(
        load_given(PRICES),
        rebalancing=settings.rebalancing,
        calendar=settings.data.calendar,
        settings=settings.data.panel,
        minimum_coverage=settings.characteristics.minimum_coverage,
        factors=load_factors(PRICES),
    )


if __name__ == "__main__":
    run_flow(characteristics_flow)
