"""Stage simulate: the settings → data/simulated."""

from __future__ import annotations

from prefect import flow

from flows import PROJECT
from flows.api import run_flow
from latentbeta.config import read_settings
from latentbeta.simulation.simulate import simulate


@flow(name="simulate")
def simulate_flow() -> None:
    """Let the embedded market trade, and write its prices and its truth."""
    settings = read_settings(PROJECT / "params.yaml")
    simulate(
        settings.simulation,
        rebalancing=settings.rebalancing,
        calendar=settings.data.calendar,
        seed=settings.seed,
        as_of=settings.data.as_of,
        out=PROJECT / "data" / "simulated",
    )


if __name__ == "__main__":
    run_flow(simulate_flow)
