"""Our table beside the published one, for a terminal and for a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from latentbeta.monte_carlo.design import Case
from latentbeta.monte_carlo.summary import MEASURES, Estimate

TITLES = {"total_r2": "total R²", "predictive_r2": "predictive R²"}
DECIMALS = {"total_r2": 1, "predictive_r2": 2}
CASE_NAMES: dict[Case, str] = {"a": "linear betas", "b": "non-linear betas"}


@dataclass(frozen=True)
class Block:
    """The table of one case and measure; a cell is ours ± error, and the published in brackets."""

    title: str
    n_factors: list[int]
    rows: dict[str, list[tuple[str, str]]]


def terminal_tables(estimates: list[Estimate]) -> list[Group]:
    """Return the tables for a terminal, one for each case and measure."""
    tables = []
    for block in blocks(estimates):
        table = Table(box=box.SIMPLE_HEAD)
        table.add_column("Model", min_width=4, no_wrap=True)
        for n_factors in block.n_factors:
            table.add_column(f"K={n_factors}", justify="right", no_wrap=True)
        for model, cells in block.rows.items():
            table.add_row(model, *("\n".join(cell) for cell in cells))
        tables.append(Group(Text(block.title, style="bold"), table))  # a title would be wrapped
    return tables


def markdown_tables(estimates: list[Estimate]) -> str:
    """Return the same tables as Markdown."""
    parts = []
    for block in blocks(estimates):
        names = [f"K={n_factors}" for n_factors in block.n_factors]
        lines = [
            f"### {block.title}",
            "",
            _row(["Model", *names]),
            "|-" * (1 + len(names)) + "|",
            *(_row([model, *map(_beside, cells)]) for model, cells in block.rows.items()),
        ]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def blocks(estimates: list[Estimate]) -> Iterator[Block]:
    """Yield a block for each case and measure that there are estimates of."""
    for case in CASE_NAMES:
        for measure in MEASURES:
            chosen = [e for e in estimates if (e.case, e.measure) == (case, measure)]
            if chosen:
                yield _block(chosen, f"Case ({case}), {CASE_NAMES[case]}: {TITLES[measure]}, %")


def _block(estimates: list[Estimate], title: str) -> Block:
    counts = sorted({e.n_factors for e in estimates})
    found = {(e.model, e.n_factors): _cell(e) for e in estimates}
    models = dict.fromkeys(e.model for e in estimates)
    rows = {m.upper(): [found.get((m, count), ("", "")) for count in counts] for m in models}
    return Block(title, counts, rows)


def _cell(estimate: Estimate) -> tuple[str, str]:
    decimals = DECIMALS[estimate.measure]
    ours = f"{estimate.mean:.{decimals}f}"
    if estimate.se is not None:
        ours += f"±{estimate.se:.{decimals}f}"
    known = estimate.published is not None
    return ours, f"({estimate.published:.{decimals}f})" if known else ""


def _beside(cell: tuple[str, str]) -> str:
    return " ".join(part for part in cell if part)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
