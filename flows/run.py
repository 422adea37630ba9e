"""The whole job, once: `python -m flows.run [--data PATH] [--params FILE]`.

Until Prefect's server is up, the machine's cores are for it, for `dvc repro` and for the first
stage's imports (flows/ahead.py): each takes seconds to start. This process imports Prefect after.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from flows import PROJECT
from flows.ahead import stages_ahead
from flows.api import end_in_order, on_the_api, plain_errors
from flows.handover import end_at_once
from flows.imports import uncollected
from flows.lock import project_lock
from flows.overlay import merged, named_path, read_overlay, without_former_data
from flows.pipeline import SETTINGS, reproducing, settings_changed
from flows.server import booting_api, wait_until_up
from latentbeta.config import read_settings


def requested(data: Path | None, params: Path | None) -> dict[str, Any]:
    """Return the settings that the command line asks for; --data wins over the file."""
    changes = read_overlay(params) if params else {}
    if data is not None:
        changes = merged(changes, {"data": {"path": named_path(data, PROJECT)}})
    return without_former_data(changes, read_settings(SETTINGS).data.path)


def main(
    data: Annotated[Path | None, typer.Option(help="Folder or file of the data.")] = None,
    params: Annotated[Path | None, typer.Option(help="Settings that override.")] = None,
) -> None:
    """Run every stage that is out of date, and show the results."""
    end_in_order()
    with plain_errors("run"), project_lock(PROJECT, "run") as since:
        changes = requested(data, params)
        with (
            booting_api(),
            stages_ahead(PROJECT),
            settings_changed(SETTINGS, changes, source=str(params or SETTINGS)),
            reproducing(PROJECT) as repro,
        ):
            wait_until_up()
            with uncollected():
                from flows.whole import run

            on_the_api(run, repro=repro, since=since)


if __name__ == "__main__":
    try:
        typer.run(main)
    except SystemExit as end:
        if end.code:
            raise
    end_at_once(0)
