"""Commands about the data and the state of the project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from latentbeta.cli.app import app
from latentbeta.cli.process import project_folder, stopped
from latentbeta.errors import LatentBetaError
from latentbeta.progress import say

SNAPSHOTS = Path("data/snapshots")


@app.command()
def snapshots(
    diff: Annotated[
        int | None, typer.Option(min=1, help="List what snapshot N changed in known history.")
    ] = None,
    write: Annotated[
        Path | None, typer.Option(help="Write rows to this Parquet file, for DATA= or a look.")
    ] = None,
    known_at: Annotated[
        str | None, typer.Option(help="With --write: a number, or YYYY-MM-DD; default: newest.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(help="With --write: the last date of the rows, YYYY-MM-DD.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For a machine.")] = False,
) -> None:
    """Show what the source said at each ingest, and what it changed afterwards."""
    from latentbeta.config import read_settings
    from latentbeta.data.snapshots import command

    project = project_folder()
    try:
        data = read_settings(project / "params.yaml").data
        store = command.store_in(project / SNAPSHOTS, data.path, data.kind)
        if write is not None:
            say(command.written(store, write.absolute(), known_at=known_at, as_of=as_of))
        elif diff is not None:
            say(command.changes_as_json(store, diff) if as_json else command.changes(store, diff))
        else:
            say(command.list_as_json(store) if as_json else command.listing(store))
    except LatentBetaError as error:
        raise stopped(str(error)) from None


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For a machine.")] = False,
) -> None:
    """Explain the state of the project: environment, settings, data, validation, stages, runs."""
    from latentbeta.doctor.examine import examine, for_machine, in_lines
    from latentbeta.doctor.findings import healthy

    findings = examine(project_folder())
    say(json.dumps(for_machine(findings), indent=2) if as_json else "\n".join(in_lines(findings)))
    if not healthy(findings):
        raise typer.Exit(1)
