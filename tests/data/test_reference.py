import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latentbeta.config import DataSettings
from latentbeta.data.calendar import sessions
from latentbeta.data.reference import read_assets, read_risk_free
from latentbeta.errors import DataError

JANUARY = sessions("XNYS", dt.date(2024, 1, 2), dt.date(2024, 1, 9))


def written(source: Path, name: str, text: str) -> Path:
    path = source / name
    path.write_text(text)
    return path


def test_a_listing_is_read_sorted_and_typed(source: Path, settings: DataSettings) -> None:
    path = written(
        source,
        "sectors.csv",
        "Ticker,GICS_Sector,name,listed,delisted,delisting_return\n"
        "BBB,Toys,Bee,2001-01-02,2005-06-01,-0.3\nNA,,,,,\nAAA, Tools ,Ay,,,\n",
    )
    found = read_assets(path, settings.columns, until=None)
    assert found["asset"].tolist() == ["AAA", "BBB", "NA"]
    assert found["sector"].tolist()[:2] == ["Tools", "Toys"]
    assert found[["sector", "name"]].iloc[2].isna().all()
    assert found["delisted"].iloc[1] == pd.Timestamp("2005-06-01")
    assert found["delisting_return"].tolist()[1] == -0.3
    assert found.dtypes.astype(str).tolist() == [
        *("str", "str", "str"),
        *("datetime64[us]", "datetime64[us]", "float64"),
    ]


def test_only_asset_and_sector_are_needed(source: Path, settings: DataSettings) -> None:
    path = written(source, "sectors.csv", "asset,sector\nAAA,Toys\n")
    found = read_assets(path, settings.columns, until=None)
    assert found[["name", "listed", "delisted", "delisting_return"]].isna().all(axis=None)


def test_no_file_is_no_listing(settings: DataSettings) -> None:
    found = read_assets(None, settings.columns, until=None)
    assert len(found) == 0
    assert "delisted" in found


def test_a_delisting_to_come_is_not_known_yet(source: Path, settings: DataSettings) -> None:
    path = written(
        source,
        "sectors.csv",
        "asset,sector,delisted,delisting_return\nA,X,2005-06-01,-0.3\nB,X,2005-06-02,-0.4\n",
    )
    found = read_assets(path, settings.columns, until=dt.date(2005, 6, 1))
    assert found["delisting_return"].tolist()[0] == -0.3
    assert found[["delisted", "delisting_return"]].iloc[1].isna().all()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("A,X,2005-06-01,-0.3", "row 3, column 'asset' holds 'A': the asset is there already"),
        ("B,X,2005-13-01,-0.3", "row 3, column 'delisted' holds '2005-13-01': not a date"),
        ("B,X,,-0.3", "row 3, column 'delisting_return' holds '-0.3'.*needs the last day"),
        ("B,X,2005-06-01,-30", "row 3, .*below -100 %"),
        ("B,X,2005-06-01,bad", "row 3, column 'delisting_return' holds 'bad': not a number"),
        (",X,,", "row 3, column 'asset' holds nothing"),
    ],
)
def test_a_wrong_listing_is_named(
    source: Path, settings: DataSettings, row: str, message: str
) -> None:
    header = "asset,sector,delisted,delisting_return\n"
    path = written(source, "sectors.csv", f"{header}A,X,,\nC,X,,\n{row}\n")
    with pytest.raises(DataError, match=message.replace("holds '-0.3'", "holds")):
        read_assets(path, settings.columns, until=None)


def test_rates_hold_until_the_next_and_are_zero_before_the_first(
    source: Path, settings: DataSettings
) -> None:
    path = written(
        source,
        "risk_free.csv",
        "date,rf\n2024-01-05,0.0002\n2024-01-03,0.0001\n2024-01-04,\n2024-01-06,0.0009\n",
    )
    rates, missing = read_risk_free(path, settings.columns, JANUARY)
    # sessions: 2, 3, 4, 5, 8 and 9 January; the rate of Saturday holds on Monday
    np.testing.assert_array_equal(rates, [0, 0.0001, 0.0001, 0.0002, 0.0009, 0.0009])
    assert missing == 4


def test_rates_after_the_last_session_are_not_looked_at(
    source: Path, settings: DataSettings
) -> None:
    text = "date,risk_free\n2024-01-02,0.0001\n2024-01-10,oops\n2024-01-11,5\n"
    path = written(source, "risk_free.csv", text)
    rates, _ = read_risk_free(path, settings.columns, JANUARY)
    np.testing.assert_array_equal(rates, np.full(6, 0.0001))


def test_no_rates_are_zeros(settings: DataSettings) -> None:
    rates, missing = read_risk_free(None, settings.columns, JANUARY)
    np.testing.assert_array_equal(rates, np.zeros(6))
    assert missing == 0


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("2024-01-02,0.021", "row 1, column 'risk_free'.*0.021.*beyond 1 % a day"),
        ("2024-01-02,0.0001\n2024-01-02,0.0001", "row 2, column 'date'.*there already"),
        ("2024-01-02,none", "row 1, column 'risk_free' holds 'none'"),
        ("2023-11-30,0.004\n2023-12-31,0.004", "31 days apart.*must be a daily one"),
    ],
)
def test_a_wrong_rate_is_named(
    source: Path, settings: DataSettings, rows: str, message: str
) -> None:
    path = written(source, "risk_free.csv", f"date,risk_free\n{rows}\n")
    with pytest.raises(DataError, match=message):
        read_risk_free(path, settings.columns, JANUARY)
