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


def on(date: str, **values: Callable[[pd.Series], object]) -> Change:
    """Change columns on one date, from what they held."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        there = table["date"] == date
        for column, value in values.items():
            table.loc[there, column] = value(table.loc[there, column])
        return table

    return change


def copied_session(table: pd.DataFrame) -> pd.DataFrame:
    """Give all assets the quotes of the session before."""
    quotes = ["open", "high", "low", "close"]
    there = table["date"] == "2018-05-03"
    table.loc[there, quotes] = table.loc[table["date"] == "2018-05-02", quotes].to_numpy()
    return table


def behind_the_market(table: pd.DataFrame) -> pd.DataFrame:
    """Give one asset the market's returns of the session before."""
    market = table.groupby("date")["total_return"].mean().shift()
    one = table["asset"] == "A07"
    table.loc[one, "total_return"] = market.to_numpy()
    return table


def split_without_volume(table: pd.DataFrame) -> pd.DataFrame:
    """Split eight assets two for one, their volumes as before."""
    some, day = table["asset"] < "A08", table["date"] == "2018-04-03"
    later = some & (table["date"] >= "2018-04-03")
    quotes = ["open", "high", "low", "close"]
    table.loc[later, quotes] = table.loc[later, quotes] / 2
    table.loc[some & day, "split"] = 2.0
    return table


def dividends_without_a_fall(table: pd.DataFrame) -> pd.DataFrame:
    paid = np.arange(len(table)) % 20 == 0
    return table.assign(dividend=np.where(paid, table["close"] * 0.05, 0.0))


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
    "session_moved": copied_session,
    "session_return_usual": on("2018-05-03", total_return=lambda _: 0.3),
    "session_volume_usual": on("2018-05-03", volume=lambda volume: volume * 20),
    "asset_quoted": without(
        lambda table: (table["asset"] == "A07") & table["date"].between("2018-02-01", "2018-03-15")
    ),
    "asset_in_step": behind_the_market,
    "turnover_usual": lambda table: table.assign(shares=1_000.0),
    "turnover_of_asset_usual": lambda table: table.assign(
        shares=table["shares"].mask(table["asset"] == "A07", 1e9)
    ),
    "split_in_price": fill("split", 2.0, 0.001),
    "split_in_volume": split_without_volume,
    "dividend_in_price": dividends_without_a_fall,
}
# What a fault in one rule breaks in another, unavoidably.
PRICE_COMPANIONS = {
    "price_columns": {"price_type", "shares_positive"},  # cannot be evaluated
    "price_positive": {"price_order"},
    "total_return_possible": {"total_return_usual"},
    "price_date_is_session": {"session_complete"},
    "volume_traded": {"session_volume_usual"},  # the last rows are whole sessions
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
