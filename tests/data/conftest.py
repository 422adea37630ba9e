import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from latentbeta.config import DataSettings, read_settings

TODAY = dt.date(2024, 6, 3)

PriceWriter = Callable[..., Path]


@pytest.fixture
def today() -> dt.date:
    return TODAY


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(source: Path) -> DataSettings:
    default = read_settings(Path(__file__).parents[2] / "params.yaml").data
    return default.model_copy(update={"path": source})


@pytest.fixture
def lines() -> Callable[..., str]:
    """Text of a CSV file: two assets on the first three sessions of 2024, cells replaceable."""

    def text(**cells: Any) -> str:
        table = pd.DataFrame(
            {
                "date": ["2024-01-02", "2024-01-03", "2024-01-04"] * 2,
                "ticker": ["AAA"] * 3 + ["BBB"] * 3,
                "open": [10.0, 10.5, 11.0, 20.0, 21.0, 22.0],
                "high": [11.0, 11.5, 12.0, 21.0, 22.0, 23.0],
                "low": [9.0, 9.5, 10.0, 19.0, 20.0, 21.0],
                "close": [10.0, 11.0, 12.1, 20.0, 22.0, 20.9],
                "volume": [100, 200, 300, 400, 500, 600],
            }
        ).astype(object)
        for place, value in cells.items():
            column, row = place.rsplit("_", 1)
            table.loc[int(row) - 1, column] = value
        return table.to_csv(index=False)

    return text


def quotes(rows: list[tuple[Any, ...]], columns: str) -> pd.DataFrame:
    """Table of quotes as files.read_prices returns it, from rows of (asset, date, ...)."""
    table = pd.DataFrame(rows, columns=["asset", "date", *columns.split()])
    table["date"] = pd.to_datetime(table["date"]).astype("datetime64[us]")
    for name, missing in (("dividend", 0.0), ("split", 1.0), ("volume", 1000.0)):
        if name not in table:
            table[name] = missing
    for name in ("open", "high", "low"):
        if name not in table:
            table[name] = table["close"]
    kind = pd.CategoricalDtype(sorted(table["asset"].unique()), ordered=True)
    return table.assign(asset=table["asset"].astype(kind)).sort_values(
        ["asset", "date"], ignore_index=True
    )


@pytest.fixture
def quote_table() -> Callable[[list[tuple[Any, ...]], str], pd.DataFrame]:
    return quotes
