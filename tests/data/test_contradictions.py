from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from latentbeta.data.adjust import total_returns

QuoteTable = Callable[[list[tuple[Any, ...]], str], pd.DataFrame]
COLUMNS = "open high low close volume dividend split"
DAYS = [f"2024-01-{day:02d}" for day in (2, 3, 4, 5, 8, 9, 10, 11, 12, 16)]


def history(
    quote_table: QuoteTable, *rows: tuple[float, float, float], volume: float = 1000.0
) -> pd.DataFrame:
    """Quotes of one asset from (close, dividend, split); open at the close, a calm range."""
    return quote_table(
        [
            ("A", day, close, close * 1.01, close * 0.99, close, volume, dividend, split)
            for day, (close, dividend, split) in zip(DAYS, rows, strict=False)
        ],
        COLUMNS,
    )


def judged(prices: pd.DataFrame) -> Any:
    return total_returns(prices, np.arange(len(prices)))


@pytest.mark.parametrize(
    ("close", "split", "contradicted"),
    [
        (50.0, 2.0, False),
        (65.0, 2.0, False),  # the split, and 30 % more
        (100.0, 2.0, True),  # no trace of the split
        (102.5, 2.0, True),
        (25.0, 2.0, True),  # four for one, it seems
        (104.0, 0.3036, True),
        (1000.0, 0.1, False),
        (105.0, 1.05, False),  # too small a split to be judged by a price
        (97.0, 1.1, False),
    ],
)
def test_a_split_that_the_price_does_not_show(
    quote_table: QuoteTable, close: float, split: float, contradicted: bool
) -> None:
    found = judged(history(quote_table, (100.0, 0, 1), (close, 0, split)))
    assert found.contradicted.split_contradicted[1] == contradicted
    assert np.isnan(found.total_return[1]) == contradicted
    assert found.recorded[1] == pytest.approx(close * split / 100 - 1)


def test_a_split_that_the_price_follows_days_later_is_taken_then(quote_table: QuoteTable) -> None:
    rows = [(100.0, 0, 1), (101.0, 0, 2), (102.0, 0, 1), (51.5, 0, 1), (52.0, 0, 1)]
    found = judged(history(quote_table, *rows))
    expected = [np.nan, np.nan, 102 / 101 - 1, 2 * 51.5 / 102 - 1, 52 / 51.5 - 1]
    np.testing.assert_allclose(found.total_return, expected)
    assert found.contradicted.late_split.tolist() == [1, 1, 1, 2, 1]


def test_a_late_split_is_taken_once_and_only_within_five_quotes(quote_table: QuoteTable) -> None:
    calm = [(100.0, 0, 1)] * 5
    rows = [(100.0, 0, 1), (100.0, 0, 2), *calm, (45.0, 0, 1)]
    assert (judged(history(quote_table, *rows)).contradicted.late_split == 1).all()
    rows = [(100.0, 0, 1), (100.0, 0, 2), (50.0, 0, 1), (26.0, 0, 1)]
    found = judged(history(quote_table, *rows, volume=np.nan))
    assert found.contradicted.late_split.tolist() == [1, 1, 2, 1]
    assert found.total_return[3] == pytest.approx(26 / 50 - 1)


def test_a_late_split_never_reaches_another_asset(quote_table: QuoteTable) -> None:
    prices = quote_table(
        [
            ("A", "2024-01-02", 100.0, 1.0),
            ("A", "2024-01-03", 100.0, 2.0),
            ("B", "2024-01-02", 50.0, 1.0),
            ("B", "2024-01-03", 25.0, 1.0),
        ],
        "close split",
    )
    assert (judged(prices).contradicted.late_split == 1).all()


@pytest.mark.parametrize(
    ("close", "opened", "spread", "volume", "dividend", "missing"),
    [
        (50.5, 50.0, 0.02, 2000.0, 0.0, True),  # calm: a split nobody wrote down
        (199.0, 201.0, 0.02, 400.0, 0.0, True),
        (50.5, 50.0, 0.20, 2000.0, 0.0, False),  # a wide range: news
        (50.5, 50.0, 0.02, 9000.0, 0.0, False),  # a burst of volume: news
        (50.5, 60.0, 0.02, 2000.0, 0.0, False),  # opened elsewhere: news
        (55.0, 55.0, 0.02, 2000.0, 0.0, False),  # near no split
        (50.5, 50.0, 0.02, 2000.0, 48.0, False),  # it paid the other half
        (50.5, 50.0, 0.02, np.nan, 0.0, False),  # no volume to judge by
    ],
)
def test_a_calm_day_at_a_usual_split_s_price_is_withheld(
    quote_table: QuoteTable,
    close: float,
    opened: float,
    spread: float,
    volume: float,
    dividend: float,
    missing: bool,
) -> None:
    before = [("A", day, 100.0, 101.0, 99.0, 100.0, 1000.0, 0.0, 1.0) for day in DAYS[:8]]
    low = min(opened, close)
    today = ("A", DAYS[8], opened, low * (1 + spread), low, close, volume, dividend, 1.0)
    found = judged(quote_table([*before, today], COLUMNS))
    assert found.contradicted.split_missing[-1] == missing
    assert np.isnan(found.total_return[-1]) == missing


