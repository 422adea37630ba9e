"""Models side by side: measures, differences, what was recovered, what could not be made."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pandas as pd

from latentbeta.evaluation.ladder import ModelKey, rung
from latentbeta.report.cells import Cell, ModelRow, measure_cell, rows_of
from latentbeta.report.comparisons import CLEAR, best_value, difference, key_of
from latentbeta.report.inputs import Record, ReportInputs
from latentbeta.report.words import (
    COLUMNS,
    NOTHING,
    Column,
    is_known,
    name_of,
    number,
    signed,
    spans,
)


@dataclass(frozen=True)
class Matrix:
    """Pairwise differences on one measure."""

    title: str
    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


def shown_columns(metrics: list[Record]) -> list[Column]:
    """Leave out the measures that no model has, and those without a place in the full table."""
    return [
        column
        for column in COLUMNS
        if column.group and any(is_known(record.get(column.measure)) for record in metrics)
    ]


def column_groups(metrics: list[Record]) -> list[tuple[str, int]]:
    """Return the headings over the columns, and over how many columns each stands."""
    groups = itertools.groupby(shown_columns(metrics), key=lambda column: column.group)
    return [(group, len(list(members))) for group, members in groups]


def model_rows(metrics: list[Record]) -> list[ModelRow]:
    """Return the table of models in the order of the ladder, the best of each column marked."""
    columns = shown_columns(metrics)
    best = {column.measure: best_value(metrics, column) for column in columns}
    ordered = sorted(metrics, key=lambda record: rung(key_of(record)))
    return rows_of(
        ordered,
        [[measure_cell(record, c, best[c.measure]) for c in columns] for record in ordered],
    )


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
    found = difference(table, key, other, measure)
    if found is None:
        return Cell(NOTHING)
    mark = "" if not abs(found.t) > CLEAR else "above" if found.t > 0 else "below"
    return Cell(signed(100 * found.value, 2), f"t {number(found.t, 1)}", mark)


def truth_rows(truth: Record, keys: list[ModelKey]) -> list[ModelRow]:
    """Return the correlations of the models with the true betas and the true factors."""
    records: list[Record] = [r for r in truth.get("models", []) if key_of(r) in keys]
    return rows_of(
        records,
        [
            [
                Cell(number(r, 2))
                for r in (*record["beta_correlation"], *record["factor_correlation"])
            ]
            for record in records
        ],
    )


def left_out_rows(left_out: list[Record]) -> list[tuple[str, str]]:
    """Return the models that could not be made, each with the reason."""
    counts: dict[tuple[str, str], list[int]] = {}
    for record in sorted(left_out, key=lambda record: rung(key_of(record))):
        counts.setdefault((record["model"], record["reason"]), []).append(record["n_factors"])
    return [
        (f"{name_of(model)}, K = {spans(numbers)}", reason)
        for (model, reason), numbers in counts.items()
    ]
