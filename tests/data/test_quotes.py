import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from latentbeta.data.adjust import total_returns
from latentbeta.data.calendar import sessions
from latentbeta.data.quotes import usable_quotes
from latentbeta.errors import DataError

QuoteTable = Callable[[list[tuple[Any, ...]], str], pd.DataFrame]
JANUARY = sessions("XNYS", dt.date(2024, 1, 2), dt.date(2024, 1, 31))


def many(day: str, count: int) -> list[tuple[Any, ...]]:
    return [(f"Z{i:03d}", day, 5.0, 0.0, 1.0) for i in range(count)]


def test_sessions_are_numbered_and_good_rows_stay_as_they_are(quote_table: QuoteTable) -> None:
    prices = quote_table(
        [("A", "2024-01-02", 10.0), ("A", "2024-01-05", 11.0), ("A", "2024-01-08", 12.0)], "close"
    )
    usable = usable_quotes(prices, JANUARY, calendar="XNYS")
    assert usable.session.tolist() == [0, 3, 4]
    assert usable.dropped == {"not_a_session": 0, "no_close": 0}
    pd.testing.assert_frame_equal(usable.prices, prices)


def test_rows_without_close_or_off_session_are_dropped_and_counted(
    quote_table: QuoteTable,
) -> None:
    rows = [
        ("A", "2024-01-02", 10.0, 0.0, 1.0),
        ("A", "2024-01-03", np.nan, 0.0, 1.0),
        ("A", "2024-01-06", 10.5, 0.0, 1.0),  # a Saturday
        ("A", "2024-02-01", 10.5, 0.0, 1.0),  # after the last session
        ("A", "2024-01-08", 11.0, 0.0, 1.0),
        *many("2024-01-02", 300),
    ]
    prices = quote_table(rows, "close dividend split")
    usable = usable_quotes(prices, JANUARY, calendar="XNYS")
    assert usable.dropped == {"not_a_session": 2, "no_close": 1}
    kept = usable.prices[usable.prices["asset"] == "A"]
    assert kept["close"].tolist() == [10.0, 11.0]
    assert usable.prices.index.tolist() == list(range(302))


def test_dividends_and_splits_of_dropped_rows_reach_the_next_quote(quote_table: QuoteTable) -> None:
    rows = [
        ("A", "2024-01-02", 100.0, 0.0, 1.0),
        ("A", "2024-01-03", np.nan, 3.0, 1.0),  # 3 on the old share
        ("A", "2024-01-04", np.nan, 1.0, 2.0),  # two for one, and 1 on each new share
        ("A", "2024-01-05", 11.0, 0.5, 4.0),  # four for one, and 0.5 on each
        ("A", "2024-01-08", np.nan, 7.0, 1.0),  # nothing follows
        ("B", "2024-01-08", 20.0, 0.0, 1.0),
    ]
    usable = usable_quotes(quote_table(rows, "close dividend split"), JANUARY, calendar="XNYS")
    assert usable.carried == 2
    # One share: paid 3, then becomes 2 and is paid 1 each, then 8 shares of 11 paid 0.5 each.
    total = 3 + 2 * 1 + 8 * (11 + 0.5)
    found = total_returns(usable.prices, usable.session)
    assert found.recorded[1] == pytest.approx(total / 100 - 1)
    assert usable.prices["split"].tolist() == [1.0, 8.0, 1.0]
    assert usable.prices["dividend"].iloc[2] == 0


def test_too_many_days_off_session_are_another_exchange(quote_table: QuoteTable) -> None:
    rows = [("A", "2024-01-06", 10.0, 0.0, 1.0), *many("2024-01-08", 20)]
    prices = quote_table(rows, "close dividend split")
    message = r"1 of 21 price rows .* XNYS, the first 'A' on 2024-01-06; set data\.calendar"
    with pytest.raises(DataError, match=message):
        usable_quotes(prices, JANUARY, calendar="XNYS")


def test_no_close_at_all(quote_table: QuoteTable) -> None:
    prices = quote_table([("A", "2024-01-02", np.nan)], "close")
    with pytest.raises(DataError, match="no price row has a close"):
        usable_quotes(prices, JANUARY, calendar="XNYS")


def test_an_asset_whose_dates_are_a_day_off_is_named(quote_table: QuoteTable) -> None:
    others = [row for day in JANUARY.astype(str) for row in many(day[:10], 60)]
    shifted = [("A", str(day - np.timedelta64(1, "D"))[:10], 10.0, 0.0, 1.0) for day in JANUARY]
    prices = quote_table([*shifted, *others], "close dividend split")
    message = r"5 of 21 rows of 'A' .* the first on 2024-01-01: its dates are shifted"
    with pytest.raises(DataError, match=message):
        usable_quotes(prices, JANUARY, calendar="XNYS")
