import numpy as np
import pytest

from latentbeta.config import MemberSettings
from latentbeta.data.market import DailyMarket
from latentbeta.errors import DataError
from latentbeta.panel.universe import largest, tradable

DAYS = 80


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
