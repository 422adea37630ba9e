import math

import pytest

from latentbeta.report.words import listing, number, percent, signed, spans


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.005, "1.00"), (-0.0312, "−0.03"), (-0.001, "0.00"), (None, "–"), (math.nan, "–")],
)
def test_number(value, text):
    assert number(value, 2) == text


def test_signed():
    assert [signed(v, 1) for v in (0.25, -0.25, None)] == ["+0.2", "−0.2", "–"]


def test_percent():
    assert percent(0.374) == "37.4 %"


def test_listing():
    assert [listing(list(parts)) for parts in ("", "a", "ab", "abc")] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_spans():
    found = [spans(numbers) for numbers in ((), (2,), (2, 1), (1, 3, 4, 5), (1, 2, 4, 6, 7, 8))]
    assert found == ["", "2", "1 and 2", "1 and 3 to 5", "1, 2, 4 and 6 to 8"]
