"""Files that were damaged, lost or left half-way, and writers that meet."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from latentbeta.data.snapshots import SnapshotStore
from latentbeta.data.snapshots.parts import PartFiles
from latentbeta.data.snapshots.rows import rows_of, write_rows
from latentbeta.errors import StoreError
from latentbeta.storage import read_json

SPAN = ("2024-01-02", "2024-02-15")
HOLD = """
import sys
from pathlib import Path
from latentbeta.data.snapshots import SnapshotStore
with SnapshotStore(Path(sys.argv[1]), "data/mine").writing():
    print("holding", flush=True)
    sys.stdin.read()
"""


def january(store: SnapshotStore) -> Path:
    (path,) = (store.folder / "parts").glob("2024-01-*.parquet")
    return path


@pytest.fixture
def kept(store: SnapshotStore, history, noon) -> SnapshotStore:
    store.commit(history(*SPAN), fetched_at=noon)
    return store


def flipped(path: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [flipped, cut_short, emptied])
def test_a_damaged_part_is_named(kept: SnapshotStore, damage) -> None:
    path = january(kept)
    damage(path)
    with pytest.raises(StoreError, match=f"{path.name}: .*dvc checkout data/snapshots"):
        kept.read()


@pytest.mark.parametrize("damage", [emptied, Path.unlink])
def test_a_damaged_part_is_named_when_only_its_assets_are_read(kept: SnapshotStore, damage) -> None:
    parts = PartFiles(kept.folder / "parts")
    assert parts.assets(kept.known().parts) == {f"A{i}" for i in range(5)}
    damage(january(kept))
    with pytest.raises(StoreError, match=r"of the store is (missing|damaged)"):
        parts.assets(kept.known().parts)


def test_rows_of_another_part_are_named(kept: SnapshotStore, history) -> None:
    path = january(kept)
    write_rows(rows_of(history("2024-01-02", "2024-01-31", seed=2)), path)
    with pytest.raises(StoreError, match="do not have the hash in its name"):
        kept.read()


def test_a_part_that_was_lost_comes_back_with_the_next_ingest(
    kept: SnapshotStore, history, noon
) -> None:
    path = january(kept)
    former = path.read_bytes()
    path.unlink()
    with pytest.raises(StoreError, match="missing"):
        kept.read()
    _, is_new = kept.commit(history(*SPAN), fetched_at=noon)
    assert not is_new
    assert path.read_bytes() == former


@pytest.mark.parametrize(
    ("key", "value"), [("content", "0" * 64), ("parts", ["2024-01 x"]), ("rows", None)]
)
def test_a_damaged_manifest_is_named(kept: SnapshotStore, key: str, value) -> None:
    path = kept.folder / "000001.json"
    document = read_json(path) | {key: value}
    if value is None:
        del document[key]
    path.write_text(json.dumps(document))
    with pytest.raises(StoreError, match=r"000001\.json: "):
        kept.read()


def test_what_a_killed_writer_left_is_taken_away(kept: SnapshotStore, history, noon) -> None:
    before = sorted(kept.folder.rglob("*"))
    for leftover in (
        ".000002.json.abcd1234",
        "parts/.2024-03-0123456789abcdef.parquet.abcd1234",
        "changes/000002.csv",
    ):
        path = kept.folder / leftover
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half a fi")
    kept.commit(history(*SPAN), fetched_at=noon)
    assert [path for path in sorted(kept.folder.rglob("*")) if path.name != "changes"] == before


def test_only_one_process_writes(kept: SnapshotStore, history, noon) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(kept.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "holding\n"
        with pytest.raises(StoreError, match="another process is writing"):
            kept.commit(history("2024-01-02", "2024-02-16"), fetched_at=noon)
        assert len(kept.read()) == len(history(*SPAN))  # reading goes on
        other.kill()
        other.wait()
    _, is_new = kept.commit(history("2024-01-02", "2024-02-16"), fetched_at=noon)
    assert is_new
