"""The ingest that keeps what it read: data/prices does not depend on what was kept before."""

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from latentbeta.config import DataSettings
from latentbeta.data.snapshots import Ingested, SnapshotStore, ingest_and_keep
from latentbeta.data.snapshots.words import news_in_words, restated_notes
from latentbeta.data.store import ingest
from latentbeta.errors import DataError
from latentbeta.storage import content_hash

SPAN = ("2024-01-02", "2024-03-28")


@pytest.fixture
def keep(settings: DataSettings, tmp_path: Path, today: dt.date, noon):
    """Ingest into tmp_path, as of a date."""

    def ingested(as_of: str | None = None, folder: str = "data") -> Ingested:
        until = dt.date.fromisoformat(as_of) if as_of else None
        at = settings.model_copy(update={"as_of": until})
        out, snapshots = tmp_path / folder / "prices", tmp_path / folder / "snapshots"
        return ingest_and_keep(at, out, snapshots, today=today, now=noon)

    return ingested


def provide(source: Path, prices: pd.DataFrame) -> None:
    prices.to_parquet(source / "prices.parquet", index=False)


def test_each_night_leaves_what_one_ingest_leaves(
    keep, source: Path, settings: DataSettings, tmp_path: Path, today: dt.date, history
) -> None:
    provide(source, history(*SPAN))
    nights = ["2024-02-27", "2024-02-28", "2024-02-29", "2024-03-01", "2024-03-04", None]
    kept = [keep(night) for night in nights]
    assert [k.snapshot.kind for k in kept] == ["first", *["appended"] * 5]
    once = keep(folder="once")
    assert kept[-1].snapshot.parts == once.snapshot.parts
    assert kept[-1].summary == once.summary == ingest(settings, tmp_path / "plain", today)
    hashes = {content_hash(tmp_path / f) for f in ("data/prices", "once/prices", "plain")}
    assert len(hashes) == 1
    read = SnapshotStore(tmp_path / "data/snapshots", source.as_posix()).read
    assert read(known_at=3)["date"].max() == pd.Timestamp("2024-02-29")


def test_an_earlier_night_is_ingested_again(keep, source: Path, tmp_path: Path, history) -> None:
    provide(source, history(*SPAN))
    keep("2024-02-27")
    first = content_hash(tmp_path / "data/prices")
    keep()
    store = content_hash(tmp_path / "data/snapshots")
    again = keep("2024-02-27")
    assert not again.is_new
    assert content_hash(tmp_path / "data/prices") == first
    assert content_hash(tmp_path / "data/snapshots") == store


def test_restated_history_is_told_and_forgotten_by_no_byte_of_prices(
    keep, source: Path, tmp_path: Path, history
) -> None:
    prices = history(*SPAN)
    provide(source, prices)
    keep()
    before, snapshots = content_hash(tmp_path / "data/prices"), tmp_path / "data/snapshots"
    name = source.as_posix()
    assert restated_notes(snapshots, name) == []
    provide(source, prices.assign(split=prices["split"].mask(prices.index == 7, 2.0)))
    restated = keep()
    assert restated.snapshot.kind == "restated"
    assert news_in_words(restated.snapshot, is_new=True) == (
        "snapshot 2: the source restated its history: 1 row changed;"
        " `latentbeta snapshots --diff 2` lists them"
    )
    provide(source, prices)
    assert news_in_words(keep().snapshot, is_new=True).startswith("snapshot 3: the source restated")
    assert content_hash(tmp_path / "data/prices") == before
    assert restated_notes(snapshots, name) == [
        "the source has restated its history 2 times since it was first read,"
        " last in snapshot 3: 1 row changed"
    ]


def test_a_source_that_cannot_be_used_leaves_the_store(
    keep, source: Path, tmp_path: Path, history
) -> None:
    prices = history(*SPAN)
    provide(source, prices)
    keep()
    before = {name: content_hash(tmp_path / "data" / name) for name in ("prices", "snapshots")}
    provide(source, prices.assign(close=prices["close"].mask(prices.index == 3, -1.0)))
    with pytest.raises(DataError, match="must be positive"):
        keep()
    provide(source, prices.assign(date=prices["date"] + pd.Timedelta(days=1)))  # Saturdays
    with pytest.raises(DataError, match="without a session"):
        keep()
    assert before == {n: content_hash(tmp_path / "data" / n) for n in ("prices", "snapshots")}


def test_what_a_killed_replacement_left_is_put_right(
    keep, source: Path, tmp_path: Path, history
) -> None:
    provide(source, history(*SPAN))
    keep()
    out = tmp_path / "data/prices"
    good, listed = content_hash(out), sorted(p.name for p in out.parent.iterdir())
    half = out.with_name(".prices.abcd1234")
    half.mkdir()
    out.replace(out.with_name(".prices.abcd1234.old"))
    (source / "prices.parquet").write_bytes(b"nothing")
    with pytest.raises(DataError):
        keep()
    assert content_hash(out) == good
    assert sorted(p.name for p in out.parent.iterdir()) == listed
