"""What each kind of commit writes, and what can be read back."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latentbeta.data.snapshots import Changes, SnapshotStore
from latentbeta.errors import DataError, StoreError
from latentbeta.storage import read_json

JANUARY = [("A", "2024-01-30", 10.0), ("A", "2024-01-31", 11.0), ("B", "2024-01-31", 20.0)]
FEBRUARY = [("A", "2024-02-01", 12.0), ("B", "2024-02-01", 21.0)]


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file with its time and its bytes."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def parts(store: SnapshotStore) -> list[str]:
    return sorted(path.name[:-25] for path in (store.folder / "parts").iterdir())


def closes(frame: pd.DataFrame) -> list[tuple[str, str, float]]:
    days = frame["date"].dt.strftime("%Y-%m-%d")
    return list(zip(frame["asset"].astype(str), days, frame["close"], strict=True))


def test_the_first_one(store: SnapshotStore, table, noon) -> None:
    snapshot, is_new = store.commit(table(*JANUARY, *FEBRUARY), fetched_at=noon)
    assert is_new
    assert (snapshot.number, snapshot.parent, snapshot.kind) == (1, None, "first")
    assert (snapshot.rows, snapshot.assets) == (5, 2)
    assert (snapshot.first_date, snapshot.last_date) == ("2024-01-30", "2024-02-01")
    assert [part.period for part in snapshot.parts] == ["2024-01", "2024-02-01"]
    assert [part.rows for part in snapshot.parts] == [3, 2]
    assert snapshot.changes == Changes(new=5)
    assert snapshot.restated_in == ()
    manifest = read_json(store.folder / "000001.json")
    assert (manifest["source"], manifest["as_of"]) == ("data/mine", None)
    assert manifest["fetched_at"] == "2024-06-03T12:00:00+00:00"
    assert sorted(path.name for path in store.folder.iterdir()) == ["000001.json", "parts"]
    assert store.head() == snapshot


def test_nothing_new_changes_no_byte(store: SnapshotStore, table, noon) -> None:
    prices = table(*JANUARY, *FEBRUARY)
    first, _ = store.commit(prices, fetched_at=noon)
    before = state(store.root)
    again, is_new = store.commit(prices.iloc[::-1], fetched_at=noon + dt.timedelta(days=1))
    assert (again, is_new) == (first, False)
    assert state(store.root) == before


def test_new_days_append(store: SnapshotStore, table, noon) -> None:
    store.commit(table(*JANUARY), fetched_at=noon)
    before = state(store.root)
    assert parts(store) == ["2024-01-30", "2024-01-31"]
    second, is_new = store.commit(table(*JANUARY, *FEBRUARY), fetched_at=noon)
    assert (is_new, second.kind, second.parent) == (True, "appended", 1)
    assert second.changes == Changes(new=2)
    assert parts(store) == ["2024-01", "2024-01-30", "2024-01-31", "2024-02-01"]
    assert before.items() <= state(store.root).items()
    assert closes(store.read(known_at=1)) == JANUARY
    assert len(store.read()) == 5


@pytest.mark.parametrize(
    ("now", "changes", "lines"),
    [
        (
            [("A", "2024-01-30", 10.5), *JANUARY[1:], *FEBRUARY],
            Changes(changed=1),
            [
                "changed,2024-01-30,A,open,10.0,10.5",
                "changed,2024-01-30,A,high,11.0,11.5",
                "changed,2024-01-30,A,low,9.0,9.5",
                "changed,2024-01-30,A,close,10.0,10.5",
            ],
        ),
        (
            [*JANUARY[:2], *FEBRUARY],
            Changes(removed=1),
            ["removed,2024-01-31,B,,,"],
        ),
        (
            [*JANUARY, ("C", "2024-01-31", 5.0), *FEBRUARY],
            Changes(added=1),
            ["added,2024-01-31,C,,,"],
        ),
        (
            [("A", "2023-12-29", 9.0), *JANUARY, *FEBRUARY],
            Changes(added=1),
            ["added,2023-12-29,A,,,"],
        ),
        (
            [*JANUARY, *FEBRUARY, ("C", "2024-02-01", 5.0)],
            Changes(added=1),
            ["added,2024-02-01,C,,,"],
        ),
        (
            [*JANUARY[:2], *FEBRUARY, ("C", "2024-01-30", 5.0), ("A", "2024-02-02", 13.0)],
            Changes(new=1, removed=1, added=1),
            ["added,2024-01-30,C,,,", "removed,2024-01-31,B,,,"],
        ),
    ],
    ids=["changed", "vanished", "another asset", "earlier", "last day", "several"],
)
def test_restated_history_is_a_new_snapshot_with_a_list(
    store: SnapshotStore, table, noon, now, changes: Changes, lines: list[str]
) -> None:
    store.commit(table(*JANUARY, *FEBRUARY), fetched_at=noon)
    before = state(store.root)
    second, _ = store.commit(table(*now), fetched_at=noon)
    assert (second.kind, second.changes, second.restated_in) == ("restated", changes, (2,))
    assert before.items() <= state(store.root).items()
    written = store.changes_file(2).read_text().splitlines()
    assert written == ["what,date,asset,column,before,after", *lines]
    again = store.changes(2)
    assert again["date"].dt.strftime("%Y-%m-%d").tolist() == [row.split(",")[1] for row in lines]
    assert closes(store.read(known_at=1)) == sorted([*JANUARY, *FEBRUARY])
    assert closes(store.read()) == sorted(now)


def test_an_empty_cell_that_is_filled_is_a_change(store: SnapshotStore, table, noon) -> None:
    rows = [*JANUARY, *FEBRUARY]
    for shares in ([1.0, np.nan, 3.0, np.nan, 5.0], [np.nan, 2.0, 3.0, np.nan, 5.0]):
        store.commit(table(*rows, shares=shares), fetched_at=noon)
    assert store.changes_file(2).read_text().splitlines()[1:] == [
        "changed,2024-01-30,A,shares,1.0,",
        "changed,2024-01-31,A,shares,,2.0",
    ]


def test_days_after_restated_ones_remember_it(store: SnapshotStore, table, noon) -> None:
    store.commit(table(*JANUARY), fetched_at=noon)
    store.commit(table(*JANUARY[1:]), fetched_at=noon)
    third, _ = store.commit(table(*JANUARY[1:], *FEBRUARY), fetched_at=noon)
    assert (third.kind, third.restated_in) == ("appended", (2,))
    assert store.changes(3).empty
    assert not store.changes_file(3).exists()


def test_other_data_are_no_list_of_changes(store: SnapshotStore, table, noon) -> None:
    store.commit(table(*JANUARY), fetched_at=noon)
    store.commit(table(*JANUARY[1:]), fetched_at=noon)
    other = table(*((asset, day, close + 1) for asset, day, close in JANUARY))
    third, _ = store.commit(other, fetched_at=noon)
    assert (third.kind, third.restated_in) == ("replaced", ())
    assert third.changes == Changes(changed=2, added=1)
    assert not store.changes_file(3).exists()
    assert len(store.changes(3)) == 2 * 4 + 1


def test_what_was_undone_has_its_first_content(store: SnapshotStore, table, noon) -> None:
    first, _ = store.commit(table(*JANUARY, *FEBRUARY), fetched_at=noon)
    store.commit(table(*JANUARY[1:], *FEBRUARY), fetched_at=noon)
    third, _ = store.commit(table(*JANUARY, *FEBRUARY), fetched_at=noon)
    assert third.kind == "restated"
    assert (third.parts, third.content) == (first.parts, first.content)


def test_newest_days_that_vanish(store: SnapshotStore, table, noon) -> None:
    store.commit(table(*JANUARY, *FEBRUARY), fetched_at=noon)
    second, _ = store.commit(table(*JANUARY), fetched_at=noon)
    assert (second.kind, second.changes) == ("restated", Changes(removed=2))
    assert second.last_date == "2024-01-31"
    assert [part.period for part in second.parts] == ["2024-01-30", "2024-01-31"]


def test_an_earlier_last_date_leaves_what_came_after_it(store: SnapshotStore, table, noon) -> None:
    first, _ = store.commit(table(*JANUARY, *FEBRUARY), fetched_at=noon)
    until = dt.date(2024, 1, 30)
    before = state(store.root)
    same, is_new = store.commit(table(JANUARY[0]), until=until, fetched_at=noon)
    assert (same, is_new) == (first, False)
    assert state(store.root) == before
    changed = ("A", "2024-01-30", 10.5)
    second, _ = store.commit(table(changed), until=until, fetched_at=noon)
    assert (second.kind, second.changes, second.as_of) == (
        *("restated", Changes(changed=1)),
        "2024-01-30",
    )
    assert closes(store.read()) == sorted([changed, *JANUARY[1:], *FEBRUARY])
    assert closes(store.read(until)) == [changed]
    assert closes(store.read(until, known_at=1)) == JANUARY[:1]


def test_a_delivery_speaks_of_its_days_alone(store: SnapshotStore, table, noon) -> None:
    store.commit(table(*JANUARY), fetched_at=noon)
    day = dt.date(2024, 2, 1)
    second, _ = store.commit(table(*FEBRUARY), since=day, until=day, fetched_at=noon)
    assert (second.kind, second.changes, second.rows) == ("appended", Changes(new=2), 5)
    fewer = table(FEBRUARY[0], ("C", "2024-02-01", 3.0))
    third, _ = store.commit(fewer, since=day, until=day, fetched_at=noon)
    assert (third.kind, third.changes) == ("restated", Changes(removed=1, added=1))
    assert third.assets == 3
    assert closes(store.read()) == sorted([*JANUARY, FEBRUARY[0], ("C", "2024-02-01", 3.0)])


def test_rows_outside_the_days_are_refused(store: SnapshotStore, table, noon) -> None:
    day = dt.date(2024, 1, 31)
    for outside in ({"since": day}, {"until": dt.date(2024, 1, 30)}):
        with pytest.raises(DataError, match="rows from"):
            store.commit(table(*JANUARY), **outside, fetched_at=noon)
    with pytest.raises(DataError, match="rows from"):
        store.commit(table(*JANUARY).head(0), fetched_at=noon)
    assert store.head() is None


def test_each_source_has_a_history_of_its_own(store: SnapshotStore, table, noon) -> None:
    other = SnapshotStore(store.root, "elsewhere/mine")
    assert other.folder != store.folder
    assert other.folder.name.startswith("mine-")
    store.commit(table(*JANUARY), fetched_at=noon)
    snapshot, _ = other.commit(table(*FEBRUARY), fetched_at=noon)
    assert (snapshot.number, snapshot.kind) == (1, "first")


def test_history_is_read_as_it_was_known_on_a_day(store: SnapshotStore, table, noon) -> None:
    store.commit(table(*JANUARY), fetched_at=noon)
    store.commit(table(*JANUARY, *FEBRUARY), fetched_at=noon + dt.timedelta(days=2))
    day = noon.date()
    assert len(store.read(known_at=day)) == 3
    assert len(store.read(known_at=day + dt.timedelta(days=1))) == 3
    assert len(store.read(known_at=day + dt.timedelta(days=2))) == 5
    with pytest.raises(StoreError, match="no snapshot of data/mine made up to 2024-06-02"):
        store.read(known_at=day - dt.timedelta(days=1))
    with pytest.raises(StoreError, match="there is no such snapshot"):
        store.read(known_at=3)
    with pytest.raises(DataError, match="no price is dated 2024-01-29"):
        store.read(dt.date(2024, 1, 29))


def test_assets_are_counted_over_the_whole_history(store: SnapshotStore, table, noon) -> None:
    old = [("Z", "2020-03-02", 1.0), ("A", "2024-01-31", 2.0)]
    store.commit(table(*old), fetched_at=noon)
    day = dt.date(2024, 2, 1)
    for assets, count in (("A", 2), ("Z", 2), ("N", 3)):
        piece = table((assets, str(day), 3.0))
        snapshot, _ = store.commit(piece, since=day, until=day, fetched_at=noon)
        assert snapshot.assets == count
        day += dt.timedelta(days=1)
    assert len(store.snapshots()) == 4
