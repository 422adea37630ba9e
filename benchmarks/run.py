"""All benchmarks, or those named: `python -m benchmarks.run [--name NAME] [WORK ...]`."""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import subprocess
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from benchmarks import PROJECT
from benchmarks.daily_characteristics import compare_characteristics
from benchmarks.ensemble import compare_ensembles
from benchmarks.ipca_fit import compare_ipca
from benchmarks.machine import load_average, machine
from benchmarks.pipeline import PipelineCost, pipeline_cost
from benchmarks.timing import Comparison
from latentbeta.progress import say
from latentbeta.storage import write_json, write_text

COMPARED: dict[str, Callable[[], list[Comparison]]] = {
    "ensemble": compare_ensembles,
    "ipca": compare_ipca,
    "characteristics": compare_characteristics,
}
PIPELINE = "pipeline"
RESULTS = PROJECT / "benchmarks/results"


def main() -> None:
    """Measure, print and save."""
    arguments = _arguments()
    facts = _facts(arguments)  # now: the tree may have moved on by the end
    comparisons: list[Comparison] = []
    for work, compare in COMPARED.items():
        if work in arguments.works:
            say(f"measuring {work}")
            comparisons += compare()
    pipeline = None
    if PIPELINE in arguments.works:
        say(f"measuring {PIPELINE}, some minutes")
        pipeline = pipeline_cost()
    facts["machine"]["load_average_after"] = load_average()
    page = as_markdown(facts, comparisons, pipeline)
    path = RESULTS / f"{facts['date'][:10]}-{arguments.name}"
    write_json(_document(facts, comparisons, pipeline), path.with_suffix(".json"))
    write_text(page, path.with_suffix(".md"))
    say(page)
    say(f"saved: {path.relative_to(PROJECT)}.json and .md")


def _facts(arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "date": dt.datetime.now(tz=dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": f"python -m benchmarks.run --name {arguments.name} {' '.join(arguments.works)}",
        "commit": _commit(),
        "machine": machine(),
    }


def _arguments() -> argparse.Namespace:
    works = [*COMPARED, PIPELINE]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("works", nargs="*", metavar="WORK", help=f"of {', '.join(works)}")
    parser.add_argument("--name", default="bench", help="of the saved results")
    arguments = parser.parse_args()
    if unknown := set(arguments.works) - set(works):
        parser.error(f"no work is called {', '.join(sorted(unknown))}; there are {works}")
    arguments.works = arguments.works or works
    return arguments


def as_markdown(
    facts: dict[str, Any], comparisons: list[Comparison], pipeline: PipelineCost | None
) -> str:
    """Write the results as a page."""
    parts = [_heading(facts)]
    if comparisons:
        parts.append(_ratios(comparisons))
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
            f"- float64 matrix product {of['matrix_gflops']} GFLOP/s,"
            f" memory copy {of['memory_gb_per_s']} GB/s, both with the pipeline's threads",
            f"- load average (1, 5, 15 min): {load}. Above what the benchmark itself makes (up to"
            " 2), others were at work",
            "- median (lowest to highest) of the repeats after a warm-up; ratio: peer over ours",
        ]
    )


def _ratios(comparisons: list[Comparison]) -> str:
    lines = ["| work | unit | ours | peer | theirs | ratio |", "|-|-|-|-|-|-|"]
    for row in comparisons:
        lines.append(
            f"| {row.work} | {row.unit} | {_spread(row.ours)} | {row.peer} |"
            f" {_spread(row.theirs)} | {row.ratio:.1f} |"
        )
    notes = list(dict.fromkeys(f"- {row.work}: {row.note}." for row in comparisons))
    return "\n".join([*lines, "", *notes])


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
            f"Process starts, imports, Prefect, DVC and MLflow take {pipeline.overhead:.1f} s:"
            f" {pipeline.share:.0%} of a fresh run on the embedded market. Measured once.",
        ]
    )


def _spread(times: tuple[float, ...]) -> str:
    low, middle, high = min(times), statistics.median(times), max(times)
    return f"{middle:.3g} ({low:.3g} to {high:.3g})"


def _document(
    facts: dict[str, Any], comparisons: list[Comparison], pipeline: PipelineCost | None
) -> dict[str, Any]:
    rows = [asdict(row) | {"ratio": row.ratio} for row in comparisons]
    measured = None
    if pipeline is not None:
        measured = asdict(pipeline) | {"overhead": pipeline.overhead, "share": pipeline.share}
    return facts | {"comparisons": rows, "pipeline": measured}


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
