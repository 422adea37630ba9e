"""One `dvc repro`: DVC decides which stages run."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from flows import PROJECT
from flows.lock import end_processes
from flows.overlay import write_settings
from latentbeta.config import Settings, read_settings
from latentbeta.errors import PipelineError
from latentbeta.progress import say
from latentbeta.storage import read_json, write_text

SETTINGS = PROJECT / "params.yaml"
SUMMARY = PROJECT / "data/prices/summary.json"
LAST_STAGE = "report"  # what it does not need, such as a simulated market, is not run
# Until these end, no earlier result is replaced.
INPUT_STAGES = (None, "simulate", "fetch", "ingest")
FAILED_STAGE = re.compile(r"failed to reproduce '(?:[^']+:)?([^':]+)'")  # file:name, or the name


class StageError(PipelineError):
    """`dvc repro` stopped; `stage` is the stage that failed, None when it got to none."""

    def __init__(self, stage: str | None) -> None:
        self.stage = stage
        what = f"stage {stage} failed" if stage else "dvc repro could not start"
        super().__init__(f"{what}; the reason is printed above")


def reproduce(project: Path) -> None:
    """Run `dvc repro` to its end; see `reproducing` and `watch`."""
    with reproducing(project) as process:
        watch(process)


@contextmanager
def reproducing(project: Path) -> Iterator[subprocess.Popen[str]]:
    """Start `dvc repro`, with the stages' output as it comes, and leave no stage running after.

    Its error stream is for `watch` to pass on; a progress bar still finds its terminal.
    """
    command = [sys.executable, "-m", "dvc", "repro", LAST_STAGE]
    with (
        subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, text=True) as process,
        _ended_with_its_children(process),
    ):
        yield process


def watch(process: subprocess.Popen[str]) -> None:
    """Wait for `dvc repro`, and say which stage failed if one does.

    Raises
    ------
    StageError
    """
    stage = _echo(process)
    if process.wait():
        raise StageError(stage)


@contextmanager
def settings_changed(path: Path, changes: Mapping[str, Any], *, source: str) -> Iterator[None]:
    """Write changes into the settings, and take them back if the input they name cannot be used.

    Raises
    ------
    SettingsError
        When the changed settings would not be valid.
    """
    former = write_settings(path, changes, source=source)
    try:
        yield
    except StageError as error:
        if error.stage in INPUT_STAGES and path.read_text(encoding="utf-8") != former:
            write_text(former, path)
            say(f"{path.name} is as it was before this run; earlier results stand")
        raise


def is_simulated(settings: Settings) -> bool:
    """Tell whether the prices are those of the embedded market."""
    return settings.data.path == Path("data/simulated")


def is_fetched(settings: Settings) -> bool:
    """Tell whether the prices are those that the stage fetch brings."""
    return settings.data.path == Path("data/fetched")


def make_calendar() -> None:
    """Make the calendar of the years that the prices will span, for this process and its forks.

    It takes half a second. The years are those of the simulated market, else of the prices that the
    last ingestion stored.
    """
    from latentbeta.data.calendar import sessions

    settings = read_settings(SETTINGS)
    if is_simulated(settings):
        market = settings.simulation
        sessions(
            settings.data.calendar, market.start, max(market.end, settings.data.as_of or market.end)
        )
    elif SUMMARY.exists():
        stored = read_json(SUMMARY)
        sessions(
            settings.data.calendar,
            *(dt.date.fromisoformat(stored[name][:10]) for name in ("first_date", "last_date")),
        )


def _echo(process: subprocess.Popen[str]) -> str | None:
    """Pass the error stream on, and return the stage that it says failed."""
    stage = None
    for line in process.stderr or ():
        sys.stderr.write(line)
        sys.stderr.flush()
        if found := FAILED_STAGE.search(line):
            stage = found[1]
    return stage


@contextmanager
def _ended_with_its_children(process: subprocess.Popen[str]) -> Iterator[None]:
    """Leave no stage running when this process is stopped."""
    try:
        yield
    except BaseException:
        if process.poll() is None:
            tree = psutil.Process(process.pid)
            end_processes([*tree.children(recursive=True), tree])
        raise
