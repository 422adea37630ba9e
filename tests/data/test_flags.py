from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from latentbeta.data.adjust import total_returns
from latentbeta.data.flags import RULES, suspicious_rows

QuoteTable = Callable[[list[tuple[Any, ...]], str], pd.DataFrame]
COLUMNS = "open high low close volume dividend split"


def weekdays(count: int) -> list[str]:
    days = np.arange("2024-01-01", "2025-01-01", dtype="datetime64[D]")
    return [str(day) for day in days[np.is_busday(days)][:count]]


def asset(name: str, closes: list[float], **columns: list[float]) -> list[tuple[Any, ...]]:
    given = pd.DataFrame({"close": closes})
    for column, factor in (("open", 1.0), ("high", 1.02), ("low", 0.98)):
        given[column] = columns.get(column, given["close"] * factor)
    for column, value in (("volume", 1000.0), ("dividend", 0.0), ("split", 1.0)):
        given[column] = columns.get(column, value)
    days = weekdays(len(closes))
    return [
        (name, day, *row)
        for day, row in zip(days, given[COLUMNS.split()].to_numpy().tolist(), strict=True)
    ]


def no_listings() -> pd.DataFrame:
    return pd.DataFrame({"asset": [], "listed": [], "delisted": []}).astype(
        {"asset": "str", "listed": "datetime64[us]", "delisted": "datetime64[us]"}
    )


def flagged(prices: pd.DataFrame, assets: pd.DataFrame | None = None) -> pd.DataFrame:
    days = prices["date"].to_numpy().astype("datetime64[D]")
    session = np.busday_count(days.min(), days)
    known = no_listings() if assets is None else assets
    whole = {"shares": 1e6} | dict(prices.items())
    return suspicious_rows(
        prices.assign(**whole), session, total_returns(prices, session), known.assign(sector=None)
    )


def hits(flags: pd.DataFrame, rule: str) -> list[tuple[str, str, float]]:
    rows = flags[flags["rule"] == rule]
    return [
        (row.asset, f"{row.date:%Y-%m-%d}", pytest.approx(row.value)) for row in rows.itertuples()
    ]


def test_an_ordinary_history_is_not_flagged(quote_table: QuoteTable) -> None:
    prices = quote_table(asset("A", [100.0, 101.0, 99.0, 99.0, 103.0]), COLUMNS)
    flags = flagged(prices)
    assert flags.empty
    assert flags.columns.tolist() == ["rule", "asset", "date", "value", "detail"]
    assert flags.dtypes.astype(str).tolist() == ["str", "str", "datetime64[us]", "float64", "str"]


def test_zero_volume_and_prices_that_stand_still(quote_table: QuoteTable) -> None:
    volume = [10.0, 0, 0, 0, 0, 0, 0, 10]
    prices = quote_table(
        [*asset("A", [9.0] * 8, volume=volume), *asset("B", [9.0] * 8, volume=[0.0] * 4 + [9] * 4)],
        COLUMNS,
    )
    flags = flagged(prices)
    days = weekdays(8)
    assert hits(flags, "stale_price") == [("A", days[5], 5), ("A", days[6], 6)]
    assert len(hits(flags, "zero_volume")) == 6 + 4


def test_a_filled_in_quote(quote_table: QuoteTable) -> None:
    flat = {"open": [9.0, 9, 9], "high": [9.1, 9, 9.1], "low": [8.9, 9, 8.9]}
    flags = flagged(quote_table(asset("A", [9.0, 9.0, 9.0], **flat), COLUMNS))
    assert hits(flags, "filled_quote") == [("A", weekdays(2)[1], 9.0)]


def test_large_returns(quote_table: QuoteTable) -> None:
    flags = flagged(quote_table(asset("A", [100.0, 151, 76, 114, 57.5]), COLUMNS))
    days = weekdays(5)
    assert hits(flags, "large_return") == [("A", days[1], 0.51)]


def test_a_spike_is_flagged_where_it_is_undone(quote_table: QuoteTable) -> None:
    days = weekdays(9)
    up = asset("UP", [100.0, 140, 139, 101, 100, 100, 100, 100, 100])
    slow = asset("SLOW", [100.0, 140, 140, 140, 140, 140, 140, 100, 100])  # after six quotes
    moved = asset("MOVED", [100.0, 140, 125, 124, 123, 122, 121, 121, 121])
    flags = flagged(quote_table([*up, *slow, *moved], COLUMNS))
    assert hits(flags, "reversed_spike") == [("UP", days[3], 101 / 140 - 1)]
    detail = flags.loc[flags["rule"] == "reversed_spike", "detail"].item()
    assert detail == f"undoes the +40.0% of {days[1]}"


