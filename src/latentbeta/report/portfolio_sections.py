"""What trading the forecasts would have earned, in tables and a sentence."""

from __future__ import annotations

import pandas as pd

from latentbeta.evaluation.ladder import ModelKey
from latentbeta.report.cells import Cell, ModelTable, rows_of
from latentbeta.report.comparisons import best
from latentbeta.report.inputs import Record, ReportInputs
from latentbeta.report.words import factors_phrase, is_known, name_of, number, percent

LONG_SHORT = "long_short"
WEIGHTINGS = {"equal": "Equal-weighted", "value": "Value-weighted"}
CONVINCING = 0.95  # the usual level of a deflated Sharpe ratio
HEADINGS = (
    "lowest, mean %",
    "highest, mean %",
    "long-short, mean %",
    "volatility %",
    "Sharpe a year",
    "turnover %",
    "Sharpe, net",
    "drawdown %",
)


def decile_tables(inputs: ReportInputs, keys: list[ModelKey]) -> list[ModelTable]:
    """Return a table a weighting: the ends of the sort, and the one less the other."""
    tables = []
    for weighting, caption in WEIGHTINGS.items():
        lines = {key: decile_rows(inputs, key, weighting) for key in keys}
        known = {key: rows for key, rows in lines.items() if rows["mean"].notna().any()}
        if known:
            records = [{"model": key.model, "n_factors": key.n_factors} for key in known]
            cells = [_decile_cells(rows) for rows in known.values()]
            tables.append(ModelTable(caption, HEADINGS, tuple(rows_of(records, cells))))
    return tables


def leaders_phrase(leading: list[ModelKey], every: list[ModelKey]) -> str:
    """Say which models the figure of deciles shows."""
    if len(leading) == len(every):
        return "all models"
    return (
        "the production model, and the best of each class of models by the Sharpe ratio of the "
        "long-short portfolio (being picked flatters them)"
    )


def decile_rows(inputs: ReportInputs, key: ModelKey, weighting: str) -> pd.DataFrame:
    """Return one model's portfolios in one weighting, lowest forecasts first, indexed by name."""
    rows = inputs.of_model("deciles", key)
    if rows.empty:
        return pd.DataFrame(columns=["mean"])
    rows = rows[rows["weighting"] == weighting]
    return rows.set_index(rows["portfolio"].astype(str))


def _decile_cells(rows: pd.DataFrame) -> list[Cell]:
    ends, spread = rows.drop(index=LONG_SHORT), rows.loc[LONG_SHORT]
    error = spread["sharpe_se"]
    return [
        Cell(number(100 * ends["mean"].iloc[0], 2)),
        Cell(number(100 * ends["mean"].iloc[-1], 2)),
        Cell(number(100 * spread["mean"], 2)),
        Cell(number(100 * spread["volatility"], 1)),
        Cell(number(spread["sharpe"], 2), f"± {number(error, 2)}" if is_known(error) else ""),
        Cell(number(100 * spread["turnover"], 0)),
        Cell(number(spread["net_sharpe"], 2)),
        Cell(number(100 * spread["drawdown"], 1)),
    ]


def luck_sentence(metrics: list[Record]) -> str:
    """Say whether the highest Sharpe ratio could be luck, given how many were tried; or nothing."""
    record = best(metrics, "long_short_sharpe")
    probability = record.get("long_short_deflated_sharpe") if record else None
    if record is None or not is_known(probability):
        return ""
    tried = sum(is_known(r.get("long_short_sharpe")) for r in metrics)
    meaning = (
        "hard to put down to luck"
        if probability >= CONVINCING
        else f"luck alone could explain it: {percent(CONVINCING, 0)} is the usual mark"
    )
    return (
        f"The highest of {tried} Sharpe ratios is {number(record['long_short_sharpe'], 2)} a year "
        f"({name_of(record['model'])}, {factors_phrase(record['n_factors'])}). The probability "
        f"that it is truly above what the luckiest of {tried} models without any skill would show "
        f"is {_probability(probability)} (deflated Sharpe ratio): {meaning}."
    )


def _probability(value: float) -> str:
    """Write a probability; none that is estimated is certain."""
    return "above 99 %" if value > 0.99 else "below 1 %" if value < 0.01 else percent(value, 0)
