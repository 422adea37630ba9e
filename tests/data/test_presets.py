import datetime as dt

import numpy as np
import pytest

from latentbeta.config import read_settings
from latentbeta.data.files import read_prices
from latentbeta.data.presets import PRESETS, preset
from latentbeta.errors import DataError

COLUMNS = read_settings().data.columns
TODAY = dt.date(2024, 1, 1)


def read(path, text, vendor):
    path.write_text(text)
    return read_prices([path], COLUMNS, until=None, today=TODAY, vendor=preset(vendor))


CRSP = """PERMNO,date,BIDLO,ASKHI,PRC,VOL,OPENPRC,DIVAMT,FACPR,SHROUT
14593,2020-08-28,498.0,506.0,499.23,46907479,504.05,,,4275634
14593,2020-08-31,126.0,131.0,129.04,225702688,127.58,,3.0,17102536
10001,2020-08-28,10.0,11.0,-10.5,0,,0.15,0.0,1000
10001,2020-08-31,0,0,0,-99,,,,1000
"""


def test_crsp_has_signs_factors_and_thousands_of_its_own(tmp_path):
    prices = read(tmp_path / "dsf.csv", CRSP, "crsp")

    assert prices["asset"].tolist() == ["10001", "10001", "14593", "14593"]
    np.testing.assert_array_equal(prices["close"], [10.5, np.nan, 499.23, 129.04])
    np.testing.assert_array_equal(prices["volume"], [0, np.nan, 46907479, 225702688])
    np.testing.assert_array_equal(prices["split"], [1, 1, 1, 4])  # Apple's four for one
    np.testing.assert_array_equal(prices["dividend"], [0.15, 0, 0, 0])
    np.testing.assert_array_equal(prices["shares"][2:], [4275634e3, 17102536e3])
    assert np.isnan(prices["open"]).tolist() == [True, True, False, False]


def test_without_the_preset_a_negative_price_is_refused(tmp_path):
    renamed = CRSP.replace("PRC,VOL,OPENPRC", "close,volume,open").replace(
        "BIDLO,ASKHI", "low,high"
    )

    renamed = "\n".join(renamed.splitlines()[:-1])  # the last row has no price at all
    with pytest.raises(DataError, match=r"row 3, column 'close'.*-10\.5.*must be positive"):
        read(tmp_path / "dsf.csv", renamed, None)


def test_stooq_and_alphavantage_are_known_by_their_columns(tmp_path):
    stooq = read(
        tmp_path / "aapl.us.txt.csv",
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
        "AAPL.US,D,20200828,000000,126,127,124,125,187000000,0\n",
        "stooq",
    )
    assert stooq[["asset", "close", "volume"]].values.tolist() == [["AAPL.US", 125.0, 187e6]]
    assert str(stooq["date"][0])[:10] == "2020-08-28"

    alpha = read(
        tmp_path / "IBM.csv",
        "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient\n"
        "2021-11-04,120,121,119,120.5,110,100,0.0,1.046\n",
        "alphavantage",
    )
    assert alpha[["asset", "close", "split"]].values.tolist() == [["IBM", 120.5, 1.046]]


def test_names_of_the_settings_still_count(tmp_path):
    names = PRESETS["crsp"].names(COLUMNS)

    assert names["close"] == ("prc", "close")
    assert names["date"] == COLUMNS["date"]
