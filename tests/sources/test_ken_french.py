import numpy as np
import pandas as pd
import pytest
from tests.sources.local_servers import Vendor, serving, zipped

from latentbeta.errors import AbsentError, SourceError
from latentbeta.sources.ken_french import ADDRESS_VARIABLE, KenFrenchLibrary, factor_table

MONTHLY = """This file was created using the 202401 CRSP database.
The 1-month TBill rate is from a table, until 202401.

,Mkt-RF,SMB,HML,RF
192607,    2.96,   -2.56,   -2.43,    0.22
192608,    2.64,  -99.99,    3.82,    0.25
192609,    0.36,   -1.40, -999   ,    0.23

 Annual Factors: January-December
,Mkt-RF,SMB,HML,RF
  1927,   29.47,   -2.04,   -4.54,    3.12

Copyright 2024 Kenneth R. French
"""
DAILY = "Made using a database.\r\n\r\n,Mom   \r\n20240102,   -0.50\r\n20240103,    1.25\r\n\r\n"
TITLED = """
  Average Value Weighted Returns -- Monthly
,Food,Beer
202401,   1.00,   2.00
202402,   3.00,  -99.99


  Average Equal Weighted Returns -- Monthly
,Food,Beer
202401,   9.00,   9.00
"""
PATH = "/pages/faculty/ken.french/ftp/{}_CSV.zip"


def test_percent_becomes_decimal_and_years_and_footers_are_left_out():
    table = factor_table(zipped(F__csv=MONTHLY))
    assert not table.is_daily
    assert list(table.frame.columns) == ["date", "Mkt-RF", "SMB", "HML", "RF"]
    ends = ["1926-07-31", "1926-08-31", "1926-09-30"]
    assert table.frame["date"].tolist() == pd.to_datetime(ends).tolist()
    expected = [[0.0296, -0.0256, -0.0243, 0.0022], [0.0264, np.nan, 0.0382, 0.0025]]
    np.testing.assert_allclose(table.frame.iloc[:2, 1:], expected, rtol=1e-12)
    np.testing.assert_allclose(
        table.frame.iloc[2, 1:].astype(float), [0.0036, -0.014, np.nan, 0.0023]
    )


def test_days_and_windows_line_ends():
    table = factor_table(zipped(F__CSV=DAILY))
    assert table.is_daily
    assert table.frame["Mom"].tolist() == [-0.005, 0.0125]
    assert table.frame["date"].tolist() == [pd.Timestamp("2024-01-02"), pd.Timestamp("2024-01-03")]


def test_of_several_tables_the_first_is_read():
    frame = factor_table(zipped(F__csv=TITLED)).frame
    np.testing.assert_allclose(frame["Food"], [0.01, 0.03])
    assert np.isnan(frame["Beer"].iloc[1])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>moved</html>", "not a whole zip"),
        (zipped(F__csv=MONTHLY)[:-40], "not a whole zip"),
        (zipped(a__csv="x", b__csv="y"), "not a whole zip of one file"),
        (zipped(F__csv="nothing but words\n"), "no table of days or months"),
        (zipped(F__csv=",A,B\n202401,1.0,x\n"), "no numbers"),
        (zipped(F__csv=",A,B\n202401,1.0\n"), "no table of days or months"),
    ],
)
def test_a_file_that_is_none_is_refused(content, said):
    with pytest.raises(SourceError, match=said):
        factor_table(content)


@pytest.fixture
def vendor():
    return Vendor(files={PATH.format("F-F_Momentum_Factor_daily"): zipped(F__csv=DAILY)})


@pytest.fixture
def library(vendor, settings, monkeypatch):
    with serving(vendor) as address:
        monkeypatch.setenv(ADDRESS_VARIABLE, address)
        yield KenFrenchLibrary(settings().fetch.requests)


@pytest.mark.parametrize("fault", [500, "truncated", "malformed", "reset"])
def test_a_passing_fault_is_overcome(library, vendor, fault):
    path = PATH.format("F-F_Momentum_Factor_daily")
    vendor.faults[path] = [fault]
    assert library.fetch("F-F_Momentum_Factor_daily") == vendor.files[path]
    assert vendor.requests[path] == 2


def test_a_data_set_that_is_not_there(library, vendor):
    with pytest.raises(AbsentError, match="no data set of that name"):
        library.fetch("F-F_Nothing")
    assert vendor.requests[PATH.format("F-F_Nothing")] == 1
    with pytest.raises(AbsentError, match="is no name of a data set"):
        library.fetch("../secrets")
