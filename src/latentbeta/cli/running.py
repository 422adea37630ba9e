"""Commands that start a flow as a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from latentbeta.cli.app import app
from latentbeta.cli.process import option, process, project_folder, start
from latentbeta.environment import tracking_uri
from latentbeta.progress import say


@app.command()
def run(
    data: Annotated[Path | None, typer.Option(help="Folder or file of the data.")] = None,
    params: Annotated[Path | None, typer.Option(help="YAML merged into params.yaml.")] = None,
) -> None:
    """Run every stage that is out of date, and show the results."""
    named = [*option("--data", data), *option("--params", params)]
    start("flows.run", *named)


@app.command()
def nightly(
    as_of: Annotated[str | None, typer.Option(help="Last date to read, YYYY-MM-DD.")] = None,
) -> None:
    """Run one night: new data, every stage, the champion gate, a publication."""
    start("flows.nightly", *option("--as-of", as_of))


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Of the Prefect server.")] = 4200,
) -> None:
    """Stay up and run the night on the schedule of prefect.yaml."""
    start("flows.nightly", "--serve", "--port", str(port))


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Of the page.")] = 5000,
) -> None:
    """Open MLflow on 127.0.0.1, with the runs of the results that lie here."""
    project = project_folder()
    start("flows.record")
    say(f"MLflow: http://127.0.0.1:{port}  (ready in half a minute; Ctrl-C ends it)")
    process(
        project,
        *("mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", tracking_uri(project)),
        *("--default-artifact-root", (project / "mlruns/artifacts").as_uri()),
    )


def _stage(name: str, text: str) -> Callable[[], None]:
    def command() -> None:
        start(f"flows.{name}")

    command.__doc__ = text
    return command


STAGES = {
    "simulate": "Make the embedded market with known betas.",
    "fetch": "Bring prices and factors up to date from the network or a database.",
    "ingest": "Read, check, adjust and store daily prices.",
    "characteristics": "Compute what was known before each period.",
    "validate": "Check prices and panel; a blocking rule fails.",
    "train": "Fit every model over every fold.",
    "evaluate": "Measure the saved results.",
    "report": "Build the HTML report.",
}
for _name, _text in STAGES.items():
    app.command(_name)(_stage(_name, f"{_text} One stage alone; `run` runs what is out of date."))
