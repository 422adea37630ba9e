"""The table of models for a terminal."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from latentbeta.report.comparisons import best_value
from latentbeta.report.words import COLUMNS, Column, is_known, name_of, number

TERMINAL = {
    "total_r2": "Total R², %",
    "predictive_r2": "Pred. R², %",
    "rank_ic": "Rank IC",
    "long_short_sharpe": "Sharpe",
}


def results_table(metrics: list[dict[str, Any]]) -> Table:
    """Return the models with their main measures, each ± its standard error, the best bold.

    Parameters
    ----------
    metrics : list of dict
        What metrics.json holds.
    """
    columns = [column for column in COLUMNS if column.measure in TERMINAL]
    table = Table(title="Out of sample, ± one standard error", title_justify="left")
    table.add_column("Model")
    table.add_column("K", justify="right")
    for column in columns:
        table.add_column(TERMINAL[column.measure], justify="right", no_wrap=True)
    best = {column.measure: best_value(metrics, column) for column in columns}
    for record in metrics:
        cells = [_cell(record, column, best[column.measure]) for column in columns]
        table.add_row(name_of(record["model"]), str(record["n_factors"]), *cells)
    return table


def _cell(record: dict[str, Any], column: Column, best: float | None) -> Text:
    value, error = record.get(column.measure), record.get(f"{column.measure}_se")
    text = number(value * column.scale if is_known(value) else None, column.decimals)
    if is_known(error):
        text += f" ± {number(error * column.scale, column.decimals)}"
    return Text(text, style="bold" if is_known(value) and value == best else "")
