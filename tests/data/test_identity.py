import itertools
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from latentbeta.data.adjust import total_returns
from latentbeta.data.identity import reused_tickers, swapped_prices, unknown_sectors
from latentbeta.data.marks import Marks

QuoteTable = Callable[[list[tuple[Any, ...]], str], pd.DataFrame]


def pair(quote_table: QuoteTable, *, a: tuple[float, float], b: tuple[float, float]) -> Any:
    """A stands at 100 and B at 40; then each opens and closes as given."""
    rows = [
        ("A", "2024-01-02", 100.0, 100.0),
        ("A", "2024-01-03", *a),
        ("B", "2024-01-02", 40.0, 40.0),
        ("B", "2024-01-03", *b),
    ]
    return quote_table(rows, "open close")


@pytest.mark.parametrize(
    ("a", "b", "swapped"),
    [
        ((40.0, 41.0), (100.0, 99.0), True),
        ((40.0, 41.0), (60.0, 99.0), False),  # B opened elsewhere
        ((40.0, 43.0), (100.0, 99.0), False),  # A did not stay near
        ((40.0, 41.0), (40.0, 41.0), False),  # A alone fell
    ],
)
def test_two_assets_at_each_other_s_price(
    quote_table: QuoteTable, a: tuple[float, float], b: tuple[float, float], swapped: bool
) -> None:
    _, rows, values, detail = swapped_prices(pair(quote_table, a=a, b=b))
    assert sorted(rows.tolist()) == ([1, 3] if swapped else [])
    if swapped:
        said = dict(zip(rows.tolist(), detail, strict=True))
        assert said[1].startswith("stands at the price of B")
        assert dict(zip(rows.tolist(), values, strict=True)) == {1: a[1], 3: b[1]}


def test_a_swap_takes_place_on_one_day(quote_table: QuoteTable) -> None:
    rows = [
        ("A", "2024-01-02", 100.0),
        ("A", "2024-01-03", 40.0),
        ("B", "2024-01-02", 40.0),
        ("B", "2024-01-03", 40.0),
        ("B", "2024-01-04", 100.0),
    ]
    assert swapped_prices(quote_table(rows, "close"))[1].tolist() == []


def after_a_gap(quote_table: QuoteTable, gap: int, close: float) -> Marks:
    prices = quote_table([("A", "2024-01-02", 10.0), ("A", "2025-06-02", close)], "close")
    session = np.array([0, gap])
    return reused_tickers(session, total_returns(prices, session))


@pytest.mark.parametrize(
    ("gap", "close", "reused"),
    [(12, 10.5, False), (12, 21.0, True), (12, 4.9, True), (251, 10.0, True), (10, 30.0, False)],
)
def test_a_ticker_after_a_gap(
    quote_table: QuoteTable, gap: int, close: float, reused: bool
) -> None:
    assert after_a_gap(quote_table, gap, close)[1].tolist() == ([1] if reused else [])


def test_a_sector_is_missed_where_others_have_one(quote_table: QuoteTable) -> None:
    rows = [(name, day, 10.0) for name in "ABC" for day in ("2024-01-02", "2024-01-03")]
    prices = quote_table(rows, "close")
    assets = pd.DataFrame({"asset": list("ABC"), "sector": ["Energy", None, "Energy"]})
    assert unknown_sectors(prices, assets)[1].tolist() == [2]
    assert unknown_sectors(prices, assets.assign(sector=None))[1].tolist() == []


def test_in_prices_without_sense_pairs_are_those_of_a_plain_loop(quote_table: QuoteTable) -> None:
    close = np.exp(np.random.default_rng(0).normal(size=(40, 20)))
    _, found, _, detail = swapped_prices(_quoted(quote_table, close))
    assert not isinstance(detail, str)
    expected = list(_swaps_one_by_one(close))
    assert len(expected) > 20
    assert sorted(zip(found.tolist(), detail.tolist(), strict=True)) == sorted(expected)


def test_a_market_that_jumps_every_day_needs_little_memory(quote_table: QuoteTable) -> None:
    table = _quoted(quote_table, np.exp(np.random.default_rng(0).normal(size=(200, 40))))
    tracemalloc.start()
    swapped_prices(table)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8e6  # half of N² / 2 pairs a day, 400,000 in all, are ten times that


def _quoted(quote_table: QuoteTable, close: np.ndarray) -> pd.DataFrame:
    days = pd.bdate_range("2024-01-02", periods=close.shape[1])
    rows = [
        (f"A{n:03d}", day, price, price)
        for n, prices in enumerate(close)
        for day, price in zip(days, prices, strict=True)
    ]
    return quote_table(rows, "open close")


def _swaps_one_by_one(close: np.ndarray) -> Iterator[tuple[int, str]]:
    """The rule as a plain loop over days and pairs."""
    n_assets, n_days = close.shape
    for day in range(1, n_days):
        for a, b in itertools.permutations(range(n_assets), 2):
            before, now = close[[a, b], day - 1], close[[a, b], day]
            move = now / before
            if max(move) <= 1.3 or min(move) >= 1 / 1.3:
                continue
            if max(abs(np.log(now / before[::-1]))) < 0.05:
                name = f"A{b:03d}"
                yield a * n_days + day, f"stands at the price of {name}, which stands at its"
