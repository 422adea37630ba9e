"""Tables and facts of the page, as the template wants them: rows of finished text."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import pandas as pd

from latentbeta.config import Settings
from latentbeta.evaluation.ladder import ModelKey, rung
from latentbeta.report.inputs import Record, ReportInputs
from latentbeta.report.table import best_value
from latentbeta.report.verdict import CLEAR, difference
from latentbeta.report.words import (
    COLUMNS,
    NOTHING,
    Column,
    colour_of,
    is_known,
    name_of,
    number,
    percent,
    signed,
)


@dataclass(frozen=True)
class Cell:
    """One entry of a table: its text, a smaller one beside it, and what marks it out."""

    text: str
    beside: str = ""
    mark: str = ""


@dataclass(frozen=True)
class ModelRow:
    """One line of a table of models; `again` when the line above is of the same model."""

    name: str
    again: bool
    colour: str
    n_factors: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Matrix:
    """Pairwise differences on one measure."""

    title: str
    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


@dataclass(frozen=True)
class Rule:
    """One rule of the validation gate."""

    name: str
    table: str
    state: str
    requires: str
    found: str


def shown_columns(metrics: list[Record]) -> list[Column]:
    """Leave out the measures that no model has."""
    return [c for c in COLUMNS if any(is_known(record.get(c.measure)) for record in metrics)]


def column_groups(metrics: list[Record]) -> list[tuple[str, int]]:
    """Return the headings over the columns, and over how many columns each stands."""
    groups = itertools.groupby(shown_columns(metrics), key=lambda column: column.group)
    return [(group, len(list(members))) for group, members in groups]


def model_rows(metrics: list[Record]) -> list[ModelRow]:
    """Return the table of models in the order of the ladder, the best of each column marked."""
    columns = shown_columns(metrics)
    best = {column.measure: best_value(metrics, column.measure) for column in columns}
    ordered = sorted(metrics, key=lambda r: rung(ModelKey(r["model"], r["n_factors"])))
    return _rows(
        ordered,
        [tuple(_measure_cell(record, c, best[c.measure]) for c in columns) for record in ordered],
    )


def _rows(records: list[Record], cells: list[tuple[Cell, ...]]) -> list[ModelRow]:
    above = ["", *(record["model"] for record in records)]
    return [
        ModelRow(
            name=name_of(record["model"]),
            again=record["model"] == previous,
            colour=colour_of(record["model"]),
            n_factors=record["n_factors"],
            cells=row,
        )
        for record, previous, row in zip(records, above, cells, strict=False)
    ]


def _measure_cell(record: Record, column: Column, best: float | None) -> Cell:
    value, error = record.get(column.measure), record.get(f"{column.measure}_se")
    if not is_known(value):
        return Cell(NOTHING)
    beside = f"± {number(error * column.scale, column.decimals)}" if is_known(error) else ""
    text = number(value * column.scale, column.decimals)
    return Cell(text, beside, "best" if value == best else "")


def difference_matrix(
    inputs: ReportInputs, keys: list[ModelKey], measure: str, title: str
) -> Matrix:
    """Return how far each model is above each one lower on the ladder, in points of R²."""
    rows = tuple(
        (
            name_of(key.model),
            tuple(
                _difference_cell(inputs.differences, key, other, measure) for other in keys[:place]
            ),
        )
        for place, key in enumerate(keys)
        if place
    )
    return Matrix(title, tuple(name_of(key.model) for key in keys[:-1]), rows)


def _difference_cell(table: pd.DataFrame, key: ModelKey, other: ModelKey, measure: str) -> Cell:
    found = difference(table, key, other.model, measure)
    if found is None:
        return Cell(NOTHING)
    mark = "" if not abs(found.t) > CLEAR else "above" if found.t > 0 else "below"
    return Cell(signed(100 * found.value, 2), f"t {number(found.t, 1)}", mark)


def truth_rows(truth: Record) -> list[ModelRow]:
    """Return the correlations with the true betas and the true factors."""
    records: list[Record] = truth.get("models", [])
    return _rows(
        records,
        [
            tuple(
                Cell(number(r, 2))
                for r in (*record["beta_correlation"], *record["factor_correlation"])
            )
            for record in records
        ],
    )


def fold_rows(folds: pd.DataFrame) -> list[list[str]]:
    """Return the dates of every fold."""
    return [
        [str(fold["fold"])]
        + [
            f"{fold[f'{part}_start']:%Y-%m-%d} to {fold[f'{part}_end']:%Y-%m-%d}"
            for part in ("train", "validation", "test")
        ]
        + [str(fold["embargo"])]
        for fold in folds.to_dict("records")
    ]


def data_facts(inputs: ReportInputs) -> list[tuple[str, str]]:
    """Return what was put in, and how much of it, as (name, value)."""
    prices, panel = inputs.prices_summary or {}, inputs.panel_summary or {}
    facts = [
        ("Source", prices.get("source")),
        ("Daily prices", _extent(prices, "rows")),
        ("Universe", prices.get("universe")),
        ("Calendar", prices.get("calendar")),
        ("Panel", _extent(panel, "asset-periods")),
        ("Panel rows without a return", _share(panel.get("missing_returns"))),
    ]
    return [(name, str(value)) for name, value in facts if value]


def _extent(summary: Record, unit: str) -> str:
    if not {"n_rows", "n_assets", "first_date", "last_date"} <= summary.keys():
        return ""
    return (
        f"{summary['n_rows']:,} {unit} of {summary['n_assets']:,} assets, "
        f"{summary['first_date']} to {summary['last_date']}"
    )


def _share(value: Any) -> str:
    return percent(value, 2) if is_known(value) else ""


def flag_rows(summary: Record | None) -> list[tuple[str, str]]:
    """Return the number of suspect price rows by rule, those that were found."""
    flags: dict[str, int] = (summary or {}).get("flags", {})
    return [(rule.replace("_", " "), f"{count:,}") for rule, count in flags.items() if count]


def coverage_rows(summary: Record | None) -> list[tuple[str, str, str]]:
    """Return each characteristic's coverage and, where it was left out, the reason."""
    if summary is None:
        return []
    left_out: dict[str, str] = summary.get("left_out", {})
    used = [
        (name, percent(summary.get("coverage", {}).get(name)), "")
        for name in summary.get("characteristics", ())
    ]
    return used + [
        (name, percent(summary.get("coverage", {}).get(name)), f"left out: {reason}")
        for name, reason in left_out.items()
    ]


