"""Fetching many assets side by side, each stored as soon as it is there."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from latentbeta.progress import Advance, counting
from latentbeta.sources.downloads import Download, Downloads, Record, unanswered
from latentbeta.sources.protocol import PriceSource
from latentbeta.sources.update import Wanted, is_finished, updated


def download(
    source: PriceSource,
    assets: Sequence[str],
    wanted: Wanted,
    store: Downloads,
    *,
    threads: int,
    stop_after: int,
) -> list[Record]:
    """Bring assets up to date, and return the record of each.

    Parameters
    ----------
    source : PriceSource
    assets : sequence of str
    wanted : Wanted
    store : Downloads
        Finished assets are found there, and put there.
    threads : int
        That ask at the same time.
    stop_after : int
        Assets in a row that failed after which the source is taken to be down: the rest is
        listed as failed without being asked for.

    Returns
    -------
    list of Record, in the order of `assets`
    """
    held = {asset: store.record(asset) for asset in assets}
    missing = [asset for asset in assets if not is_finished(held[asset], wanted)]
    job = _Job(source, wanted, store, stop_after)
    if missing:
        with counting(f"fetch from {source.name}", len(missing)) as advance:
            job.run(missing, threads, advance)
    records = held | job.records
    return [record for asset in assets if (record := records[asset]) is not None]


class _Job:
    """What the threads share: how many assets failed in a row, and what came of each."""

    def __init__(
        self, source: PriceSource, wanted: Wanted, store: Downloads, stop_after: int
    ) -> None:
        self._source, self._wanted, self._store = source, wanted, store
        self._stop_after = stop_after
        self._lock = threading.Lock()
        self._failed_in_a_row = 0
        self.records: dict[str, Record] = {}

    def run(self, assets: Sequence[str], threads: int, advance: Advance) -> None:
        with ThreadPoolExecutor(threads, thread_name_prefix="fetch") as pool:
            try:
                futures = [pool.submit(self._one, asset, advance) for asset in assets]
                for future in wait(futures, return_when=FIRST_EXCEPTION).done:
                    future.result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _one(self, asset: str, advance: Advance) -> None:
        held = self._store.load(asset)
        if self._failed_in_a_row >= self._stop_after:
            done = _not_asked(asset, held, self._stop_after)
        else:
            done = updated(self._source, asset, held, self._wanted)
            self._store.save(done)
        with self._lock:
            failed = done.record.status == "failed"
            self._failed_in_a_row = self._failed_in_a_row + 1 if failed else 0
            self.records[asset] = done.record
            advance()


def _not_asked(asset: str, held: Download | None, stop_after: int) -> Download:
    reason = f"not asked for: the {stop_after} assets before it failed"
    return unanswered(asset, held, status="failed", attempts=0, error=reason)
