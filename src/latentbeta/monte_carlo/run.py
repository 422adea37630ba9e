"""The study over many processes: every cell kept when it is finished, found by the next start."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from latentbeta.environment import single_threaded
from latentbeta.monte_carlo.study import MODELS, Cell, Scores, Study, score
from latentbeta.progress import counting, say
from latentbeta.storage import read_json, write_json
from latentbeta.walk_forward.fold_store import code_hash

CODE = ("monte_carlo/design.py", "monte_carlo/study.py", "monte_carlo/plain_ipca.py")


def run_study(study: Study, cells: list[Cell], store: Path, *, workers: int) -> dict[Cell, Scores]:
    """Return the scores of all cells, computing those that `store` does not hold yet.

    Each cell is written by the process that computed it, whole or not at all: a killed run loses
    no more than what was under way. The number of workers changes no byte.

    Parameters
    ----------
    store : this study's own folder, named by `study_hash`: changed code or settings find nothing

    Raises
    ------
    ModelError
        When a model cannot be estimated; finished cells stay.
    """
    missing = [cell for cell in in_order(cells) if not cell_path(store, cell).exists()]
    say(f"monte-carlo: {len(cells) - len(missing)} of {len(cells)} cells found in {store}")
    if missing:
        with _pool(min(workers, len(missing))) as pool, counting("cells", len(missing)) as advance:
            futures = [pool.submit(_compute, study, cell, store) for cell in missing]
            for future in as_completed(futures):
                future.result()
                advance()
    return {cell: Scores(**read_json(cell_path(store, cell))) for cell in cells}


def study_hash(study: Study) -> str:
    """Return the hash of all that a cell depends on: design, settings, code, libraries."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256(repr(study).encode())
    digest.update(code_hash().encode())
    for name in (*CODE, "walk_forward/estimates.py"):
        digest.update((package / name).read_bytes())
    return digest.hexdigest()


def cell_path(store: Path, cell: Cell) -> Path:
    """Where a cell's scores are, or would be."""
    return store / cell.case / f"{cell.model}_{cell.n_factors}" / f"{cell.repetition:04d}.json"


def in_order(cells: list[Cell]) -> list[Cell]:
    """Sort the slowest first, cells of one network together: each process compiles it once."""
    return sorted(
        cells,
        key=lambda c: (-MODELS.index(c.model), -c.n_factors, c.case, c.repetition),
    )


def _compute(study: Study, cell: Cell, store: Path) -> None:
    write_json(asdict(score(cell, study)), cell_path(store, cell))


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Give a pool of fresh processes; whatever ends the work early ends them at once."""
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    with single_threaded():
        pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin)
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()
            raise
        finally:
            pool.shutdown(wait=True)


def _begin() -> None:
    """Leave Ctrl-C to the parent, and end with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