@pytest.mark.parametrize(
    ("close", "dividend", "split", "contradicted"),
    [
        (70.0, 30.0, 1.0, False),  # paid 30 and fell by 30
        (95.0, 30.0, 1.0, True),  # did not fall
        (6.25, 181.0, 1.0, True),
        (110.0, 2.0, 1.0, False),  # an ordinary dividend says nothing
        (157.9, 261.9, 0.25, False),  # a dividend per new share: a spin-off and a reverse split
    ],
)
def test_a_large_dividend_that_the_price_does_not_show(
    quote_table: QuoteTable, close: float, dividend: float, split: float, contradicted: bool
) -> None:
    found = judged(history(quote_table, (100.0, 0, 1), (close, dividend, split)))
    assert found.contradicted.dividend_contradicted[1] == contradicted


@pytest.mark.parametrize(
    ("before", "close", "dividend", "split", "twice"),
    [
        (86.01, 49.93, 13.28, 1.589, True),  # the spin-off as a dividend and as a split
        (127.95, 32.32, 3.0, 4.0, True),  # three new shares, written as a dividend of 3
        (27.39, 58.0, 24.48, 0.333333, False),  # both are real: the return is small
        (100.0, 53.0, 0.1, 2.0, False),  # a real return of 6 % and a small dividend
        (100.0, 55.0, 0.0, 2.0, False),
        (100.0, 100.5, 4.0, 1.0, False),
    ],
)
def test_one_event_recorded_as_a_split_and_a_dividend(
    quote_table: QuoteTable,
    before: float,
    close: float,
    dividend: float,
    split: float,
    twice: bool,
) -> None:
    found = judged(history(quote_table, (before, 0, 1), (close, dividend, split)))
    assert found.contradicted.counted_twice[1] == twice
    assert found.contradicted.unreliable[1] == twice


def test_no_judgement_looks_ahead(quote_table: QuoteTable) -> None:
    random = np.random.default_rng(5)
    rows = [
        ("A", str(day), 100.0 * random.choice([0.5, 1.0, 2.0]), *random.choice([0.0, 60.0], 1),
         random.choice([0.5, 1.0, 2.0]))
        for day in np.arange("2024-01-02", "2024-03-20", dtype="datetime64[D]")
    ]  # fmt: skip
    prices = quote_table(rows, "close dividend split")
    whole = judged(prices)
    for stop in range(1, len(prices)):
        part = judged(prices.iloc[:stop])
        assert part.total_return.tobytes() == whole.total_return[:stop].tobytes()
        for rule in ("split_contradicted", "split_missing", "counted_twice", "late_split"):
            np.testing.assert_array_equal(
                getattr(part.contradicted, rule), getattr(whole.contradicted, rule)[:stop]
            )
    assert whole.contradicted.unreliable.sum() > 10
    assert (whole.contradicted.late_split != 1).any()


@pytest.mark.parametrize(
    ("opened", "close", "split", "changed"),
    [
        (10_100.0, 9_900.0, 1.0, True),  # a hundredfold
        (1.0, 1.1, 1.0, True),
        (99_000.0, 101_000.0, 1.0, True),  # a thousandfold
        (100.0, 10_000.0, 1.0, False),  # within the day: another kind of slip
        (np.nan, 10_000.0, 1.0, True),  # by the close alone
        (10_000.0, 10_000.0, 0.01, False),  # a reverse split, and recorded
        (5_000.0, 5_000.0, 1.0, False),
    ],
)
def test_prices_in_another_unit(
    quote_table: QuoteTable, opened: float, close: float, split: float, changed: bool
) -> None:
    rows = [
        ("A", DAYS[0], 100.0, 101.0, 99.0, 100.0, 1000.0, 0.0, 1.0),
        ("A", DAYS[1], opened, close * 1.2, close / 1.2, close, 1000.0, 0.0, split),
    ]
    found = judged(quote_table(rows, COLUMNS))
    assert found.contradicted.unit_changed.tolist() == [False, changed]
    assert np.isnan(found.total_return[1]) == changed


@pytest.mark.parametrize(("close", "missing"), [(66.7, True), (150.0, False)])
def test_three_for_two_is_a_split_and_two_for_three_is_news(
    quote_table: QuoteTable, close: float, missing: bool
) -> None:
    found = judged(history(quote_table, *[(100.0, 0, 1)] * 5, (close, 0, 1)))
    assert found.contradicted.split_missing[-1] == missing