def gate_rows(validation: Record | None) -> list[Rule]:
    """Return the rules of the gate that do not hold, then the number of those that do."""
    return [
        Rule(
            name=str(rule["name"]).replace("_", " "),
            table=str(rule["table"]),
            state="blocking" if rule["severity"] == "blocking" else "warning",
            requires=str(rule.get("requires", "")),
            found=_found(rule),
        )
        for rule in (validation or {}).get("rules", ())
        if not rule["passed"]
    ]


def _found(rule: Record) -> str:
    count = rule.get("n_unexpected") or 0
    if count:
        return f"{count:,} rows ({percent(rule.get('share'), 2)})"
    return str(rule.get("observed") or "")


def setting_rows(settings: Settings) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return every setting but the columns' names, grouped by the part of params.yaml."""
    document = settings.model_dump(mode="json")
    document["data"].pop("columns")
    loose = [(k, _plain_value(v)) for k, v in document.items() if not isinstance(v, dict)]
    groups = [(k, _flat(v)) for k, v in document.items() if isinstance(v, dict)]
    return [("general", loose), *groups]


def _flat(group: Record, prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in group.items():
        nested = isinstance(value, dict)
        rows += _flat(value, f"{name}.") if nested else [(prefix + name, _plain_value(value))]
    return rows


def _plain_value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return NOTHING if value is None else str(value)
