"""Commands for people: each starts a flow as a process of its own, in the project's folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentbeta.environment import configure, tracking_uri
from latentbeta.errors import LatentBetaError, TrackingError
from latentbeta.progress import counting, say
from latentbeta.storage import read_json

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(
    help="Conditional factor models of asset returns, trained walk-forward every night.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
PROJECT_FILES = ("params.yaml", "dvc.yaml", "flows")
METRICS = Path("data/results/metrics.json")
MONTE_CARLO = Path("data/monte_carlo")
PANEL = Path("data/panel")
SNAPSHOTS = Path("data/snapshots")


@app.command()
def run(
    data: Annotated[Path | None, typer.Option(help="Folder or file of the data.")] = None,
    params: Annotated[Path | None, typer.Option(help="YAML merged into params.yaml.")] = None,
) -> None:
    """Run every stage that is out of date, and show the results."""
    named = [*_option("--data", data), *_option("--params", params)]
    _start("flows.run", *named)


@app.command()
def nightly(
    as_of: Annotated[str | None, typer.Option(help="Last date to read, YYYY-MM-DD.")] = None,
) -> None:
    """Run one night: new data, every stage, the champion gate, a publication."""
    _start("flows.nightly", *_option("--as-of", as_of))


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Of the Prefect server.")] = 4200,
) -> None:
    """Stay up and run the night on the schedule of prefect.yaml."""
    _start("flows.nightly", "--serve", "--port", str(port))


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Of the page.")] = 5000,
) -> None:
    """Open MLflow on 127.0.0.1, with the runs of the results that lie here."""
    project = _project()
    _start("flows.record")
    say(f"MLflow: http://127.0.0.1:{port}  (ready in half a minute; Ctrl-C ends it)")
    _process(
        project,
        *("mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", tracking_uri(project)),
        *("--default-artifact-root", (project / "mlruns/artifacts").as_uri()),
    )


@app.command()
def table(
    as_json: Annotated[bool, typer.Option("--json", help="For a machine.")] = False,
) -> None:
    """Print the measures of the last run."""
    path = _project() / METRICS
    if not path.exists():
        raise _stopped(f"{METRICS} is not there yet: `latentbeta run` makes it")
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

    project = _project()
    try:
        settings = read_settings(project / "params.yaml")
        shown = settings.nightly
        key = ModelKey(model or shown.model, n_factors or shown.n_factors)
        split = attribute_file(weights, project / "data/results", key)
    except LatentBetaError as error:
        raise _stopped(str(error)) from None
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
        chosen = promote_version(_project(), version)
    except TrackingError as error:
        raise _stopped(str(error)) from None
    say(f"champion: {chosen}")


@app.command()
def monte_carlo(
    repetitions: Annotated[int, typer.Option(min=1, help="Of each case.")] = 20,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default: cores.")] = None,
    cases: Annotated[str, typer.Option(help="a (linear), b (non-linear).")] = "a,b",
    models: Annotated[
        str, typer.Option(help="Of the paper's Table 6.")
    ] = "pca,ipca,ca0,ca1,ca2,ca3",
    n_factors: Annotated[str, typer.Option(help="K: 3, 1,3 or 1-6.")] = "1-6",
    output: Annotated[Path, typer.Option(help="Folder for the tables.")] = MONTE_CARLO / "table",
) -> None:
    """Simulate the paper's study, and put our table beside the published one.

    Goes on where an earlier start was stopped.
    """
    project, output = _project(), output.absolute()
    from latentbeta.monte_carlo.command import monte_carlo as study
    from latentbeta.monte_carlo.command import requested
    from latentbeta.monte_carlo.study import Study

    try:
        cells = requested(cases, models, n_factors, repetitions)
        n_workers = workers or os.cpu_count() or 1
        study(Study(), cells, folder=project / MONTE_CARLO, output=output, workers=n_workers)
    except LatentBetaError as error:
        raise _stopped(str(error)) from None
    except KeyboardInterrupt:
        say("stopped; the same command goes on from here")
        raise typer.Exit(130) from None


@app.command()
def null(
    repetitions: Annotated[int, typer.Option(min=1, help="Shuffles to average over.")] = 1,
    models: Annotated[str | None, typer.Option(help="Such as pca,ipca; default: all.")] = None,
    n_factors: Annotated[str | None, typer.Option(help="K: 3, 1,3 or 1-6; default: all.")] = None,
) -> None:
    """Train on returns shuffled within each date, where no forecast can be right.

    Goes on where an earlier start was stopped.
    """
    chosen = [*_option("--models", models), *_option("--n-factors", n_factors)]
    _start("latentbeta.permutation", "--repetitions", str(repetitions), *chosen)


@app.command()
def ipca_tests(
    n_factors: Annotated[int, typer.Option(min=1, help="Latent factors.")] = 3,
    draws: Annotated[int, typer.Option(min=1, help="Bootstrap samples of each test.")] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="For a machine.")] = False,
) -> None:
    """Test IPCA on the whole panel: is there an intercept, which characteristics matter."""
    from latentbeta.config import read_settings
    from latentbeta.models.ipca_tests import bootstrap_tests
    from latentbeta.panel.files import read_panel

    project = _project()
    try:
        seed = read_settings(project / "params.yaml").seed
        panel = read_panel(project / PANEL)
        total = draws * (len(panel.characteristic_names) + 2)
        bar = nullcontext(lambda: None) if as_json else counting("ipca-tests", total)
        with bar as advance:
            found = bootstrap_tests(panel, n_factors, n_draws=draws, seed=seed, on_draw=advance)
    except LatentBetaError as error:
        raise _stopped(str(error)) from None
    if as_json:
        tests = [
            {"tested": t.tested, "statistic": t.statistic, "p_value": t.p_value} for t in found
        ]
        say(json.dumps({"n_factors": n_factors, "draws": draws, "tests": tests}, indent=2))
        return
    say(f"{'null: it is nothing':<24}{'W':>10}{'p':>8}")
    for test in found:
        say(f"{test.tested:<24}{test.statistic:>10.4g}{test.p_value:>8.3f}")


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

    project = _project()
    try:
        source = read_settings(project / "params.yaml").data.path
        store = command.store_in(project / SNAPSHOTS, source)
        if write is not None:
            say(command.written(store, write.absolute(), known_at=known_at, as_of=as_of))
        elif diff is not None:
            say(command.changes_as_json(store, diff) if as_json else command.changes(store, diff))
        else:
            say(command.list_as_json(store) if as_json else command.listing(store))
    except LatentBetaError as error:
        raise _stopped(str(error)) from None


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For a machine.")] = False,
) -> None:
    """Explain the state of the project: environment, settings, data, validation, stages, runs."""
    from latentbeta.doctor.examine import examine, for_machine, in_lines
    from latentbeta.doctor.findings import healthy

    findings = examine(_project())
    say(json.dumps(for_machine(findings), indent=2) if as_json else "\n".join(in_lines(findings)))
    if not healthy(findings):
        raise typer.Exit(1)


def _stage(name: str, text: str) -> Callable[[], None]:
    def command() -> None:
        _start(f"flows.{name}")

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


def _project() -> Path:
    """Return the project's folder: the working directory or the nearest one above it."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if all((folder / name).exists() for name in PROJECT_FILES):
            configure(folder)
            return folder
    raise _stopped(
        f"{here} is not inside a latentbeta project (no {', '.join(PROJECT_FILES)} above it)"
    )


def _start(module: str, *arguments: str) -> None:
    _process(_project(), module, *arguments)


def _process(project: Path, module: str, *arguments: str) -> None:
    """Run a module in the project's folder; its failure is this command's."""
    try:
        done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=project, check=False)
    except KeyboardInterrupt:  # the process had it too, and has said what there is to say
        raise typer.Exit(130) from None
    if done.returncode:
        raise typer.Exit(done.returncode)


def _option(name: str, value: Path | str | None) -> list[str]:
    if value is None:
        return []
    return [name, str(value.absolute() if isinstance(value, Path) else value)]


def _stopped(message: str) -> typer.Exit:
    """Say why on the error stream, and return what ends the command."""
    sys.stderr.write(f"{message}\n")
    return typer.Exit(1)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table's rows for JSON, null for what is not known."""
    rows: list[dict[str, Any]] = json.loads(table.to_json(orient="records", double_precision=15))
    return rows
