"""The attribution of a portfolio for a terminal."""

from __future__ import annotations

import pandas as pd
from rich.table import Table

from latentbeta.evaluation.ladder import ModelKey
from latentbeta.report.words import name_of, number


def attribution_table(summary: pd.DataFrame, key: ModelKey, dates: pd.Series) -> Table:
    """Return what each part gave a year, in percent, with its volatility and t-statistic.

    Parameters
    ----------
    summary : DataFrame
        Of `latentbeta.evaluation.attribution.summary_of`.
    dates : Series
        The dates it is about.
    """
    table = Table(
        title=f"{name_of(key.model)}, K = {key.n_factors}: {len(dates)} periods,"
        f" {dates.min():%Y-%m-%d} to {dates.max():%Y-%m-%d}",
        title_justify="left",
    )
    table.add_column("Part")
    for heading in ("Mean a year, %", "Volatility, %", "t"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in summary.to_dict("records"):
        numbers = (100 * row["mean"], 2), (100 * row["volatility"], 2), (row["t"], 1)
        table.add_row(str(row["part"]).replace("_", " "), *(number(*pair) for pair in numbers))
    return table
