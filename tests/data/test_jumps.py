from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from latentbeta.data.adjust import total_returns
from latentbeta.data.jumps import share_jumps, unusual_dividends, volume_jumps

QuoteTable = Callable[[list[tuple[Any, ...]], str], pd.DataFrame]
DAYS = [str(day)[:10] for day in pd.bdate_range("2024-01-01", periods=60)]


def volumes(quote_table: QuoteTable, **assets: list[float]) -> pd.DataFrame:
    rows = [
        (name, day, 10.0, volume)
        for name, series in assets.items()
        for day, volume in zip(DAYS, series, strict=False)
    ]
    return quote_table(rows, "close volume")


def test_a_volume_is_held_against_the_twenty_quotes_before(quote_table: QuoteTable) -> None:
    calm = [100.0] * 20
    prices = volumes(
        quote_table,
        A=[*calm, 10_001.0, 100.0],
        B=[*calm, 10_000.0],  # no more than a hundred times
        C=[*calm, 0.9, 0.0],  # the mean before the zero is still near 100; zero is not a collapse
        D=[*calm[1:], 10_001.0],  # only nineteen before it
        E=[100.0] * 19 + [np.nan, 10_001.0],  # one of the twenty is not known
    )
    burst, collapse = volume_jumps(prices)
    where = [(prices["asset"][row], str(prices["date"][row])[:10]) for row in burst[1]]
    assert where == [("A", DAYS[20])]
    assert burst[2].tolist() == [10_001.0]
    where = [(prices["asset"][row], str(prices["date"][row])[:10]) for row in collapse[1]]
    assert where == [("C", DAYS[20])]


def test_volumes_agree_with_a_loop_over_assets(quote_table: QuoteTable) -> None:
    random = np.random.default_rng(3)
    series = {f"A{i}": np.exp(random.normal(5, 4, 60)).tolist() for i in range(5)}
    prices = volumes(quote_table, **series)
    burst, collapse = volume_jumps(prices)
    slow = [
        (60 * i + t, values[t] / np.mean(values[t - 20 : t]))
        for i, values in enumerate(series.values())
        for t in range(20, 60)
    ]
    assert burst[1].tolist() == [row for row, ratio in slow if ratio > 100]
    assert collapse[1].tolist() == [row for row, ratio in slow if ratio < 0.01]
    assert len(collapse[1]) > 5


def dividends(quote_table: QuoteTable, *rows: tuple[float, float]) -> pd.DataFrame:
    return quote_table(
        [("A", day, *row) for day, row in zip(DAYS, rows, strict=False)], "close dividend"
    )


@pytest.mark.parametrize(
    ("close", "paid", "odd"),
    [
        (100.0, 5.0, True),  # five times the last three, and the price stood
        (95.0, 5.0, False),  # it fell by what was paid: a special dividend
        (97.4, 5.0, False),  # it fell by more than half of it
        (97.6, 5.0, True),
        (100.0, 4.0, False),  # no more than four times
        (100.0, 1.9, False),  # too small to be seen in a price
    ],
)
def test_a_dividend_is_held_against_the_last_three(
    quote_table: QuoteTable, close: float, paid: float, odd: bool
) -> None:
    usual = [(100.0, 0.0), (100.0, 1.0), (100.0, 0.5), (100.0, 1.0)]
    prices = dividends(quote_table, *usual, (close, paid))
    found = unusual_dividends(prices, total_returns(prices, np.arange(len(prices))))
    assert found[1].tolist() == ([4] if odd else [])


def test_the_first_three_dividends_are_not_judged(quote_table: QuoteTable) -> None:
    prices = dividends(quote_table, (100.0, 0.0), (100.0, 1.0), (100.0, 1.0), (100.0, 20.0))
    found = unusual_dividends(prices, total_returns(prices, np.arange(len(prices))))
    assert found[1].tolist() == []


@pytest.mark.parametrize(
    ("shares", "split", "jumps"),
    [
        (1e6, 1.0, False),
        (4.9e6, 1.0, False),
        (5.1e6, 1.0, True),
        (0.19e6, 1.0, True),
        (10e6, 10.0, False),  # a split of ten for one
        (1e6, 10.0, False),  # whose new shares are counted later
        (1e6 / 10, 10.0, True),
        (np.nan, 1.0, False),
    ],
)
def test_shares_that_a_split_does_not_explain(
    quote_table: QuoteTable, shares: float, split: float, jumps: bool
) -> None:
    rows = [("A", DAYS[0], 10.0, 1e6, 1.0), ("A", DAYS[1], 10.0, shares, split)]
    rows += [("B", DAYS[0], 10.0, 1e9, 1.0)]  # another asset is no jump
    found = share_jumps(quote_table(rows, "close shares split"))
    assert found[1].tolist() == ([1] if jumps else [])
