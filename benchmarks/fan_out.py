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
from benchmarks.fan_out_loads import LOADS, N_CHARACTERISTICS, N_FOLDS
from benchmarks.timing import Comparison

WORKERS = 2
FLOOR, GOAL = 1.6, 1.9
ROUNDS = 5  # in turns, for a machine's speed changes within minutes
IN_FULL = "usual"  # the load on which the other ways are timed too
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")


class Fitted(NamedTuple):
    """What a process answered: its seconds, and a digest of the bytes that it fitted."""

    seconds: float
    digest: str


def compare_fan_out() -> list[Comparison]:
    """Compare two workers, on every load, with one process that does it all.

    Every way fits every fold, in a process of its own that has its imports behind it, as the
    stage has. The fits must have the same bytes with one thread a process, however many there are.

    Raises
    ------
    AssertionError
        When two workers fitted other bytes than one.
    """
    rows = []
    for name in LOADS:
        pairs = [(_fitted(name, "one"), _fitted(name, "ready")) for _ in range(ROUNDS)]
        rows.append(_ready_beside_one(name, pairs))
        if name == IN_FULL:
            rows += _other_ways(name, pairs)
    return rows


def _ready_beside_one(load: str, pairs: list[tuple[Fitted, Fitted]]) -> Comparison:
    _refuse_differences([fitted for pair in pairs for fitted in pair])
    one, ready = (tuple(fitted.seconds for fitted in way) for way in zip(*pairs, strict=True))
    return Comparison(
        f"{_words(load)}, two workers imported ahead as in `make run`",
        "one worker, one thread",
        "s",
        ready,
        one,
        "same bytes; starting the workers' cluster, reading the panel and compiling in each is"
        " counted",
        FLOOR,
        GOAL,
    )


def _other_ways(load: str, pairs: list[tuple[Fitted, Fitted]]) -> list[Comparison]:
    """Compare with two threads, and time workers that have no imports done ahead."""
    one, ready = (tuple(fitted.seconds for fitted in way) for way in zip(*pairs, strict=True))
    threaded = _fitted(load, "one", threads=WORKERS)
    cold, idle = _fitted(load, "two"), _fitted(load, "start")
    _refuse_differences([pairs[0][0], cold])
    ahead = f"{_words(load)}, two workers imported ahead as in `make run`"
    started = f"{_words(load)}, two workers started for it"
    note = f"starting and ending idle workers takes {idle.seconds:.1f} s; once"
    return [
        Comparison(ahead, "one worker, two threads", "s", ready, (threaded.seconds,), ""),
        Comparison(started, "one worker, one thread", "s", (cold.seconds,), one, note),
    ]


def _words(load: str) -> str:
    of = LOADS[load]
    return (
        f"CA1 K=3, {of.n_networks} networks, {N_FOLDS} folds of 180 dates and more ×"
        f" {of.n_assets:,} assets × {N_CHARACTERISTICS}"
    )


def _refuse_differences(fits: list[Fitted]) -> None:
    if len({fitted.digest for fitted in fits}) > 1:
        raise AssertionError("two workers fitted other bytes than one")


def _fitted(load: str, way: str, threads: int = 1) -> Fitted:
    """Fit one way, in a process of its own with so many threads of BLAS and of TensorFlow."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "benchmarks.fan_out_once", load, way, folder],
            cwd=PROJECT,
            env=os.environ | dict.fromkeys(THREADS, str(threads)),
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return Fitted(**json.loads((Path(folder) / "answer.json").read_text(encoding="utf-8")))
