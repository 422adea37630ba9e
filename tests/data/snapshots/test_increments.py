"""However the history came in pieces, the head is the same; against a dictionary of rows."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from latentbeta.data.snapshots import Changes, SnapshotStore
from latentbeta.data.snapshots.rows import VALUES
from latentbeta.storage import content_hash

QUICK = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FIRST, LAST = "2024-01-18", "2024-02-09"
DAYS = [day.date() for day in pd.date_range(FIRST, LAST)]


def part_files(store: SnapshotStore) -> dict[str, str]:
    """Hashes of the files that the head consists of."""
    head = store.head()
    assert head is not None
    files = [store.folder / "parts" / part.file for part in head.parts]
    return {file.name: content_hash(file) for file in files}


def between(prices: pd.DataFrame, since: dt.date | None, until: dt.date | None) -> pd.DataFrame:
    days = prices["date"].dt.date
    kept = np.ones(len(prices), bool)
    if since:
        kept &= days >= since
    if until:
        kept &= days <= until
    return prices[kept].reset_index(drop=True)


@QUICK
@given(cuts=st.sets(st.sampled_from(DAYS[:-1]), max_size=12), whole=st.booleans())
def test_any_cuts_give_the_head_of_all_at_once(
    tmp_path_factory, history, noon, cuts: set[dt.date], whole: bool
) -> None:
    folder: Path = tmp_path_factory.mktemp("cuts")
    prices = history(FIRST, LAST)
    once = SnapshotStore(folder / "once", "mine")
    once.commit(prices, fetched_at=noon)
    pieces = SnapshotStore(folder / "pieces", "mine")
    since = None
    for until in [*sorted(cuts), None]:
        delivered = between(prices, None if whole else since, until)
        if len(delivered):
            snapshot, _ = pieces.commit(
                delivered, since=None if whole else since, until=until, fetched_at=noon
            )
        since = until + dt.timedelta(days=1) if until else None
    assert part_files(pieces) == part_files(once)
    head = once.head()
    assert head is not None
    for name in ("rows", "assets", "first_date", "last_date", "content", "parts", "restated_in"):
        assert getattr(snapshot, name) == getattr(head, name), name
    assert snapshot.kind in ("first", "appended")
    pd.testing.assert_frame_equal(pieces.read(), prices)


def rows_by_key(prices: pd.DataFrame) -> dict[tuple[dt.date, str], tuple[float | None, ...]]:
    """The plain form: what is known of each date and asset, None where the cell is empty."""
    values = prices[list(VALUES)].astype(object).where(prices[list(VALUES)].notna(), None)
    keys = zip(prices["date"].dt.date, prices["asset"].astype(str), strict=True)
    return dict(zip(keys, values.itertuples(index=False, name=None), strict=True))


deliveries = st.lists(
    st.tuples(
        st.none() | st.sampled_from(DAYS),
        st.none() | st.sampled_from(DAYS),
        st.integers(0, 3),  # which version of history it comes from
        st.sampled_from(["A0", "A1", "A9"]),  # an asset that it lacks, or none
    ),
    min_size=1,
    max_size=6,
)


@QUICK
@given(deliveries=deliveries)
def test_any_deliveries_are_what_a_dictionary_says(
    tmp_path_factory, history, noon, deliveries
) -> None:
    store = SnapshotStore(tmp_path_factory.mktemp("any") / "snapshots", "mine")
    versions = [history(FIRST, LAST, n_assets=n) for n in (2, 3, 4)]
    versions.append(
        versions[2].assign(volume=versions[2]["volume"].mask(versions[2].index % 97 == 0))
    )
    known: dict[tuple[dt.date, str], tuple[float | None, ...]] = {}
    stages = []
    for since, until, version, without in deliveries:
        rows = between(versions[version], since, until)
        rows = rows[rows["asset"] != without]
        if rows.empty:
            continue
        before, given_now = known, rows_by_key(rows)
        outside = {
            key: row
            for key, row in before.items()
            if (since and key[0] < since) or (until and key[0] > until)
        }
        known = outside | given_now
        snapshot, is_new = store.commit(rows, since=since, until=until, fetched_at=noon)
        assert is_new == (known != before)
        last = max((day for day, _ in before), default=dt.date.min)
        fresh = [day for day, asset in known.keys() - before.keys()]
        expected = Changes(
            new=sum(day > last for day in fresh),
            added=sum(day <= last for day in fresh),
            removed=len(before.keys() - known.keys()),
            changed=sum(known[key] != before[key] for key in known.keys() & before.keys()),
        )
        if is_new:
            assert snapshot.changes == expected
            assert (snapshot.kind in ("restated", "replaced")) == expected.restate
            stages.append((snapshot.number, known))
        assert snapshot.rows == len(known)
        assert snapshot.assets == len({asset for _, asset in known})
        assert snapshot.first_date == str(min(day for day, _ in known))
        assert snapshot.last_date == str(max(day for day, _ in known))
    for number, rows in stages:  # none of the later ones changed it
        assert rows_by_key(store.read(known_at=number)) == rows
        lines = store.changes(number)
        assert set(lines["what"]) <= {"changed", "removed", "added"}
