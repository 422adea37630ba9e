"""Commands that put the models to a test of their own."""

from __future__ import annotations

import json
import os
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from latentbeta.cli.app import app
from latentbeta.cli.process import option, project_folder, start, stopped
from latentbeta.errors import LatentBetaError
from latentbeta.progress import counting, say

MONTE_CARLO = Path("data/monte_carlo")
PANEL = Path("data/panel")


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
    project, output = project_folder(), output.absolute()
    from latentbeta.monte_carlo.command import monte_carlo as study
    from latentbeta.monte_carlo.command import requested
    from latentbeta.monte_carlo.study import Study

    try:
        cells = requested(cases, models, n_factors, repetitions)
        n_workers = workers or os.cpu_count() or 1
        study(Study(), cells, folder=project / MONTE_CARLO, output=output, workers=n_workers)
    except LatentBetaError as error:
        raise stopped(str(error)) from None
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
    chosen = [*option("--models", models), *option("--n-factors", n_factors)]
    start("latentbeta.permutation", "--repetitions", str(repetitions), *chosen)


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

    project = project_folder()
    try:
        seed = read_settings(project / "params.yaml").seed
        panel = read_panel(project / PANEL)
        total = draws * (len(panel.characteristic_names) + 2)
        bar = nullcontext(lambda: None) if as_json else counting("ipca-tests", total)
        with bar as advance:
            found = bootstrap_tests(panel, n_factors, n_draws=draws, seed=seed, on_draw=advance)
    except LatentBetaError as error:
        raise stopped(str(error)) from None
    if as_json:
        tests = [
            {"tested": t.tested, "statistic": t.statistic, "p_value": t.p_value} for t in found
        ]
        say(json.dumps({"n_factors": n_factors, "draws": draws, "tests": tests}, indent=2))
        return
    say(f"{'null: it is nothing':<24}{'W':>10}{'p':>8}")
    for test in found:
        say(f"{test.tested:<24}{test.statistic:>10.4g}{test.p_value:>8.3f}")
