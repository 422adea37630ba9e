"""Ingests that can be killed: a process that has imported everything forks one for each line.

A line is JSON: source, project (a folder), delay (seconds, or null), after (start, commit or
kept). The fork ingests, and is killed with SIGKILL that long after its start, after it has read its
rows and is about to keep them, or after it has kept them. The answer is JSON: status (as
`Popen.returncode`), seconds from there.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import select
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from latentbeta.config import read_settings
from latentbeta.data.snapshots import SnapshotStore, ingest_and_keep

TODAY = dt.date(2026, 1, 1)
MOMENTS = ("start", "commit", "kept")
MOMENT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


DEFAULT = read_settings(Path(__file__).parents[3] / "params.yaml").data


def ingest_into(source: Path, project: Path) -> None:
    """Ingest as the stage does, always at one moment."""
    prices, snapshots = project / "data/prices", project / "data/snapshots"
    settings = DEFAULT.model_copy(update={"path": source})
    ingest_and_keep(settings, prices, snapshots, today=TODAY, now=MOMENT)


def main() -> None:
    """Answer each line."""
    from latentbeta.data.calendar import sessions

    sessions("XNYS", dt.date(2019, 1, 2), dt.date(2024, 1, 31))  # its calendar takes seconds
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(**json.loads(line))) + "\n")
        sys.stdout.flush()


def answer(source: str, project: str, delay: float | None, after: str) -> dict[str, Any]:
    """Fork, wait, kill."""
    begun, announced = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            announce_commits(announced)
            ingest_into(Path(source), Path(project))
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(announced)
    for _ in range(MOMENTS.index(after)):
        os.read(begun, 1)  # nothing, where the child ends without
        started = time.monotonic()
    if delay is not None:
        handle = os.pidfd_open(child)
        select.select([handle], [], [], delay)  # until the child's end, if that is earlier
        os.close(handle)
        os.kill(child, signal.SIGKILL)  # nothing to a child that has ended
    _, status = os.waitpid(child, 0)
    os.close(begun)
    code = os.waitstatus_to_exitcode(status)
    return {"status": code, "seconds": time.monotonic() - started}


def announce_commits(pipe: int) -> None:
    """Write a byte when the rows have been read and are about to be kept, and one when they are."""
    commit = SnapshotStore.commit

    def announced(*arguments: Any, **named: Any) -> Any:
        os.write(pipe, b".")
        kept = commit(*arguments, **named)
        os.write(pipe, b".")
        return kept

    SnapshotStore.commit = announced  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
