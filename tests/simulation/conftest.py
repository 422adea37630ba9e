import datetime as dt
from pathlib import Path

import pytest

from latentbeta.config import SimulationSettings, read_settings
from latentbeta.data.store import ingest
from latentbeta.simulation.simulate import simulate

PROJECT = Path(__file__).parents[2]
SEED = 7


@pytest.fixture(scope="session")
def small_market() -> SimulationSettings:
    """Two and a half years of 60 slots, with more gaps than usual."""
    return SimulationSettings(
        n_assets=60,
        n_sectors=4,
        start=dt.date(2010, 1, 4),
        end=dt.date(2012, 6, 20),
        idiosyncratic_volatility=0.018,
        gap_rate=0.01,
    )


@pytest.fixture(scope="session")
def small_source(
    small_market: SimulationSettings, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("small") / "simulated"
    simulate(
        small_market, rebalancing="monthly", calendar="XNYS", seed=SEED, as_of=None, out=folder
    )
    return folder


@pytest.fixture(scope="session")
def small_prices(small_source: Path) -> Path:
    """The small market after the very ingest that a user's files go through."""
    settings = read_settings(PROJECT / "params.yaml").data
    folder = small_source.parent / "prices"
    ingest(settings.model_copy(update={"path": small_source}), folder, dt.date(2026, 1, 1))
    return folder
