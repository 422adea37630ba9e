"""What `latentbeta monte-carlo` does: run the study, show the tables and checks, write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from latentbeta.config import factor_counts
from latentbeta.errors import SettingsError
from latentbeta.monte_carlo.checks import Check, all_checks
from latentbeta.monte_carlo.run import run_study, study_hash
from latentbeta.monte_carlo.study import CASES, MODELS, Cell, Study
from latentbeta.monte_carlo.summary import Estimate, score_table, summarise
from latentbeta.monte_carlo.table import markdown_tables, terminal_tables
from latentbeta.progress import say
from latentbeta.storage import write_csv, write_json, write_text

HEAD = """# The Monte Carlo study beside Table 6

{repetitions} repetitions of section 4 of Gu, Kelly and Xiu (2021), "Autoencoder asset pricing
models". Means in percent ± Monte Carlo standard errors; in brackets what the paper has, from 100
repetitions. The numbers of each repetition are in `repetitions.csv`.
"""


def monte_carlo(
    study: Study, cells: list[Cell], *, folder: Path, output: Path, workers: int
) -> list[Check]:
    """Run what is missing, show and write everything.

    Parameters
    ----------
    folder : of finished cells, those of each design, settings and code in a folder of their own
    output : folder that gets table.md, table.json and repetitions.csv
    """
    name = study_hash(study)  # now: the code may have changed by the end of a long run
    scores = score_table(run_study(study, cells, folder / name[:16], workers=workers))
    estimates = summarise(scores)
    checks = all_checks(scores, estimates)
    console = Console()
    for table in terminal_tables(estimates):
        console.print(table)
    for check in checks:
        say(check.line)
    write_text(page(estimates, checks), output / "table.md")
    write_json(record(study, estimates, checks) | {"study_hash": name}, output / "table.json")
    write_csv(scores, output / "repetitions.csv")
    say(f"written to {output}")
    return checks


def requested(cases: str, models: str, n_factors: str, repetitions: int) -> list[Cell]:
    """Return the cells that lists such as "a,b", "pca,ca1" and "1-6" ask for.

    Raises
    ------
    SettingsError
        When a case or model does not exist, or a number of factors is not one.
    """
    chosen_cases, chosen_models = cases.split(","), models.split(",")
    counts = factor_counts(n_factors)
    return [
        Cell(case, model, count, repetition)
        for case in CASES
        if case in _known(chosen_cases, CASES, "case")
        for model in MODELS
        if model in _known(chosen_models, MODELS, "model")
        for count in counts
        for repetition in range(1, repetitions + 1)
    ]


def _known(names: list[str], known: Sequence[str], kind: str) -> list[str]:
    for name in names:
        if name not in known:
            raise SettingsError(f"no {kind} is called {name!r}; there are {', '.join(known)}")
    return names


def page(estimates: list[Estimate], checks: list[Check]) -> str:
    """Return the tables and the checks as Markdown."""
    head = HEAD.format(repetitions=max(e.repetitions for e in estimates))
    lines = "\n".join(f"- {check.line}" for check in checks)
    return f"{head}\n{markdown_tables(estimates)}\n\n## Checks\n\n{lines}\n"


def record(study: Study, estimates: list[Estimate], checks: list[Check]) -> dict[str, object]:
    """Return the same for a machine, with the settings it came from."""
    return {
        "design": asdict(study.design),
        "networks": study.networks.model_dump(),
        "n_seeds": study.n_seeds,
        "cells": [asdict(estimate) for estimate in estimates],
        "checks": [asdict(check) | {"verdict": check.verdict} for check in checks],
    }
