import numpy as np
import pandas as pd
import pytest

from latentbeta.config import CharacteristicsSettings, MemberSettings
from latentbeta.data.market import DailyMarket
from latentbeta.errors import DataError
from latentbeta.panel.periods import return_periods
from latentbeta.panel.universe import cross_sections, largest, tradable

DAYS = 80
SETTINGS = CharacteristicsSettings(names=("mom1m",), minimum_history=1, minimum_coverage=0.2)


def market(**changes):
    shape = (DAYS, 3)
    matrices = dict.fromkeys(("total_return", "close", "high", "low", "volume", "shares"))
    filled = {name: np.full(shape, 10.0) for name in matrices} | changes
    return DailyMarket(
        days=np.arange(DAYS).astype("datetime64[D]").astype("datetime64[us]"),
        assets=np.array(["A", "B", "C"]),
        sector=np.zeros(3, np.int64),
        risk_free=np.zeros(DAYS),
        **filled,
    )


def test_the_price_of_the_formation_counts_and_no_later_one():
    close = np.full((DAYS, 3), 10.0)
    close[40:, 1] = 4.99
    close[60, 2] = np.nan  # the close of the day before stands in
    formations = np.array([39, 40, 60])

    inside = tradable(market(close=close), formations, MemberSettings(minimum_price=5))

    assert inside.tolist() == [[True, True, True], [True, False, True], [True, False, True]]


def test_the_value_traded_is_the_mean_of_63_sessions():
    volume = np.full((DAYS, 3), 10.0)
    volume[:17, 1] = 1e9  # before the window
    volume[17:, 1] = 9.9
    volume[17:40, 2] = np.nan  # 40 of 63 known: less than two thirds
    settings = MemberSettings(minimum_dollar_volume=100)

    inside = tradable(market(volume=volume), np.array([DAYS - 1]), settings)

    assert inside.tolist() == [[True, False, False]]


def test_without_a_rule_all_stay():
    assert tradable(market(), np.array([5, 70]), MemberSettings()).all()


def test_the_largest_stay_and_of_equals_the_first_names():
    size = np.array([[3.0, 3.0, 3.0], [1.0, 2.0, np.nan], [5.0, 1.0, 9.0]])
    members = np.array([[True, True, True], [True, True, True], [True, True, False]])

    kept = largest(size, members, 2)

    assert kept.tolist() == [[True, True, False], [True, True, False], [True, True, False]]


def test_the_largest_need_a_market_value():
    with pytest.raises(DataError, match=r"members\.largest needs market equity"):
        largest(np.full((2, 2), np.nan), np.ones((2, 2), bool), 1)


def test_membership_looks_at_quotes_history_and_listing_up_to_the_formation(market_on):
    close = np.full((61, 6), 10.0)
    close[14:, 1] = np.nan  # last quote on the fifth session back from 29 January
    close[13:, 2] = np.nan  # one session too old by then
    close[:9, 3] = np.nan  # ten days of history at the end of January
    close[:10, 4] = np.nan  # nine
    close[:19, 5] = np.nan  # first quote in February
    market = market_on("2021-01-04", "2021-03-31", 6, close=close)
    formations = return_periods(market, "monthly", calendar="XNYS").formations
    ten_days = SETTINGS.model_copy(update={"minimum_history": 10})
    members = cross_sections(market, formations, ten_days)
    np.testing.assert_array_equal(members[0], [1, 0, 0, 1, 0, 0])
    np.testing.assert_array_equal(members[1], [1, 0, 0, 1, 1, 1])
    close[14, 1] = 10.0
    np.testing.assert_array_equal(cross_sections(market, formations, ten_days)[0, :2], [1, 1])


def test_a_listing_that_has_ended_is_out(market_on):
    market = market_on("2021-01-04", "2021-03-31", 3)
    formations = return_periods(market, "monthly", calendar="XNYS").formations
    delisted = np.array(["NaT", "2021-01-29", "2021-02-01"], dtype="datetime64[us]")
    members = cross_sections(market, formations, SETTINGS, delisted=delisted)
    np.testing.assert_array_equal(members, [[1, 0, 1], [1, 0, 0], [1, 0, 0]])


def test_only_members_of_the_formation_are_in(market_on):
    market = market_on("2021-01-04", "2021-03-31", 3)
    formations = return_periods(market, "monthly", calendar="XNYS").formations
    first, second = market.assets[:2]
    spells = pd.DataFrame(
        {
            "asset": [first, second],
            "start": pd.to_datetime(["2021-01-29", "2021-02-01"]),
            "end": pd.to_datetime(["2021-02-25", None]),
        }
    )

    members = cross_sections(market, formations, SETTINGS, spells=spells)

    np.testing.assert_array_equal(members, [[1, 0, 0], [0, 1, 0], [0, 1, 0]])


def test_the_largest_are_those_of_the_members(market_on):
    shares = np.tile([3e6, 2e6, 1e6], (61, 1))
    shares[40:] = [1e6, 2e6, 3e6]
    market = market_on("2021-01-04", "2021-03-31", 3, shares=shares)
    formations = return_periods(market, "monthly", calendar="XNYS").formations
    one = SETTINGS.model_copy(update={"members": MemberSettings(largest=1)})
    delisted = np.array(["2021-01-29", "NaT", "NaT"], dtype="datetime64[us]")

    np.testing.assert_array_equal(
        cross_sections(market, formations, one), [[1, 0, 0], [1, 0, 0], [0, 0, 1]]
    )
    np.testing.assert_array_equal(
        cross_sections(market, formations, one, delisted=delisted),
        [[0, 1, 0], [0, 1, 0], [0, 0, 1]],
    )


def test_later_days_leave_earlier_cross_sections_as_they_were(market_on):
    random, span = np.random.default_rng(3), ("2020-10-01", "2021-03-31", 8)
    close, volume, shares = np.exp(random.normal(2, 0.5, (3, *market_on(*span).shape)))
    rules = MemberSettings(minimum_price=5, minimum_dollar_volume=20, largest=3)
    settings = SETTINGS.model_copy(update={"members": rules})
    market = market_on(*span, close=close, volume=volume, shares=shares)
    formations = return_periods(market, "monthly", calendar="XNYS").formations
    before = cross_sections(market, formations, settings)
    for values in (close, volume, shares):
        values[formations[3] + 1 :] *= random.uniform(0.1, 10, 8)

    after = cross_sections(market, formations, settings)

    np.testing.assert_array_equal(after[:4], before[:4])
    assert before[3].sum() == 3
    assert not np.array_equal(after, before)
