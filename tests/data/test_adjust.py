from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from latentbeta.data.adjust import LONGEST_GAP, total_returns, with_delisting_returns

QuoteTable = Callable[[list[tuple[Any, ...]], str], pd.DataFrame]


def sessions_of(prices: pd.DataFrame) -> np.ndarray:
    """Number weekdays as sessions, from the first date on."""
    days = prices["date"].to_numpy().astype("datetime64[D]")
    return np.busday_count(days.min(), days)


def test_returns_by_hand(quote_table: QuoteTable) -> None:
    prices = quote_table(
        [
            ("A", "2024-01-02", 100.0, 0.0, 1.0),
            ("A", "2024-01-03", 102.0, 0.0, 1.0),
            ("A", "2024-01-04", 101.0, 2.0, 1.0),  # pays 2
            ("A", "2024-01-05", 52.0, 0.0, 2.0),  # two for one
            ("A", "2024-01-08", 155.0, 0.0, 1 / 3),  # one for three
            ("B", "2024-01-03", 7.0, 0.0, 1.0),
            ("B", "2024-01-04", 7.7, 0.0, 1.0),
        ],
        "close dividend split",
    )
    expected = [
        np.nan,
        102 / 100 - 1,
        (101 + 2) / 102 - 1,
        2 * 52 / 101 - 1,
        155 / 3 / 52 - 1,
        np.nan,
        0.1,
    ]
    found = total_returns(prices, sessions_of(prices))
    np.testing.assert_allclose(found.total_return, expected, rtol=1e-14)
    np.testing.assert_array_equal(found.recorded, found.total_return)


def test_a_dividend_on_a_split_date_is_paid_per_new_share(quote_table: QuoteTable) -> None:
    # One share of 27.39 becomes a third of a share of 58.00, which is paid 24.48 a share.
    prices = quote_table(
        [("HLT", "2017-01-03", 27.39, 0.0, 1.0), ("HLT", "2017-01-04", 58.0, 24.48, 0.333333)],
        "close dividend split",
    )
    found = total_returns(prices, sessions_of(prices))
    assert found.total_return[1] == pytest.approx(0.333333 * (58.0 + 24.48) / 27.39 - 1)
    assert found.total_return[1] == pytest.approx(0.0038, abs=1e-4)


@pytest.mark.parametrize(("missed", "known"), [(0, True), (LONGEST_GAP, True), (11, False)])
def test_a_short_gap_is_bridged_and_a_long_one_is_not(
    quote_table: QuoteTable, missed: int, known: bool
) -> None:
    prices = quote_table(
        [("A", "2024-01-02", 10.0), ("A", "2024-03-01", 12.0), ("A", "2024-03-04", 12.6)], "close"
    )
    session = np.array([5, 6 + missed, 7 + missed])
    found = total_returns(prices, session)
    assert found.long_gap.tolist() == [False, not known, False]
    assert np.isfinite(found.total_return[1]) == known
    assert found.recorded[1] == pytest.approx(0.2)
    assert found.total_return[2] == pytest.approx(0.05)


def test_a_gap_is_counted_within_an_asset(quote_table: QuoteTable) -> None:
    prices = quote_table(
        [("A", "2024-01-02", 10.0), ("B", "2024-06-03", 12.0), ("B", "2024-06-04", 12.0)], "close"
    )
    assert not total_returns(prices, sessions_of(prices)).long_gap.any()


def test_the_delisting_return_is_compounded_into_the_day_of_the_delisting(
    quote_table: QuoteTable,
) -> None:
    prices = quote_table(
        [
            ("A", "2024-01-02", 10.0),
            ("A", "2024-01-03", 11.0),
            ("B", "2024-01-02", 10.0),
            ("B", "2024-01-03", 11.0),
            ("B", "2024-01-04", 12.0),
            ("C", "2024-01-02", 10.0),
        ],
        "close",
    )
    assets = pd.DataFrame(
        {
            "asset": ["A", "B", "C", "ZZZ"],
            "delisted": pd.to_datetime(["2024-01-05", "2024-01-03", "2023-06-01", "2024-01-03"]),
            "delisting_return": [-0.5, 0.2, -1.0, 0.1],
        }
    )
    found = with_delisting_returns(prices, np.array([np.nan, 0.1, np.nan, 0.1, 0.2, 0.3]), assets)
    expected = [np.nan, 0.1, np.nan, 1.1 * 1.2 - 1, 0.2, 0.3]  # A is delisted after its last quote
    np.testing.assert_allclose(found, expected)


def test_an_unknown_delisting_leaves_returns_alone(quote_table: QuoteTable) -> None:
    prices = quote_table([("A", "2024-01-02", 10.0), ("A", "2024-01-03", 11.0)], "close")
    assets = pd.DataFrame(
        {"asset": ["A"], "delisted": [pd.NaT], "delisting_return": [np.nan]},
    ).astype({"delisted": "datetime64[us]"})
    returns = np.array([np.nan, 0.1])
    np.testing.assert_array_equal(with_delisting_returns(prices, returns, assets), returns)
