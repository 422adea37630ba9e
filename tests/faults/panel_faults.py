"""Faults of a panel, the user's own or ours."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
from tests.faults.planting import Fault, Outcome, Plant


def of_panel(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Plant:
    return lambda source: replace(source, panel=change(source.panel.copy()))


def next_one(table: pd.DataFrame) -> pd.DataFrame:
    """Shift a characteristic by one period, so that it holds the return it is to explain."""
    return table.assign(mom1m=table.groupby("asset")["mom1m"].shift(-1))


def zero_filled(table: pd.DataFrame) -> pd.DataFrame:
    lost = np.random.default_rng(1).random(len(table)) < 0.2
    return table.assign(**{"return": table["return"].mask(lost, 0.0)})


def clipped(table: pd.DataFrame) -> pd.DataFrame:
    by_date = table.groupby("date")["return"]
    low, high = (by_date.transform("quantile", q) for q in (0.1, 0.9))
    return table.assign(**{"return": table["return"].clip(low, high)})


def less_the_mean(table: pd.DataFrame) -> pd.DataFrame:
    for _ in range(2):
        mean = table.groupby("date")["return"].transform("mean")
        table["return"] = table["return"] - mean
    return table


def on_newest(column: str, change: Callable[[pd.Series], pd.Series]) -> Plant:
    """Change a column of the newest date that has a return."""

    def plant(table: pd.DataFrame) -> pd.DataFrame:
        newest = table["date"] == table["date"].max()
        return table.assign(**{column: table[column].mask(newest, change(table[column]))})

    return of_panel(plant)


def of_one(column: str, value: object) -> Plant:
    """Set a column of one asset throughout."""
    return of_panel(
        lambda t: t.assign(**{column: t[column].mask(t["asset"] == t["asset"].iloc[0], value)})
    )


PANEL_FAULTS = {
    "returns_in_percent": Fault(
        "returns in percent", "error", "percent",
        of_panel(lambda t: t.assign(**{"return": t["return"] * 100})),
    ),
    "panel_row_twice": Fault(
        "an asset twice in a period", "error", "holds already|the same date",
        of_panel(lambda t: pd.concat([t, t.iloc[[70]]])),
    ),
    "panel_infinite": Fault(
        "an infinite characteristic", "error", "not a number",
        of_panel(lambda t: t.assign(retvol=t["retvol"].where(t.index != 70, np.inf))),
    ),
    "foresight": Fault(
        "a characteristic of the period it is to explain", "blocking", "no_foresight",
        of_panel(next_one),
    ),
    "filled_with_zero": Fault(
        "missing returns filled with zero", "warning", "return_not_filled", of_panel(zero_filled)
    ),
    "clipped": Fault(
        "returns cut at their tenths", "warning", "return_not_filled", of_panel(clipped)
    ),
    "benchmark_twice": Fault(
        "the mean of the market taken off, twice", "warning", "return_not_adjusted",
        of_panel(less_the_mean),
    ),
    "returns_missing": Fault(
        "a third of the returns missing", "blocking", "return_known",
        of_panel(lambda t: t.assign(**{"return": t["return"].where(t.index % 3 > 0)})),
    ),
    "return_below_all": Fault(
        "a return of -150 %", "blocking", "return_possible",
        of_panel(lambda t: t.assign(**{"return": t["return"].where(t.index != 70, -1.5)})),
    ),
    "asset_without_return": Fault(
        "an asset that never has a return", "warning", "asset_has_return", of_one("return", np.nan)
    ),
    "market_equity_negative": Fault(
        "a negative market value", "blocking", "market_equity_positive",
        of_panel(
            lambda t: t.assign(market_equity=t["market_equity"].where(t.index != 70, -1e6))
        ),
    ),
    "characteristic_of_a_date": Fault(
        "a characteristic missing on a date", "warning", "characteristic_covered_as_before",
        on_newest("retvol", lambda c: c * np.nan),
    ),
    "characteristic_constant": Fault(
        "a characteristic that is one number", "blocking", "characteristic_varies",
        of_panel(lambda t: t.assign(retvol=0.02)),
    ),
    "drift": Fault(
        "a characteristic in another unit on the newest date", "warning", "newest_values_usual",
        on_newest("retvol", lambda c: c * 100),
    ),
    "sector_misspelt": Fault(
        "one asset's sector misspelt", "warning", "sector_shared", of_one("sector", "Sectr 01")
    ),
    "within_the_month": Fault(
        "dates that are not the period's end", "harmless", "",
        of_panel(lambda t: t.assign(date=t["date"].dt.to_period("M").dt.start_time)),
    ),
    "panel_out_of_order": Fault(
        "rows of a panel out of order", "harmless", "",
        of_panel(lambda t: t.sample(frac=1, random_state=1)),
    ),
}  # fmt: skip


def shifted_returns(table: pd.DataFrame) -> pd.DataFrame:
    """Give each row its asset's return of the period before."""
    return table.assign(**{"return": table.groupby("asset")["return"].shift(1)})


Change = Callable[[pd.DataFrame], pd.DataFrame]
# Planted into the panel that the stage characteristics leaves, as an error of ours would be.
BUILT_FAULTS: dict[str, tuple[str, Outcome, str, Change]] = {
    "target_shifted": (
        "the return of another period", "blocking", "return_in_prices", shifted_returns,
    ),
    "rank_beyond": (
        "a rank beyond one", "blocking", "characteristic_ranked",
        lambda t: t.assign(mom1m=t["mom1m"].where(t.index != 70, np.float32(1.01))),
    ),
    "rank_missing": (
        "a rank that is missing", "blocking", "characteristic_known",
        lambda t: t.assign(mom1m=t["mom1m"].where(t.index != 70)),
    ),
    "formed_late": (
        "characteristics formed on the day the period ends", "blocking", "formation_before_date",
        lambda t: t.assign(formation=t["formation"].mask(t["date"] == t["date"].min(), t["date"])),
    ),
    "built_row_twice": (
        "a row of the panel twice", "blocking", "panel_key_unique",
        lambda t: pd.concat([t.iloc[:71], t.iloc[70:]], ignore_index=True),
    ),
}  # fmt: skip
