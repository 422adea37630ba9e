"""The flow of a whole run: what `dvc repro` does, recorded and shown."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from subprocess import Popen

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows import PROJECT
from flows.lock import close_dead_flow_runs
from flows.pipeline import SETTINGS, watch
from latentbeta import tracking
from latentbeta.config import Settings, read_settings
from latentbeta.progress import say
from latentbeta.storage import read_json

REPORT = Path("data/report/report.html")


@flow(name="run", validate_parameters=False)  # Prefect makes no schema of a process
def run(repro: Popen[str], since: dt.datetime) -> None:
    """Follow `dvc repro` to its end, record what it left unrecorded, and say what came out.

    Parameters
    ----------
    repro : Popen
        `dvc repro`, already at work.
    since : datetime
        From when on this run holds the project.
    """
    close_dead_flow_runs(since)
    tracking.initialise(PROJECT)
    task(name="dvc repro", cache_policy=NO_CACHE)(watch)(repro)
    settings = read_settings(SETTINGS)
    tracking.ensure_recorded(PROJECT, settings)
    show_results(settings)


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


def is_fetched(settings: Settings) -> bool:
    """Tell whether the prices are those that the stage fetch brings."""
    return settings.data.path == Path("data/fetched")
