"""The whole job, once: `python -m flows.run [--data PATH] [--params FILE]`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from prefect import flow

from flows import PROJECT
from flows.api import plain_errors, run_flow
from flows.lock import close_dead_flow_runs, project_lock
from flows.overlay import data_changes, read_overlay
from flows.pipeline import reproduce, settings_changed
from latentbeta import tracking
from latentbeta.config import Settings, read_settings
from latentbeta.progress import say
from latentbeta.storage import read_json

SETTINGS = PROJECT / "params.yaml"
REPORT = Path("data/report/report.html")


@flow(name="run")
def run(data: Path | None = None, params: Path | None = None) -> None:
    """Run every stage that is out of date, and say what came out.

    Parameters
    ----------
    data : Path or None
        Folder or file of daily prices, or of a panel; None keeps ``data.path``.
    params : Path or None
        YAML file merged into params.yaml key by key.
    """
    with project_lock(PROJECT, "run"):
        close_dead_flow_runs()
        tracking.initialise(PROJECT)
        with settings_changed(SETTINGS, requested(data, params), source=str(params or SETTINGS)):
            reproduce(PROJECT)
        settings = read_settings(SETTINGS)
        tracking.ensure_recorded(PROJECT, settings)
        show_results(settings)


def requested(data: Path | None, params: Path | None) -> dict[str, Any]:
    """Return the settings that the command line asks for; --data wins over the file."""
    changes = read_overlay(params) if params else {}
    if data is None:
        return changes
    named = data_changes(data, read_settings(SETTINGS).data.path, PROJECT)
    return changes | {"data": named | dict(changes.get("data") or {}) | {"path": named["path"]}}


def show_results(settings: Settings) -> None:
    """Print the table of models, and where to read more."""
    from rich.console import Console

    from latentbeta.report.table import results_table

    console = Console(width=None if Console().is_terminal else 100)
    console.print()
    console.print(results_table(read_json(PROJECT / "data/results/metrics.json")))
    say(f"Data:    {described(settings)}")
    say(f"Report:  {REPORT}")
    say("MLflow:  make ui, then http://127.0.0.1:5000")


def described(settings: Settings) -> str:
    """Return what the results rest on, in words."""
    path = settings.data.path.as_posix()
    source = f"the simulated market ({path})" if is_simulated(settings) else path
    until = read_json(PROJECT / "data/prices/summary.json")["last_date"]
    flattered = " (survivors only: flattered)" if settings.data.universe == "survivors" else ""
    return f"{source}, {settings.rebalancing}, to {until}{flattered}"


def is_simulated(settings: Settings) -> bool:
    """Tell whether the prices are those of the embedded market."""
    return settings.data.path == Path("data/simulated")


def main(
    data: Annotated[Path | None, typer.Option(help="Folder or file of the data.")] = None,
    params: Annotated[Path | None, typer.Option(help="Settings that override.")] = None,
) -> None:
    """Run every stage that is out of date, and show the results."""
    with plain_errors("run"), project_lock(PROJECT, "run"):
        run_flow(run, data=data, params=params)


if __name__ == "__main__":
    typer.run(main)
