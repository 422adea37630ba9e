"""What follows the last stage of a run: results recorded whole, and shown."""

from __future__ import annotations

from pathlib import Path

from flows import PROJECT
from flows.pipeline import SETTINGS, is_simulated
from latentbeta import tracking
from latentbeta.config import Settings, read_settings
from latentbeta.progress import say
from latentbeta.storage import read_json

REPORT = Path("data/report/report.html")


def main() -> None:
    """Record what the stages left unrecorded, and say what came out."""
    settings = read_settings(SETTINGS)
    tracking.ensure_recorded(PROJECT, settings)
    show_results(settings)


def stand_ready() -> None:
    """Open MLflow's store in a process that stands ready before its turn."""
    tracking.initialise(PROJECT)


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
