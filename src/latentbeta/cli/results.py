"""Commands that show what runs left behind, or decide about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentbeta.cli.app import app
from latentbeta.cli.process import project_folder, stopped
from latentbeta.errors import LatentBetaError, TrackingError
from latentbeta.progress import say
from latentbeta.storage import read_json

if TYPE_CHECKING:
    import pandas as pd

METRICS = Path("data/results/metrics.json")


@app.command()
def table(
    as_json: Annotated[bool, typer.Option("--json", help="For a machine.")] = False,
) -> None:
    """Print the measures of the last run."""
    path = project_folder() / METRICS
    if not path.exists():
        raise stopped(f"{METRICS} is not there yet: `latentbeta run` makes it")
    metrics = read_json(path)
    if as_json:
        say(json.dumps(metrics, indent=2))
        return
    from rich.console import Console

    from latentbeta.report.table import results_table

    Console().print(results_table(metrics))


@app.command()
def attribute(
    weights: Annotated[Path, typer.Argument(help="CSV or Parquet: date, asset, weight.")],
    model: Annotated[str | None, typer.Option(help="Default: nightly.model.")] = None,
    n_factors: Annotated[
        int | None, typer.Option(min=1, help="Default: nightly.n_factors.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For a machine.")] = False,
) -> None:
    """Split the returns of your own portfolio into what each factor gave, and the rest."""
    from latentbeta.config import read_settings
    from latentbeta.evaluation.attribution import summary_of
    from latentbeta.evaluation.ladder import ModelKey
    from latentbeta.evaluation.user_weights import attribute_file

    project = project_folder()
    try:
        settings = read_settings(project / "params.yaml")
        shown = settings.nightly
        key = ModelKey(model or shown.model, n_factors or shown.n_factors)
        split = attribute_file(weights, project / "data/results", key)
    except LatentBetaError as error:
        raise stopped(str(error)) from None
    summary = summary_of(split, settings.periods_per_year)
    if as_json:
        dated = split.assign(date=split["date"].dt.strftime("%Y-%m-%d"))
        parts = {"summary": _records(summary), "dates": _records(dated)}
        say(json.dumps(key._asdict() | parts, indent=2))
        return
    from rich.console import Console

    from latentbeta.report.attribution_table import attribution_table

    Console().print(attribution_table(summary, key, split["date"]))


@app.command()
def promote(
    version: Annotated[int, typer.Argument(help="Number of a registered version.")],
) -> None:
    """Make a registered version the champion, past the gate: the next night publishes it."""
    from latentbeta.tracking import promote as promote_version

    try:
        chosen = promote_version(project_folder(), version)
    except TrackingError as error:
        raise stopped(str(error)) from None
    say(f"champion: {chosen}")


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table's rows for JSON, null for what is not known."""
    rows: list[dict[str, Any]] = json.loads(table.to_json(orient="records", double_precision=15))
    return rows
