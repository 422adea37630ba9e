import numpy as np
import pytest

from latentbeta.errors import DataError
from latentbeta.panel.periods import return_periods


def as_text(days):
    return [str(day)[:10] for day in days]


def test_within_a_month_the_newest_period_ends_with_that_month(market_on):
    market = market_on("2021-01-04", "2021-04-21")
    periods = return_periods(market, "monthly", calendar="XNYS")
    assert as_text(periods.dates) == ["2021-02-26", "2021-03-31", "2021-04-30"]
    assert as_text(market.days[periods.formations]) == ["2021-01-29", "2021-02-26", "2021-04-21"]
    assert as_text(market.days[periods.ends[:-1]]) == ["2021-02-26", "2021-03-31"]
    assert periods.ends[-1] == len(market.days)


def test_on_the_last_session_of_a_month_the_newest_period_is_the_next_month(market_on):
    market = market_on("2021-01-04", "2021-03-31")
    periods = return_periods(market, "monthly", calendar="XNYS")
    assert as_text(periods.dates) == ["2021-02-26", "2021-03-31", "2021-04-30"]
    assert as_text(market.days[periods.formations]) == ["2021-01-29", "2021-02-26", "2021-03-31"]


def test_weeks_end_on_their_last_session(market_on):
    market = market_on("2021-03-22", "2021-04-06")  # Good Friday was 2 April
    periods = return_periods(market, "weekly", calendar="XNYS")
    assert as_text(periods.dates) == ["2021-04-01", "2021-04-09"]
    assert as_text(market.days[periods.formations]) == ["2021-03-26", "2021-04-06"]


def test_daily_periods_are_single_sessions(market_on):
    market = market_on("2021-04-01", "2021-04-07")
    periods = return_periods(market, "daily", calendar="XNYS")
    assert as_text(periods.dates) == ["2021-04-05", "2021-04-06", "2021-04-07", "2021-04-08"]
    np.testing.assert_array_equal(periods.formations, [0, 1, 2, 3])
    np.testing.assert_array_equal(periods.ends, [1, 2, 3, 4])


def test_data_within_one_period_gives_the_newest_date_alone(market_on):
    periods = return_periods(market_on("2021-04-05", "2021-04-07"), "monthly", calendar="XNYS")
    assert as_text(periods.dates) == ["2021-04-30"]


def test_no_day_is_an_error(market_on):
    with pytest.raises(DataError, match="no trading day"):
        return_periods(
            market_on("2021-04-05", "2021-04-07").between(0, 0), "daily", calendar="XNYS"
        )
