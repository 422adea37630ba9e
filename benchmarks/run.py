"""All benchmarks, or those named: `python -m benchmarks.run [--name NAME] [WORK ...]`."""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from typing import Any

from benchmarks import PROJECT
from benchmarks.machine import load_average, machine
from benchmarks.pipeline import PipelineCost, measured_share, pipeline_cost
from benchmarks.timing import Comparison, Measured, Row
from latentbeta.progress import say
from latentbeta.storage import write_json, write_text

# Work: the module whose `compare_*` and `measure_*` functions measure it.
MODULES = {
    "ensemble": "ensemble",
    "ipca": "ipca_fit",
    "characteristics": "daily_characteristics",
    "scale": "scale",
    "gate": "gate_scale",
    "paper": "paper_size",
    "fan_out": "fan_out",
    "units": "unit_costs",
}
PIPELINE = "pipeline"
RESULTS = PROJECT / "benchmarks/results"


def main() -> None:
    """Measure, print and save."""
    arguments = _arguments()
    facts = _facts(arguments)  # now: the tree may have moved on by the end
    rows: list[Row] = []
    for work in arguments.works:
        say(f"measuring {work}" + (", some minutes" if work == PIPELINE else ""))
        rows += _measured(work) if work != PIPELINE else []
    pipeline = pipeline_cost() if PIPELINE in arguments.works else None
    if pipeline is not None:
        rows.append(measured_share(pipeline))
    facts["machine"]["load_average_after"] = load_average()
    page = as_markdown(facts, rows, pipeline)
    path = RESULTS / f"{facts['date'][:10]}-{arguments.name}"
    write_json(_document(facts, rows, pipeline), path.with_suffix(".json"))
    write_text(page, path.with_suffix(".md"))
    say(page)
    say(f"saved: {path.relative_to(PROJECT)}.json and .md")


def _measured(work: str) -> list[Row]:
    """Call every function of a work's module that measures something."""
    module = import_module(f"benchmarks.{MODULES[work]}")
    return [
        row
        for name, function in vars(module).items()
        if name.startswith(("compare_", "measure_")) and function.__module__ == module.__name__
        for row in function()
    ]


def _facts(arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "date": dt.datetime.now(tz=dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": f"python -m benchmarks.run --name {arguments.name} {' '.join(arguments.works)}",
        "commit": _commit(),
        "machine": machine(),
    }


def _arguments() -> argparse.Namespace:
    works = [*MODULES, PIPELINE]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("works", nargs="*", metavar="WORK", help=f"of {', '.join(works)}")
    parser.add_argument("--name", default="bench", help="of the saved results")
    arguments = parser.parse_args()
    if unknown := set(arguments.works) - set(works):
        parser.error(f"no work is called {', '.join(sorted(unknown))}; there are {works}")
    arguments.works = arguments.works or works
    return arguments


def as_markdown(facts: dict[str, Any], rows: list[Row], pipeline: PipelineCost | None) -> str:
    """Write the results as a page."""
    parts = [_heading(facts)]
    if comparisons := [row for row in rows if isinstance(row, Comparison)]:
        parts.append(_ratios(comparisons))
    if measured := [row for row in rows if isinstance(row, Measured)]:
        parts.append(_numbers(measured))
    if pipeline is not None:
        parts.append(_stages(pipeline))
    return "\n\n".join(parts) + "\n"


def _heading(facts: dict[str, Any]) -> str:
    of = facts["machine"]
    load = f"{of['load_average']} before, {of['load_average_after']} after"
    return "\n".join(
        [
            f"# Benchmarks of {facts['date']}",
            "",
            f"`{facts['command']}`, commit {facts['commit']}",
            "",
            f"- {of['cpu']}, {of['cores']} cores, {of['memory_gib']} GiB, Python {of['python']}",
            f"- matrix product {of['matrix_gflops']} GFLOP/s in float64,"
            f" {of['matrix_gflops_float32']} in float32,"
            f" memory copy {of['memory_gb_per_s']} GB/s, with the pipeline's threads",
            f"- load average (1, 5, 15 min): {load}. Above what the benchmark itself makes (up to"
            " 2), others were at work",
            "- median (lowest to highest) of the repeats after a warm-up; ratio: peer over ours",
        ]
    )


def _ratios(comparisons: list[Comparison]) -> str:
    lines = [
        "| work | unit | ours | peer | theirs | ratio | floor | goal | reached |",
        "|-|-|-|-|-|-|-|-|-|",
    ]
    for row in comparisons:
        lines.append(
            f"| {row.work} | {row.unit} | {_spread(row.ours)} | {row.peer} |"
            f" {_spread(row.theirs)} | {row.ratio:.3g} | {_asked(row)} |"
        )
    return "\n".join([*lines, "", *_notes(comparisons)])


def _numbers(measured: list[Measured]) -> str:
    lines = ["| work | unit | measured | floor | goal | reached |", "|-|-|-|-|-|-|"]
    lines += [f"| {row.work} | {row.unit} | {row.value:.3g} | {_asked(row)} |" for row in measured]
    return "\n".join([*lines, "", *_notes(measured)])


def _asked(row: Row) -> str:
    """Return a row's floor and goal, and which of them it reaches."""
    ends = ["" if value is None else f"{value:g}" for value in (row.floor, row.goal)]
    return " | ".join([*ends, row.standing])


def _notes(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(f"- {row.work}: {row.note}." for row in rows if row.note))


def _stages(pipeline: PipelineCost) -> str:
    lines = ["| stage | its function, s | in `make run`, folds found, s |", "|-|-|-|"]
    for name, seconds in pipeline.stages.items():
        pure = pipeline.pure.get(name)
        own = "" if pure is None else f"{pure:.1f}"
        if name == "train":
            own += f" ({pipeline.pure_found:.1f} with folds found)"
        lines.append(f"| {name} | {own} | {seconds:.1f} |")
    lines.append(f"| all | {sum(pipeline.pure.values()):.1f} | {pipeline.total:.1f} |")
    return "\n".join(
        [
            *lines,
            "",
            f"Process starts, imports, Prefect, DVC and MLflow take {pipeline.overhead:.1f} s of"
            f" the {pipeline.fresh:.1f} s of a fresh run on the embedded market:"
            f" {pipeline.share:.0%}.",
        ]
    )


def _spread(times: tuple[float, ...]) -> str:
    low, middle, high = min(times), statistics.median(times), max(times)
    return f"{middle:.3g} ({low:.3g} to {high:.3g})"


def _document(
    facts: dict[str, Any], rows: list[Row], pipeline: PipelineCost | None
) -> dict[str, Any]:
    cost = None
    if pipeline is not None:
        cost = asdict(pipeline) | {"overhead": pipeline.overhead, "share": pipeline.share}
    compared = [
        asdict(row) | {"ratio": row.ratio, "reached": row.standing}
        for row in rows
        if isinstance(row, Comparison)
    ]
    measured = [
        asdict(row) | {"reached": row.standing} for row in rows if isinstance(row, Measured)
    ]
    return facts | {"comparisons": compared, "measured": measured, "pipeline": cost}


def _commit() -> str:
    """Return the commit, marked where files differ from it; empty outside a checkout."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude=*"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


if __name__ == "__main__":
    main()
