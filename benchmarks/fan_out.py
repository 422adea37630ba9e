"""Eight folds fitted by two worker processes, beside one process of one thread and of two."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks import PROJECT
from benchmarks.timing import Comparison

WORKERS = 2
FLOOR, GOAL = 1.6, 1.9
WORK = "CA1 K=3, 10 seeds, 8 folds of 180 dates and more × 2,000 assets × 30"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")


class Fitted(NamedTuple):
    """What a process answered: its seconds, and a digest of the bytes that it fitted."""

    seconds: float
    digest: str


def compare_fan_out() -> list[Comparison]:
    """Compare two workers, their start included, with one process that does it all.

    Every way fits every fold once, in a process of its own that has its imports behind it, as the
    stage has. The fits must have the same bytes with one thread a process, however many there are.

    Raises
    ------
    AssertionError
        When two workers fitted other bytes than one.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        one = _fitted(folder, "one")
        threaded = _fitted(folder, "one", threads=WORKERS)
        two = _fitted(folder, "two")
        start = _fitted(folder, "start")
        ready = _fitted(folder, "ready")
    if not one.digest == two.digest == ready.digest:
        raise AssertionError("two workers fitted other bytes than one")
    cold = f"{WORK}, workers started for it"
    warm = f"{WORK}, workers imported ahead as in `make run`"
    note = f"same bytes; starting and ending idle workers takes {start.seconds:.1f} s; once each"
    rivals = {"one worker, one thread": one, "one worker, two threads": threaded}
    asked = {"one worker, one thread": (FLOOR, GOAL), "one worker, two threads": (None, None)}
    return [
        Comparison(work, peer, "s", (ours.seconds,), (theirs.seconds,), note, *asked[peer])
        for work, ours in ((cold, two), (warm, ready))
        for peer, theirs in rivals.items()
    ]


def _fitted(parent: Path, way: str, threads: int = 1) -> Fitted:
    """Fit one way, in a process of its own with so many threads of BLAS and of TensorFlow."""
    folder = parent / f"{way}-{threads}"
    folder.mkdir()
    subprocess.run(
        [sys.executable, "-m", "benchmarks.fan_out_once", way, str(folder)],
        cwd=PROJECT,
        env=os.environ | dict.fromkeys(THREADS, str(threads)),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return Fitted(**json.loads((folder / "answer.json").read_text(encoding="utf-8")))
