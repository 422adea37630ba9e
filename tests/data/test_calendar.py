import datetime as dt

import numpy as np
import pytest

from latentbeta.data.calendar import next_period_end, period_ends, sessions
from latentbeta.errors import DataError

SEPTEMBER_2001 = sessions("XNYS", dt.date(2001, 9, 1), dt.date(2001, 9, 30))


def iso(days: np.ndarray) -> list[str]:
    return [str(day)[:10] for day in days]


def test_sessions_leave_out_weekends_holidays_and_closures() -> None:
    assert SEPTEMBER_2001.dtype == np.dtype("datetime64[us]")
    assert iso(SEPTEMBER_2001) == [
        *("2001-09-04", "2001-09-05", "2001-09-06", "2001-09-07", "2001-09-10"),
        *("2001-09-17", "2001-09-18", "2001-09-19", "2001-09-20", "2001-09-21"),
        *("2001-09-24", "2001-09-25", "2001-09-26", "2001-09-27", "2001-09-28"),
    ]


def test_sessions_include_both_ends() -> None:
    one = sessions("XNYS", dt.date(2001, 9, 10), np.datetime64("2001-09-17"))
    assert iso(one) == ["2001-09-10", "2001-09-17"]


def test_sessions_reach_far_back_and_ahead_of_the_clock() -> None:
    assert iso(sessions("XNYS", dt.date(1962, 7, 2), dt.date(1962, 7, 2))) == ["1962-07-02"]
    assert len(sessions("XNYS", dt.date(2030, 1, 1), dt.date(2030, 12, 31))) > 245


def test_weeks_end_on_their_last_session() -> None:
    ends = period_ends(SEPTEMBER_2001, "weekly", calendar="XNYS")
    assert iso(ends) == ["2001-09-07", "2001-09-10", "2001-09-21", "2001-09-28"]


def test_a_month_is_complete_on_its_last_session_and_not_a_session_earlier() -> None:
    assert iso(period_ends(SEPTEMBER_2001, "monthly", calendar="XNYS")) == ["2001-09-28"]
    assert iso(period_ends(SEPTEMBER_2001[:-1], "monthly", calendar="XNYS")) == []


def test_a_month_that_ends_on_a_weekend_is_complete_on_friday() -> None:
    june = sessions("XNYS", dt.date(2024, 6, 3), dt.date(2024, 6, 28))  # the 30th is a Sunday
    assert iso(period_ends(june, "monthly", calendar="XNYS")) == ["2024-06-28"]


def test_every_session_ends_a_day() -> None:
    ends = period_ends(SEPTEMBER_2001, "daily", calendar="XNYS")
    np.testing.assert_array_equal(ends, SEPTEMBER_2001)


def test_period_ends_do_not_change_when_sessions_are_added() -> None:
    year = sessions("XNYS", dt.date(2001, 1, 1), dt.date(2001, 12, 31))
    for rebalancing in ("daily", "weekly", "monthly"):
        whole = period_ends(year, rebalancing, calendar="XNYS")
        for stop in range(1, len(year)):
            part = period_ends(year[:stop], rebalancing, calendar="XNYS")
            np.testing.assert_array_equal(part, whole[whole <= year[stop - 1]])


def test_no_sessions_end_no_period() -> None:
    assert len(period_ends(SEPTEMBER_2001[:0], "weekly", calendar="XNYS")) == 0


@pytest.mark.parametrize(
    ("after", "rebalancing", "end"),
    [
        ("2001-09-28", "monthly", "2001-10-31"),
        ("2001-09-27", "monthly", "2001-09-28"),
        ("2001-09-29", "monthly", "2001-10-31"),  # a Saturday
        ("2001-09-10", "weekly", "2001-09-21"),  # closed for the rest of that week
        ("2001-09-20", "weekly", "2001-09-21"),
        ("2001-09-10", "daily", "2001-09-17"),
        ("2023-12-29", "weekly", "2024-01-05"),
    ],
)
def test_next_period_end(after: str, rebalancing: str, end: str) -> None:
    found = next_period_end("XNYS", np.datetime64(after), rebalancing)
    assert str(found)[:10] == end


def test_other_exchanges_have_other_sessions() -> None:
    boxing_day = dt.date(2023, 12, 26)
    assert len(sessions("XNYS", boxing_day, boxing_day)) == 1
    assert len(sessions("XLON", boxing_day, boxing_day)) == 0


def test_an_unknown_calendar_is_named() -> None:
    with pytest.raises(DataError, match=r"data\.calendar: no sessions of 'NOWHERE'"):
        sessions("NOWHERE", dt.date(2001, 1, 1), dt.date(2001, 2, 1))


def test_a_calendar_that_does_not_reach_back_says_so() -> None:
    with pytest.raises(DataError, match="'XKRX' for 1940"):
        sessions("XKRX", dt.date(1940, 1, 1), dt.date(1940, 2, 1))
