"""What the tables of the page are made of: rows of finished text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from latentbeta.report.inputs import Record
from latentbeta.report.words import NOTHING, Column, colour_of, is_known, name_of, number


@dataclass(frozen=True)
class Cell:
    """One entry of a table.

    Attributes
    ----------
    text, beside : str
        What it says, and smaller what stands below it.
    mark : str
        What marks it out: a class of the style sheet.
    title : str
        What is shown when the pointer rests on it.
    """

    text: str
    beside: str = ""
    mark: str = ""
    title: str = ""


@dataclass(frozen=True)
class ModelRow:
    """One line of a table of models.

    Attributes
    ----------
    name, colour : str
    again : bool
        Whether the line above is of the same model.
    n_factors : int or None
        None where the table has it as columns.
    cells : tuple of Cell
    """

    name: str
    again: bool
    colour: str
    n_factors: int | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class ModelTable:
    """A table with a line a model.

    Attributes
    ----------
    caption : str
    headings : tuple of str
        One a column of cells.
    rows : tuple of ModelRow
    """

    caption: str
    headings: tuple[str, ...]
    rows: tuple[ModelRow, ...]


def rows_of(records: Iterable[Record], cells: Iterable[Sequence[Cell]]) -> list[ModelRow]:
    """Put each record's model before its cells."""
    rows: list[ModelRow] = []
    above = ""
    for record, line in zip(records, cells, strict=True):
        model = record["model"]
        rows.append(
            ModelRow(
                name=name_of(model),
                again=model == above,
                colour=colour_of(model),
                n_factors=record["n_factors"],
                cells=tuple(line),
            )
        )
        above = model
    return rows


def measure_cell(record: Record, column: Column, best: float | None = None) -> Cell:
    """Write a measure, one standard error below it and its interval behind it."""
    value, error = record.get(column.measure), record.get(f"{column.measure}_se")
    if not is_known(value):
        return Cell(NOTHING)
    return Cell(
        text=number(value * column.scale, column.decimals),
        beside=f"± {number(error * column.scale, column.decimals)}" if is_known(error) else "",
        mark="best" if value == best else "",
        title=_interval(record, column),
    )


def _interval(record: Record, column: Column) -> str:
    low, high = (record.get(f"{column.measure}_{end}") for end in ("low", "high"))
    if not (is_known(low) and is_known(high)):
        return ""
    ends = (number(end * column.scale, column.decimals) for end in (low, high))
    return f"95 %: {' to '.join(ends)}"
