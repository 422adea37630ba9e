"""Seconds of each stage's function alone; run in a project's folder by `pipeline`."""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Callable
from pathlib import Path

from latentbeta.environment import configure

configure(Path.cwd())

import great_expectations  # noqa: E402, F401  # imported here, so that no stage pays for it
import keras  # noqa: E402, F401
from flows.characteristics import from_prices  # noqa: E402

from latentbeta.config import Settings, read_settings  # noqa: E402
from latentbeta.data.snapshots import ingest_and_keep  # noqa: E402
from latentbeta.evaluation import evaluate  # noqa: E402
from latentbeta.panel import write_panel  # noqa: E402
from latentbeta.quality.gate import run_gate  # noqa: E402
from latentbeta.report import build_report  # noqa: E402
from latentbeta.simulation.simulate import simulate  # noqa: E402
from latentbeta.storage import write_json  # noqa: E402
from latentbeta.walk_forward.train import train  # noqa: E402

DATA = Path("data")


def functions(settings: Settings) -> dict[str, Callable[[], object]]:
    """Return each stage's function, called as its flow in flows/ calls it."""
    return {
        "simulate": lambda: simulate(
            settings.simulation,
            rebalancing=settings.rebalancing,
            calendar=settings.data.calendar,
            seed=settings.seed,
            as_of=settings.data.as_of,
            out=DATA / "simulated",
        ),
        "ingest": lambda: _ingest(settings),
        "characteristics": lambda: write_panel(from_prices(settings), DATA / "panel"),
        "validate": lambda: run_gate(
            DATA / "prices", DATA / "panel", settings, DATA / "validation"
        ),
        "train": lambda: _train(settings),
        "train, folds found": lambda: _train(settings),
        "evaluate": lambda: evaluate(
            results=DATA / "results",
            panel=DATA / "panel",
            truth=DATA / "prices/truth",
            training=DATA / "training",
            output=DATA / "evaluation",
            settings=settings,
        ),
        "report": lambda: build_report(
            data=DATA, output=DATA / "report/report.html", settings=settings
        ),
    }


def _ingest(settings: Settings) -> None:
    now = dt.datetime.now(tz=dt.UTC)
    prices, snapshots = DATA / "prices", DATA / "snapshots"
    ingest_and_keep(settings.data, prices, snapshots, today=dt.date.today(), now=now)


def _train(settings: Settings) -> None:
    train(
        settings=settings,
        panel_folder=DATA / "panel",
        store=DATA / "fold_store",
        results=DATA / "results",
        training=DATA / "training",
    )


def main(answer: Path) -> None:
    """Time every function once and write the seconds."""
    times = {}
    for name, function in functions(read_settings()).items():
        start = time.perf_counter()
        function()
        times[name] = time.perf_counter() - start
    write_json(times, answer)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
