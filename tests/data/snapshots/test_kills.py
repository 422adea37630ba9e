"""kill -9 at random moments of an ingest: nothing is lost, and the next one ends the same."""

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from latentbeta.data.snapshots import SnapshotStore
from latentbeta.storage import content_hash

Ingest = Callable[..., dict[str, Any]]
MOMENTS = ("start", "commit", "kept")  # most of the kills fall while files are being written
HARNESS = Path(__file__).with_name("ingesting.py")


@pytest.fixture(scope="module")
def ingest() -> Iterator[Ingest]:
    """Give a function that ingests in a process of its own, killed after a delay."""
    with subprocess.Popen(
        [sys.executable, str(HARNESS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def started(
            source: Path, project: Path, delay: float | None = None, after: str = "start"
        ) -> dict[str, Any]:
            assert process.stdin is not None
            assert process.stdout is not None
            order = {"source": str(source), "project": str(project)}
            process.stdin.write(json.dumps(order | {"delay": delay, "after": after}) + "\n")
            process.stdin.flush()
            answer: dict[str, Any] = json.loads(process.stdout.readline())
            return answer

        yield started
        assert process.stdin is not None
        process.stdin.close()


def content(project: Path) -> dict[str, str]:
    """Hash of every file that there is, but the lock."""
    files = (path for path in sorted((project / "data").rglob("*")) if path.is_file())
    found = {str(path.relative_to(project)): content_hash(path) for path in files}
    found.pop("data/.snapshots.lock", None)
    return found


def prices_of(content: dict[str, str]) -> dict[str, str]:
    return {path: digest for path, digest in content.items() if path.startswith("data/prices/")}


def kill_often(
    ingest: Ingest, tmp_path: Path, history: Callable[..., pd.DataFrame], n_kills: int
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    earlier = history("2023-03-01", "2023-12-15", n_assets=20)
    later = history("2023-03-01", "2024-01-10", n_assets=20, seed=2)
    known = later["date"] <= earlier["date"].max()
    later = pd.concat([earlier[earlier.index % 300 != 0], later[~known]])  # new days, rows gone
    whole = tmp_path / "whole"
    earlier.to_parquet(source / "prices.parquet", index=False)
    assert ingest(source, whole)["status"] == 0
    shutil.copytree(whole, tmp_path / "before")
    later.to_parquet(source / "prices.parquet", index=False)
    assert ingest(source, whole)["status"] == 0
    before, after = content(tmp_path / "before"), content(whole)
    assert prices_of(before) != prices_of(after)
    seconds = {}
    for moment in MOMENTS:
        shutil.copytree(tmp_path / "before", tmp_path / moment)
        seconds[moment] = ingest(source, tmp_path / moment, after=moment)["seconds"]
        assert content(tmp_path / moment) == after
    rows = {number: len(frame) for number, frame in ((1, earlier), (2, later))}
    chance, killed, committed = random.Random(7), 0, 0
    for attempt in range(4 * n_kills):
        project = tmp_path / f"killed{attempt}"
        shutil.copytree(tmp_path / "before", project)
        moment = MOMENTS[attempt % len(MOMENTS)]
        delay = chance.uniform(0, seconds[moment])
        if ingest(source, project, delay, moment)["status"] == 0:
            shutil.rmtree(project)
            continue  # it was faster
        killed += 1
        left = content(project)
        assert before.items() - prices_of(before).items() <= left.items()
        store = SnapshotStore(project / "data/snapshots", source.as_posix())
        head = store.head()
        assert head is not None
        committed += head.number == 2
        assert len(store.read()) == rows[head.number]
        assert len(store.read(known_at=1)) == rows[1]
        # Between the two steps of a replacement the old folder lies beside its place.
        assert prices_of(left) in (prices_of(before), prices_of(after), {})
        assert ingest(source, project)["status"] == 0
        assert content(project) == after
        shutil.rmtree(project)
        if killed == n_kills:
            break
    assert killed == n_kills
    if n_kills >= 50:  # so many fall on both sides of the moment at which the snapshot exists
        assert 0 < committed < killed


def test_five_kills(ingest, tmp_path: Path, history) -> None:
    kill_often(ingest, tmp_path, history, 5)


@pytest.mark.slow
def test_fifty_kills(ingest, tmp_path: Path, history) -> None:
    kill_often(ingest, tmp_path, history, 50)
