"""yfinance's own client against a server on this machine that answers as Yahoo does."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from tests.sources.local_servers import Company, Vendor, serving

from latentbeta.errors import AbsentError, SourceError
from latentbeta.sources.yahoo import ADDRESS_VARIABLE, YahooSource, raw_prices

DAYS = pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08"])


def company():
    """Four-for-one on the 4th, three-for-two on the 8th; paid on the 3rd and on the 5th."""
    return Company(
        DAYS,
        close=[400.12, 404.04, 101.53, 102.37, 68.25],
        volume=[1_000, 1_200, 4_400, 4_000, 6_600],
        dividends={"2024-01-03": 0.82, "2024-01-05": 0.21},
        splits={"2024-01-04": (4, 1), "2024-01-08": (3, 2)},
    )


@pytest.fixture
def vendor():
    return Vendor({"AAA": company(), "BBB": company()})


@pytest.fixture
def source(vendor, settings, tmp_path, monkeypatch):
    with serving(vendor) as address:
        monkeypatch.setenv(ADDRESS_VARIABLE, address)
        yield YahooSource(settings().fetch.requests, tmp_path / "cache")


def asked(source, start="2024-01-02", end="2024-01-08", asset="AAA"):
    return source.fetch(asset, dt.date.fromisoformat(start), dt.date.fromisoformat(end))


def test_what_was_traded_on_the_day_comes_back(source, vendor):
    rows = asked(source)
    assert rows["date"].tolist() == DAYS.tolist()
    assert rows["date"].dtype == "datetime64[us]"
    assert rows["close"].tolist() == [400.12, 404.04, 101.53, 102.37, 68.25]
    assert rows["volume"].tolist() == [1_000, 1_200, 4_400, 4_000, 6_600]
    np.testing.assert_allclose(rows["dividend"], [0, 0.82, 0, 0.21, 0], rtol=1e-5)
    assert rows["split"].tolist() == [1, 1, 4, 1, 1.5]
    np.testing.assert_allclose(rows["high"], rows["close"] * 1.01, rtol=1e-6)
    assert vendor.requests["AAA"] == 1  # no second one for the zone
    assert source.attempts() >= 1


def test_cookies_are_asked_for_once_however_many_assets(source, vendor):
    vendor.faults["/v1/test/getcrumb"] = [500]
    for asset in ("AAA", "BBB", "AAA"):
        assert len(asked(source, asset=asset)) == 5
    beside = {name: n for name, n in vendor.requests.items() if name.startswith("/")}
    assert set(beside.values()) <= {1}


def test_a_later_split_rewrites_nothing(source, vendor):
    vendor.until = pd.Timestamp("2024-01-05")
    before = asked(source, end="2024-01-05")
    vendor.until = pd.Timestamp("2024-01-08")
    after = asked(source, end="2024-01-05")
    pd.testing.assert_frame_equal(before, after)
    assert vendor.companies["AAA"].chart(0, vendor.until) != vendor.companies["AAA"].chart(
        0, pd.Timestamp("2024-01-05")
    )


def test_only_the_days_asked_for_are_returned(source):
    rows = asked(source, start="2024-01-04", end="2024-01-05")
    assert rows["date"].tolist() == DAYS[2:4].tolist()
    assert rows["close"].tolist() == [101.53, 102.37]  # the split of the 8th is undone all the same


def test_no_row_in_the_time_asked_for(source):
    assert asked(source, start="2024-02-01", end="2024-02-09").empty


def test_an_unknown_symbol_is_absent_and_asked_for_once(source, vendor):
    with pytest.raises(AbsentError, match="symbol may be delisted"):
        asked(source, asset="GONE")
    assert vendor.requests["GONE"] == 1


@pytest.mark.parametrize(
    "fault", ["slow", (429, "1"), 500, 503, "truncated", "malformed", "nonsense", "reset"]
)
def test_a_passing_fault_is_overcome(source, vendor, fault):
    vendor.faults["AAA"] = [fault]
    assert asked(source)["close"].tolist() == company().close.tolist()
    assert vendor.requests["AAA"] in ((2, 3) if fault == "reset" else (2,))  # see below


@pytest.mark.parametrize(
    ("fault", "said", "n_requests"),
    [
        (500, r"the server answers 500 \(4 attempts\)", 4),
        ("malformed", "not what a chart looks like", 4),
        ("truncated", "broke off", 4),
        ("reset", "broke off", 4),
        (401, "refuses", 1),
        (404, "the server answers 404", 1),  # a proxy's page: no word of Yahoo's
        ((429, "3600"), "wants a pause of 3600 s", 1),
    ],
)
def test_a_lasting_fault_is_told_in_words(source, vendor, fault, said, n_requests):
    vendor.lasting["AAA"] = fault
    source.fetch("BBB", DAYS[0].date(), DAYS[1].date())  # the cookie's requests are made here
    before = source.attempts()
    with pytest.raises(SourceError, match=said) as raised:
        asked(source)
    assert not isinstance(raised.value, AbsentError)
    # A kept connection that is reset before the first byte is libcurl's to open anew, once.
    by_curl = 1 if fault == "reset" else 0
    assert n_requests <= vendor.requests["AAA"] <= n_requests + by_curl
    assert source.attempts() - before == n_requests


def test_a_pause_that_is_asked_for_is_kept(source, vendor):
    vendor.faults["AAA"] = [(429, "1")]
    asked(source)
    first, second = vendor.times[-2:]
    assert second - first >= 0.99


def test_splits_are_undone_from_the_next_day_on():
    table = pd.DataFrame(
        {
            "Open": [10.0, 5.0, 6.0],
            "High": [10.0, 5.0, 6.0],
            "Low": [10.0, 5.0, 6.0],
            "Close": [10.0, 5.0, np.nan],
            "Volume": [100, 200, 0],
            "Dividends": [0.1, 0.0, 0.0],
            "Stock Splits": [0.0, 2.0, 0.1],
        },
        index=pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-04"]).tz_localize("Asia/Tokyo"),
    )
    raw = raw_prices(table)
    np.testing.assert_allclose(raw["close"], [2.0, 0.5, np.nan])
    np.testing.assert_allclose(raw["volume"], [500, 2_000, 0])
    np.testing.assert_allclose(raw["dividend"], [0.02, 0, 0])
    assert raw["split"].tolist() == [1, 2, 0.1]
    assert (
        raw["date"].tolist() == pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-04"]).tolist()
    )
