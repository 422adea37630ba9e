"""The permutation null for a terminal."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from latentbeta.permutation.measure import STANDARD_ERRORS, UNBIASED

# Heading, scale, decimals.
COLUMNS = {
    "predictive_r2": ("Pred. R², %", 100.0, 3),
    "gain": ("Gain, %", 100.0, 3),
    "ic": ("IC", 1.0, 4),
    "rank_ic": ("Rank IC", 1.0, 4),
}


def null_table(records: list[dict[str, Any]]) -> Table:
    """Return each model's scores on shuffled returns; bold beyond two standard errors of zero.

    R² is below zero by what a forecast costs that knows nothing, and is not judged; the gain is
    R² with that cost given back.
    """
    repetitions = records[0]["repetitions"]
    title = f"Returns shuffled within each date, {repetitions} time(s); ± one standard error"
    table = Table(title=title, title_justify="left")
    table.add_column("Model")
    table.add_column("K", justify="right")
    for heading, *_ in COLUMNS.values():
        table.add_column(heading, justify="right", no_wrap=True)
    for each in records:
        cells = [_cell(each, name) for name in COLUMNS]
        table.add_row(each["model"], str(each["n_factors"]), *cells)
    return table


def _cell(each: dict[str, Any], name: str) -> Text:
    _, scale, decimals = COLUMNS[name]
    value, error = each[name], each[f"{name}_se"]
    if value is None or error is None:
        return Text("–")
    far = name in UNBIASED and abs(value) > STANDARD_ERRORS * error
    numbers = f"{value * scale:.{decimals}f} ± {error * scale:.{decimals}f}"
    return Text(numbers, style="bold" if far else "")
