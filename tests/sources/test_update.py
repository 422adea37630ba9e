"""What is asked for on the second night, and what becomes of the answer."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from latentbeta.errors import AbsentError, DataError, SourceError
from latentbeta.sources.downloads import Downloads, no_rows
from latentbeta.sources.protocol import COLUMNS
from latentbeta.sources.update import Wanted, is_finished, updated

DAYS = pd.bdate_range("2024-01-02", periods=40)
START = DAYS[0].date()


class Archive:
    """A source that is a table; it notes what it is asked for."""

    name = "archive"

    def __init__(self, rows, error=None):
        self.rows, self.error, self.asked = rows, error, []

    def attempts(self):
        return len(self.asked)

    def fetch(self, asset, start, end):
        self.asked.append((start, end))
        if self.error:
            raise self.error
        dates = self.rows["date"]
        kept = (dates >= pd.Timestamp(start)) & (dates <= pd.Timestamp(end))
        return self.rows[kept].reset_index(drop=True)


def table():
    rows = pd.DataFrame(dict.fromkeys(COLUMNS[1:], 0.0), index=range(len(DAYS)))
    rows.insert(0, "date", DAYS.to_numpy().astype("datetime64[us]"))
    prices = ["open", "high", "low", "close"]
    close = np.round(np.linspace(20, 30, len(DAYS)), 2)
    return rows.assign(**dict.fromkeys(prices, close), volume=1_000.0, split=1.0)


def wanted(end, start=START):
    return Wanted(start, DAYS[end].date(), overlap=5)


def night(source, held, end):
    return updated(source, "AAA", held, wanted(end))


def test_the_second_night_asks_for_the_days_since_with_some_overlap():
    source = Archive(table())
    first = night(source, None, 19)
    second = night(source, first, 22)
    assert source.asked == [
        (START, DAYS[19].date()),
        (DAYS[19].date() - dt.timedelta(days=5), DAYS[22].date()),
    ]
    pd.testing.assert_frame_equal(second.rows, table()[:23])
    assert second.record.attempts == 1
    assert (second.record.start, second.record.through) == ("2024-01-02", f"{DAYS[22]:%Y-%m-%d}")


@pytest.mark.parametrize(("column", "factor"), [("close", 1.01), ("split", 2.0), ("low", 0.5)])
def test_a_correction_in_the_overlap_brings_the_whole_history_anew(column, factor):
    first = night(Archive(table()), None, 19)
    corrected = table()
    corrected.loc[corrected.index[:19], column] *= factor
    source = Archive(corrected)
    second = night(source, first, 22)
    assert [start for start, _ in source.asked] == [
        DAYS[19].date() - dt.timedelta(days=5),
        START,
    ]
    assert second.record.attempts == 2
    pd.testing.assert_frame_equal(second.rows, corrected[:23])


def test_rounding_and_volumes_in_the_overlap_bring_no_history():
    first = night(Archive(table()), None, 19)
    moved = table().assign(close=lambda t: t["close"] * (1 + 1e-7), volume=1_010.0)
    source = Archive(moved)
    second = night(source, first, 22)
    assert len(source.asked) == 1
    old = second.rows[:20]
    pd.testing.assert_series_equal(old["close"], table()["close"][:20])  # as it was stored
    since = np.datetime64(DAYS[19].date() - dt.timedelta(days=5))
    assert (second.rows["volume"] == np.where(second.rows["date"] >= since, 1_010, 1_000)).all()


def test_a_day_that_is_gone_from_the_overlap_is_a_correction():
    first = night(Archive(table()), None, 19)
    source = Archive(table().drop(index=18).reset_index(drop=True))
    assert len(night(source, first, 22).rows) == 22
    assert len(source.asked) == 2


def test_a_history_that_shrank_is_not_believed():
    first = night(Archive(table()), None, 39)
    source = Archive(table()[30:].assign(close=99.0))
    second = night(source, first, 39)
    assert second.record.status == "failed"
    assert "shrank from 40 to 10 rows" in second.record.error
    pd.testing.assert_frame_equal(second.rows, first.rows)


def test_an_earlier_start_brings_the_whole_history():
    first = updated(Archive(table()), "AAA", None, wanted(39, start=DAYS[10].date()))
    assert len(first.rows) == 30
    source = Archive(table())
    second = night(source, first, 39)
    assert source.asked == [(START, DAYS[39].date())]
    assert len(second.rows) == 40


@pytest.mark.parametrize(
    ("error", "status", "asked_again"),
    [(SourceError("500"), "failed", True), (AbsentError("gone"), "absent", False)],
)
def test_what_was_there_is_kept_when_no_more_comes(error, status, asked_again):
    first = night(Archive(table()), None, 19)
    second = night(Archive(table(), error), first, 22)
    pd.testing.assert_frame_equal(second.rows, first.rows)
    assert second.record.status == status
    assert second.record.error == str(error)
    assert second.record.rows == 20
    assert is_finished(second.record, wanted(25)) is not asked_again
    third = night(Archive(table()), second, 22)
    assert len(third.rows) == 23
    assert third.record.status == "fetched"


def test_an_asset_without_a_row_yet_is_asked_for_again_on_a_later_night():
    done = night(Archive(no_rows()), None, 5)
    assert (done.record.status, done.record.rows) == ("fetched", 0)
    assert is_finished(done.record, wanted(5))
    assert not is_finished(done.record, wanted(6))


def test_a_stored_asset_comes_back_as_it_was(tmp_path):
    store = Downloads(tmp_path)
    done = night(Archive(table()), None, 19)
    store.save(done)
    found = store.load("AAA")
    pd.testing.assert_frame_equal(found.rows, done.rows)
    assert found.record == done.record
    assert store.load("BBB") is None


@pytest.mark.parametrize("name", ["BRK/B", "^GSPC", "..", "A B", "ÄÖ", "con.txt"])
def test_any_name_is_stored_inside_the_folder(tmp_path, name):
    store = Downloads(tmp_path / "store")
    store.save(updated(Archive(table()), name, None, wanted(5)))
    (file,) = store.folder.iterdir()
    assert store.record(name).asset == name
    assert store.path(name) == file


def test_a_stored_file_that_is_damaged_is_named(tmp_path):
    store = Downloads(tmp_path)
    store.save(night(Archive(table()), None, 19))
    content = store.path("AAA").read_bytes()
    store.path("AAA").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"AAA\.parquet: cannot be read .*delete it"):
        store.load("AAA")