def test_a_spike_is_not_undone_by_another_asset(quote_table: QuoteTable) -> None:
    flags = flagged(quote_table([*asset("A", [100.0, 150]), *asset("B", [150.0, 100])], COLUMNS))
    assert hits(flags, "reversed_spike") == []


@pytest.mark.parametrize(
    ("close", "alike"), [(50.9, True), (33.0, True), (305.0, True), (60, False)]
)
def test_a_price_move_like_a_split(quote_table: QuoteTable, close: float, alike: bool) -> None:
    flags = flagged(quote_table(asset("A", [100.0, 100.0, close]), COLUMNS))
    assert (len(hits(flags, "like_a_split")) == 1) == alike


def test_a_recorded_split_is_none_that_is_missing(quote_table: QuoteTable) -> None:
    flags = flagged(quote_table(asset("A", [100.0, 50.0], split=[1.0, 2.0]), COLUMNS))
    assert flags.empty


def test_prices_out_of_order(quote_table: QuoteTable) -> None:
    days = weekdays(4)
    rows = asset(
        "A",
        [10.0, 10.0, 10.0, 10.0],
        open=[10.0, 10.5, 9.0, 10.0],
        high=[10.0, 10.0, 10.5, 10.5],
        low=[10.0, 9.5, 9.5, np.nan],
    )
    flags = flagged(quote_table(rows, COLUMNS))
    assert hits(flags, "prices_out_of_order") == [("A", days[1], 0.05), ("A", days[2], 9.5 / 9 - 1)]


def test_rounding_to_single_precision_is_not_out_of_order(quote_table: QuoteTable) -> None:
    high = float(np.float32(5020.31))
    rows = asset("A", [5020.31], open=[5020.31], high=[high * (1 - 5e-8)], low=[5000.0])
    assert flagged(quote_table(rows, COLUMNS)).empty


def test_remedied_rows_are_flagged_with_what_was_recorded(quote_table: QuoteTable) -> None:
    days = weekdays(4)
    rows = asset("A", [100.0, 101.0, 51.0, 51.0], split=[1.0, 2.0, 1.0, 1.0])
    flags = flagged(quote_table(rows, COLUMNS))
    assert hits(flags, "split_contradicted") == [("A", days[1], 2.0)]
    assert hits(flags, "split_late") == [("A", days[2], 2 * 51 / 101 - 1)]
    assert hits(flags, "unreliable_return") == [("A", days[1], 1.02)]


def test_quotes_outside_the_listing(quote_table: QuoteTable) -> None:
    days = weekdays(4)
    assets = pd.DataFrame(
        {"asset": ["A", "B"], "listed": [days[1], None], "delisted": [days[2], None]}
    ).astype({"listed": "datetime64[us]", "delisted": "datetime64[us]"})
    prices = quote_table([*asset("A", [10.0, 11, 12, 13]), *asset("B", [5.0] * 4)], COLUMNS)
    flags = flagged(prices, assets)
    assert hits(flags, "outside_listing") == [("A", days[0], 10.0), ("A", days[3], 13.0)]


def test_a_mark_once_set_stays_and_none_comes_later(quote_table: QuoteTable) -> None:
    random = np.random.default_rng(11)
    closes = 100 * np.exp(np.cumsum(random.choice([-0.69, 0.0, 0.0, 0.69, 0.35, -0.35], 60)))
    rows = asset(
        "A",
        closes.round(2).clip(0.5).tolist(),
        volume=random.choice([0.0, 100.0], 60).tolist(),
        split=random.choice([1.0, 1.0, 2.0], 60).tolist(),
    )
    prices = quote_table(rows, COLUMNS)
    whole = flagged(prices)
    assert whole["rule"].nunique() >= 5
    for stop in range(2, 60):
        part = flagged(prices.iloc[:stop])
        expected = whole[whole["date"] <= prices["date"].iloc[stop - 1]].reset_index(drop=True)
        pd.testing.assert_frame_equal(part, expected)


def test_flags_come_in_the_order_of_the_rules(quote_table: QuoteTable) -> None:
    rows = [*asset("A", [100.0, 200.0], volume=[0.0, 0.0]), *asset("B", [100.0, 1000.0])]
    rules = flagged(quote_table(rows, COLUMNS))["rule"].tolist()
    assert rules == sorted(rules, key=RULES.index)
