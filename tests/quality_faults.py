"""Faults for the tests of the validation gate, each planted into clean tables."""

from collections.abc import Callable

import numpy as np
import pandas as pd

Change = Callable[[pd.DataFrame], pd.DataFrame]


def put(column: str, value: object, row: int = 100) -> Change:
    """Change one cell."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[row, column] = value
        return table

    return change


def fill(column: str, value: object, share: float) -> Change:
    """Change the last rows of a column."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[int(len(table) * (1 - share)) :, column] = value
        return table

    return change


def scale(column: str, by: float, row: int = 100) -> Change:
    """Multiply one cell."""
    return lambda table: put(column, table.loc[row, column] * by, row)(table)


def without(where: Change) -> Change:
    """Leave out the rows for which `where` is true."""
    return lambda table: table[~where(table)].reset_index(drop=True)


def twice(row: int) -> Change:
    return lambda table: pd.concat([table.loc[: row - 1], table.loc[row - 1 :]], ignore_index=True)


PRICE_FAULTS: dict[str, Change] = {
    "price_columns": lambda table: table.rename(columns={"shares": "outstanding"}),
    "price_type": lambda table: table.assign(volume=table["volume"].astype(np.int32)),
    "price_key_unique": twice(100),
    "price_known": put("split", np.nan),
    "price_positive": put("open", -50.0),
    "split_positive": put("split", 0.0),
    "shares_positive": put("shares", np.inf),
    "volume_not_negative": put("volume", -1.0),
    "dividend_not_negative": put("dividend", -0.01),
    "total_return_possible": put("total_return", np.inf),
    "price_order": scale("open", 1.2),
    "total_return_usual": put("total_return", 1.01),
    "dividend_below_price": put("dividend", 1_000.0),
    "quote_known": fill("open", np.nan, 0.02),
    "volume_traded": fill("volume", 0.0, 0.02),
    "price_date_is_session": lambda table: table.replace(
        {"date": {pd.Timestamp("2018-02-09"): pd.Timestamp("2018-02-10")}}
    ),
    "session_complete": without(
        lambda table: (table["date"] == "2018-05-03") & (table["asset"] > "A22")
    ),
    "price_not_stale": lambda table: table.assign(
        **{
            name: table[name].mask((table["asset"] == "A07") & (table["date"] > "2018-06-14"), 40)
            for name in ("open", "high", "low", "close")
        }
    ),
}
# What a fault in one rule breaks in another, unavoidably.
PRICE_COMPANIONS = {
    "price_columns": {"price_type", "shares_positive"},  # cannot be evaluated
    "price_positive": {"price_order"},
    "total_return_possible": {"total_return_usual"},
    "price_date_is_session": {"session_complete"},
}
PANEL_FAULTS: dict[str, Change] = {
    "panel_columns": lambda table: table.assign(extra=table["mom1m"]),
    "panel_type": lambda table: table.assign(**{"return": table["return"].astype(np.float32)}),
    "panel_key_unique": twice(100),
    "panel_known": put("asset", None),
    "characteristic_ranked": put("mom1m", 1.001),
    "characteristic_known": put("mom1m", np.nan),
    "characteristic_varies": lambda table: table.assign(mom1m=np.float32(0)),
    "market_equity_positive": put("market_equity", 0.0),
    "return_possible": put("return", -1.06),
    "return_known": fill("return", np.nan, 0.3),
    "formation_before_date": lambda table: table.assign(
        formation=table["formation"].mask(table["date"] == table["date"].min(), table["date"])
    ),
    "formation_unique": put("formation", pd.Timestamp("2018-01-09"), row=5),
    "formation_in_prices": lambda table: table.assign(
        formation=table["formation"].replace(
            {pd.Timestamp("2018-06-29"): pd.Timestamp("2018-06-28")}
        )
    ),
    "assets_enough": lambda table: table.drop(index=range(11)),
    "market_equity_known": fill("market_equity", np.nan, 0.41),
}
PANEL_COMPANIONS = {"panel_columns": {"characteristic_covered"}}  # it has no raw values
# Tested with values of their own.
RAW_RULES = {"characteristic_covered", "characteristic_covered_by_year"}
