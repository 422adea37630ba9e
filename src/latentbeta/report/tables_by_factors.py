"""The paper's tables: a line a model, a column a number of factors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from latentbeta.evaluation.ladder import ModelKey, rung
from latentbeta.report.cells import Cell, ModelRow, ModelTable, measure_cell
from latentbeta.report.comparisons import best_value, factor_counts, key_of
from latentbeta.report.inputs import Record
from latentbeta.report.words import COLUMNS, NOTHING, Column, colour_of, is_known, name_of

SHOWN = {
    "total_r2": "Total R² %, assets",
    "total_r2_managed": "Total R² %, managed portfolios",
    "predictive_r2": "Predictive R² %, assets",
    "predictive_r2_managed": "Predictive R² %, managed portfolios",
    "long_short_sharpe": "Sharpe ratio of long-short, equal-weighted",
    "long_short_sharpe_vw": "Sharpe ratio of long-short, value-weighted",
    "tangency_sharpe": "Sharpe ratio of the factors' tangency portfolio",
    "n_pricing_errors": "Pricing errors with |t| above 3",
}
FOLDED = {
    "ic": "Information coefficient",
    "rank_ic": "Rank information coefficient",
    "long_short_net_sharpe": "Sharpe ratio of long-short, net of costs",
    "mean_abs_alpha": "Mean absolute pricing error, % a period",
}
Builder = Callable[[Record, Column], Cell]


def tables_by_factors(
    metrics: list[Record], left_out: list[Record], measures: dict[str, str]
) -> list[ModelTable]:
    """Return a table for each measure that some model has, the best of each column marked.

    None where all models have one number of factors: the table of models says it all.

    Parameters
    ----------
    metrics : list of dict
        What metrics.json holds.
    left_out : list of dict
        Models that could not be made, with the reason, which is shown in their empty cells.
    measures : dict
        Measure to caption.
    """
    if len(factor_counts(metrics)) < 2:
        return []
    return [
        by_factors(metrics, _column(measure), caption, _with_best(metrics), left_out)
        for measure, caption in measures.items()
        if any(is_known(record.get(measure)) for record in metrics)
    ]


def by_factors(
    records: list[Record],
    column: Column,
    caption: str,
    build: Builder = measure_cell,
    left_out: Sequence[Record] = (),
) -> ModelTable:
    """Spread one measure over models, in the order of the ladder, and numbers of factors."""
    counts = factor_counts(records)
    cells = {key_of(record): build(record, column) for record in records}
    missing = {key_of(record): Cell(NOTHING, title=record["reason"]) for record in left_out}
    return ModelTable(
        caption=caption,
        headings=tuple(f"K = {count}" if count == counts[0] else str(count) for count in counts),
        rows=tuple(
            ModelRow(
                name=name_of(model),
                again=False,
                colour=colour_of(model),
                n_factors=None,
                cells=tuple(
                    (missing | cells).get(ModelKey(model, count), Cell(NOTHING)) for count in counts
                ),
            )
            for model in _models(records)
        ),
    )


def _models(records: list[Record]) -> list[str]:
    return [key.model for key in sorted({ModelKey(r["model"], 0) for r in records}, key=rung)]


def _column(measure: str) -> Column:
    return next(column for column in COLUMNS if column.measure == measure)


def _with_best(metrics: list[Record]) -> Builder:
    """Return what writes a measure and marks the best at its number of factors."""

    def build(record: Record, column: Column) -> Cell:
        rivals = [r for r in metrics if r["n_factors"] == record["n_factors"]]
        return measure_cell(record, column, best_value(rivals, column))

    return build
