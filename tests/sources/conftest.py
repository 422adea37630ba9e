import datetime as dt
from pathlib import Path

import pytest

from latentbeta.config import read_settings
from latentbeta.sources.fetch import Places

NOW = dt.datetime(2024, 3, 1, 23, 0, tzinfo=dt.UTC)
QUICK = {
    "threads": 4,
    "per_second": 2_000.0,
    "timeout": 2.0,
    "attempts": 4,
    "first_wait": 0.01,
    "longest_wait": 5.0,
}


@pytest.fixture
def now():
    return NOW


@pytest.fixture
def places(tmp_path):
    return Places(tmp_path / "fetched", tmp_path / "downloads", tmp_path / "cache")


@pytest.fixture
def settings():
    """Settings of the project, with sections fetch, requests and data changed by keyword."""
    base = read_settings(Path(__file__).parents[2] / "params.yaml")

    def changed(requests=None, data=None, **fetch):
        asked = base.fetch.requests.model_copy(update=QUICK | (requests or {}))
        fetch = {"prices": "yahoo", "start": dt.date(2024, 1, 2), "requests": asked} | fetch
        return base.model_copy(
            update={
                "fetch": base.fetch.model_copy(update=fetch),
                "data": base.data.model_copy(update=data or {}),
            }
        )

    return changed
