"""Rows that are kept and yet not believed: what was withheld of the prices, and by which rule.

They are withheld at ingest, before anything is made from the prices, by rules that look at the
row's own day and the days before it. So characteristics, panel, training and evaluation all see the
same, and a value once withheld stays so when days are added (docs/decisions/0019-quarantine.md).
Here they are put together, counted and saved.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from latentbeta.config import QualitySettings
from latentbeta.errors import DataError
from latentbeta.quality.rules import Rule

QUARANTINE_FILE = "quarantine.parquet"
FLAGS_FILE = "flags.parquet"
WITHHELD = {"unreliable_return": "total_return"}  # rule of flags.parquet: the column it takes out
COLUMNS = ["rule", "table", "date", "asset", "column", "value", "marks"]


def nothing_quarantined() -> pd.DataFrame:
    """Return what `quarantined_rows` does where nothing is withheld."""
    return _typed(pd.DataFrame(columns=COLUMNS))


def quarantined_rows(flags_file: Path) -> pd.DataFrame:
    """Return every value that ingest withheld.

    Parameters
    ----------
    flags_file : Path
        ``flags.parquet``, as in docs/architecture.md.

    Returns
    -------
    pandas.DataFrame
        rule, table, date, asset, column, value (as it was recorded) and marks, the other rules
        that mark the row, by name; sorted by date, asset and rule.

    Raises
    ------
    DataError
        When there is no such file.
    """
    try:
        flags = pd.read_parquet(flags_file)
    except FileNotFoundError as error:
        raise DataError(f"{flags_file}: no such file; run the stage ingest first") from error
    withheld = flags[flags["rule"].isin(WITHHELD)].drop_duplicates(["rule", "date", "asset"])
    others = flags[~flags["rule"].isin(WITHHELD)].merge(withheld[["date", "asset"]])
    marks = others.groupby(["date", "asset"])["rule"].agg(lambda rules: ", ".join(sorted({*rules})))
    rows = withheld.join(marks.rename("marks"), on=["date", "asset"])
    rows = rows.assign(table="prices", column=rows["rule"].map(WITHHELD))
    return _typed(rows.sort_values(["date", "asset", "rule"], ignore_index=True))


def _typed(rows: pd.DataFrame) -> pd.DataFrame:
    kinds = dict.fromkeys(COLUMNS, "str") | {"date": "datetime64[us]", "value": "float64"}
    return rows.reindex(columns=COLUMNS).astype(kinds)


def quarantine_table(quarantined: pd.DataFrame, prices: pd.DataFrame) -> pd.DataFrame:
    """Return one row about all of the prices: date (their last), n_withheld, share of the rows."""
    return pd.DataFrame(
        {
            "date": [prices["date"].max()],
            "n_withheld": [float(len(quarantined))],
            "share": [len(quarantined) / len(prices)],
        }
    )


def quarantine_rules(settings: QualitySettings) -> Iterator[Rule]:
    """Give the rule about `quarantine_table`."""
    share = settings.blocking_withheld
    yield Rule(
        name="withheld_few",
        table="price_quarantine",
        severity="blocking",
        requires=f"at most {share:.1%} of the daily returns are withheld at ingest",
        expectation="ExpectColumnValuesToBeBetween",
        arguments={"column": "share", "max_value": share},
    )
