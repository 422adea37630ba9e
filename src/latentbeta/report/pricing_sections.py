"""Pricing errors, premia, and what the models make of returns that hold no pattern."""

from __future__ import annotations

from dataclasses import dataclass, replace

from latentbeta.evaluation.ladder import ModelKey
from latentbeta.report.cells import Cell, ModelTable, measure_cell, rows_of
from latentbeta.report.comparisons import CLEAR
from latentbeta.report.inputs import Record, ReportInputs
from latentbeta.report.tables_by_factors import by_factors
from latentbeta.report.words import NOTHING, Column, is_known, number

LARGE = 3.0  # |t| of a pricing error that counts, as in Gu, Kelly and Xiu (2021)
NULL_MEASURES = {
    "On shuffled returns: predictive R² %": Column("predictive_r2", "", "", 100, 2),
    "On shuffled returns: gain %": Column("gain", "", "", 100, 2),
    "On shuffled returns: information coefficient": Column("ic", "", "", 1, 3),
    "On shuffled returns: rank information coefficient": Column("rank_ic", "", "", 1, 3),
}


@dataclass(frozen=True)
class Null:
    """What the models score on shuffled returns.

    Attributes
    ----------
    n_models, n_within : int
        How many were tried, and how many are within two standard errors of zero in what nothing
        can be known to raise: gain, IC and rank IC. Predictive R² is below zero by its cost.
    tables : tuple of ModelTable
    """

    n_models: int
    n_within: int
    tables: tuple[ModelTable, ...]


def pricing_table(inputs: ReportInputs, keys: list[ModelKey]) -> ModelTable | None:
    """Return how many managed portfolios each model misprices, and by how much on average."""
    found = {key: inputs.of_model("pricing_errors", key) for key in keys}
    found = {key: rows for key, rows in found.items() if not rows.empty}
    if not found:
        return None
    cells = [
        [
            Cell(str(len(rows))),
            Cell(str(int((rows["mean_return_t"].abs() > LARGE).sum()))),
            Cell(str(int((rows["alpha_t"].abs() > LARGE).sum()))),
            Cell(number(100 * rows["mean_return"].abs().mean(), 3)),
            Cell(number(100 * rows["alpha"].abs().mean(), 3)),
        ]
        for rows in found.values()
    ]
    headings = (
        "portfolios",
        "means with |t| > 3",
        "errors with |t| > 3",
        "typical mean %",
        "typical error %",
    )
    return ModelTable(
        "Mean returns and pricing errors, a period",
        headings,
        tuple(rows_of(map(_record, found), cells)),
    )


def premia_table(inputs: ReportInputs, keys: list[ModelKey]) -> ModelTable | None:
    """Return each factor's mean return with its t-statistic."""
    found = {key: inputs.of_model("premia", key) for key in keys}
    found = {key: rows for key, rows in found.items() if not rows.empty}
    if not found:
        return None
    width = max(map(len, found.values()))
    cells = []
    for rows in found.values():
        line = [
            _premium_cell(*row) for row in zip(rows["mean"], rows["se"], rows["t"], strict=True)
        ]
        cells.append(line + [Cell(NOTHING)] * (width - len(line)))
    headings = tuple(f"factor {k + 1}" for k in range(width))
    caption = "Mean return of the factors, % a period"
    return ModelTable(caption, headings, tuple(rows_of(map(_record, found), cells)))


def _premium_cell(mean: float, error: float, t: float) -> Cell:
    title = f"± {number(100 * error, 3)}" if is_known(error) else ""
    mark = "above" if is_known(t) and abs(t) > CLEAR else ""
    return Cell(number(100 * mean, 3), f"t {number(t, 1)}", mark, title)


def null_facts(null: list[Record]) -> Null | None:
    """Return what the models score on shuffled returns, marked where it is not near zero."""
    if not null:
        return None
    return Null(
        n_models=len(null),
        n_within=sum(bool(record["within"]) for record in null),
        tables=tuple(
            by_factors(null, column, caption, _null_cell)
            for caption, column in NULL_MEASURES.items()
        ),
    )


def _null_cell(record: Record, column: Column) -> Cell:
    value, error = record.get(column.measure), record.get(f"{column.measure}_se")
    far = is_known(value) and is_known(error) and abs(value) > CLEAR * error
    judged = column.measure != "predictive_r2"
    return replace(measure_cell(record, column), mark="below" if judged and far else "")


def _record(key: ModelKey) -> Record:
    return {"model": key.model, "n_factors": key.n_factors}
