"""Stages that are out of date, runs at work, and what the nights left behind."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import filelock

from latentbeta.doctor.findings import Finding, document
from latentbeta.environment import CACHE_FOLDER

PUBLISHED = Path("data/published")
LAST_STAGE = "report"  # what it does not need, such as a source not in use, is not asked about
SECONDS_FOR_DVC = 300
LEAST_OF_NIGHT_BEFORE = 0.95  # assets; fewer are said
_OF_A_NIGHT = ("as_of", "n_assets", "model", "version")


def stages(project: Path) -> Iterator[Finding]:
    """Give what `dvc status` says, in words."""
    command = [sys.executable, "-m", "dvc", "status", "--json", "--with-deps", LAST_STAGE]
    said = f"no answer in {SECONDS_FOR_DVC} s"
    try:
        done = subprocess.run(
            command,
            cwd=project,
            capture_output=True,
            text=True,
            timeout=SECONDS_FOR_DVC,
            check=False,
        )
        said = _last_line(done.stderr)
        status = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        yield Finding(
            area="stages",
            state="note",
            text=f"dvc could not say which stages are out of date: {said}",
            advice="a run at work holds DVC; else see `dvc status` itself",
        )
        return
    yield from in_words(status)


def in_words(status: Mapping[str, Any]) -> Iterator[Finding]:
    """Say which stages are out of date, and why, from what `dvc status --json` prints."""
    if not status:
        yield Finding(area="stages", state="well", text="every output is up to date")
    for stage, changes in status.items():
        reasons = [reason for change in changes for reason in _reasons(change)]
        yield Finding(
            area="stages",
            state="note",
            text=f"{stage} is out of date: {'; '.join(reasons)}",
            advice="`latentbeta run` brings it up to date",
        )


def _reasons(change: str | Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    if isinstance(change, str):
        yield change
        return
    for kind, items in change.items():
        for name, how in items.items():
            if isinstance(how, str):
                yield f"{name} {'is not there' if how == 'deleted' else how} ({kind[8:]})"
            else:
                yield f"{', '.join(how)} in {name} changed"


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]


def runs(project: Path) -> Iterator[Finding]:
    """Give findings about the run at work, the last one, and the publications."""
    yield _holder(project / CACHE_FOLDER)
    yield from _nights(project / PUBLISHED)


def _holder(cache: Path) -> Finding:
    """Say who holds the project. The system frees the lock of a process that dies."""
    if not (cache / "run.lock").is_file():
        return Finding(area="runs", state="well", text="no run has been started here")
    last = _signed(cache / "run.json")
    lock = filelock.FileLock(cache / "run.lock")
    try:
        with lock.acquire(blocking=False):
            return Finding(area="runs", state="well", text=f"no run is at work; last: {last}")
    except filelock.Timeout:
        return Finding(
            area="runs",
            state="note",
            text=f"a run is at work: {last}",
            advice="wait for it to end, or end that process",
        )


def _signed(file: Path) -> str:
    run = document(file, ("command", "pid", "since"))
    return f"{run['command']}, process {run['pid']}, since {run['since']}" if run else "not known"


def _nights(published: Path) -> Iterator[Finding]:
    files = sorted(published.glob("*/manifest.json"))[-2:]
    if not files:
        yield Finding(area="runs", state="well", text="no night has published anything")
        return
    newest, earlier = (document(file, _OF_A_NIGHT) for file in (files[-1], files[0]))
    if newest is None or earlier is None:
        lost = files[-1] if newest is None else files[0]
        yield Finding(
            area="runs",
            state="note",
            text=f"{lost.relative_to(published.parent.parent)} is damaged",
            advice=f"publish that night again: `latentbeta nightly --as-of {lost.parent.name}`",
        )
        return
    yield Finding(
        area="runs",
        state="well",
        text=f"published last: {newest['as_of']}, {newest['n_assets']:,} assets from"
        f" {newest['model']} version {newest['version']}",
    )
    before = earlier["n_assets"]
    if newest["n_assets"] < LEAST_OF_NIGHT_BEFORE * before:
        yield Finding(
            area="runs",
            state="note",
            text=f"that is {before - newest['n_assets']:,} assets fewer than the {before:,} of"
            f" {earlier['as_of']}",
            advice="see newest_session_whole and the universe before you use it",
        )
