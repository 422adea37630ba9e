"""Real prices, day by day from 2019 on, against all at once: the same bytes."""

import datetime as dt
import time
from pathlib import Path

import numpy as np
import pytest

from latentbeta.config import read_settings
from latentbeta.data.snapshots import SnapshotStore
from latentbeta.data.store import derived, read_source, write_prices
from latentbeta.storage import content_hash

SHARED = Path(__file__).parents[4] / "shared" / "data" / "sp500_daily"
BEGIN = np.datetime64("2019-01-01")
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
SECONDS = 1.0  # of processor time for the median day, a loaded machine's included


@pytest.mark.slow
@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.is_dir(), reason="shared/data/sp500_daily is not beside this")
def test_daily_increments_are_all_at_once(tmp_path: Path) -> None:
    settings = read_settings(Path(__file__).parents[3] / "params.yaml").data
    settings = settings.model_copy(update={"path": SHARED, "universe": "survivors"})
    files, raw = read_source(settings, NOW.date())
    once = SnapshotStore(tmp_path / "once", "sp500")
    whole, _ = once.commit(raw, fetched_at=NOW)

    daily = SnapshotStore(tmp_path / "daily", "sp500")
    earlier = raw[raw["date"] < BEGIN]
    daily.commit(earlier, until=dt.date(2018, 12, 31), fetched_at=NOW)
    seconds = []
    for day, rows in raw[raw["date"] >= BEGIN].groupby("date"):
        started = time.process_time()
        date = day.date()
        snapshot, is_new = daily.commit(rows, since=date, until=date, fetched_at=NOW)
        seconds.append(time.process_time() - started)
        assert (is_new, snapshot.kind) == (True, "appended")
    assert len(seconds) > 500
    assert np.median(seconds) < SECONDS

    assert snapshot.parts == whole.parts
    assert (snapshot.rows, snapshot.assets, snapshot.content) == (
        *(len(raw), whole.assets),
        whole.content,
    )
    for part in whole.parts:
        one, other = (store.folder / "parts" / part.file for store in (once, daily))
        assert one.read_bytes() == other.read_bytes()
    write_prices(derived(settings, files, raw), tmp_path / "prices")
    write_prices(derived(settings, files, daily.read()), tmp_path / "prices_daily")
    assert content_hash(tmp_path / "prices_daily") == content_hash(tmp_path / "prices")
    assert len(daily.read(known_at=1)) == len(earlier)
