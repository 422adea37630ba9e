import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from latentbeta.config import DataSettings
from latentbeta.data.calendar import sessions
from latentbeta.data.given import GIVEN_FILE, ingest_panel, load_given
from latentbeta.errors import DataError
from latentbeta.storage import content_hash

SHARED = Path(__file__).parents[2] / "../shared/data/gkx_sample/datashare_random_5000.parquet"

Ingest = Callable[..., pd.DataFrame]


def changed(settings: DataSettings, **panel: Any) -> DataSettings:
    own = {key: panel.pop(key) for key in list(panel) if key in DataSettings.model_fields}
    nested = settings.panel.model_copy(update=panel)
    return settings.model_copy(update={"kind": "panel", "panel": nested} | own)


@pytest.fixture
def ingested(source: Path, settings: DataSettings, tmp_path: Path, today: dt.date) -> Ingest:
    """Function that ingests the folder with some settings changed and returns the stored table."""

    def run(**changes: Any) -> pd.DataFrame:
        summary = ingest_panel(changed(settings, **changes), "monthly", tmp_path / "out", today)
        table = load_given(tmp_path / "out")
        table.attrs["summary"] = summary
        return table

    return run


MONTHS = """date,permno,ret,me,sector,bm,Beta
20240229,2,-0.04,90,Toys,0.5,1.5
20240131,1,0.01,10,Tools,1.0,
20240131,2,0.02,80,Toys,2.0,0.5
20240229,1,,11,Tools,3.0,1.0
"""


def write(source: Path, text: str, name: str = "panel.csv") -> Path:
    path = source / name
    path.write_text(text)
    return path


def test_rows_are_stored_by_period_in_order_as_they_stand(source: Path, ingested: Ingest) -> None:
    write(source, MONTHS)
    table = ingested()
    assert list(table) == ["date", "asset", "return", "market_equity", "sector", "bm", "Beta"]
    assert table["date"].astype(str).tolist() == 2 * ["2024-01-31"] + 2 * ["2024-02-29"]
    assert table["date"].dtype == "datetime64[us]"
    assert table["asset"].tolist() == ["1", "2", "1", "2"]
    np.testing.assert_array_equal(table["return"], [0.01, 0.02, np.nan, -0.04])
    np.testing.assert_array_equal(table["market_equity"], [10, 80, 11, 90])
    np.testing.assert_array_equal(table["bm"], [1, 2, 3, 0.5])
    np.testing.assert_array_equal(table["Beta"], [np.nan, 0.5, 1, 1.5])
    assert table["sector"].tolist() == ["Tools", "Toys", "Tools", "Toys"]
    summary = table.attrs["summary"]
    assert (summary["kind"], summary["n_rows"], summary["n_assets"]) == ("panel", 4, 2)
    assert (summary["first_date"], summary["last_date"]) == ("2024-01-31", "2024-02-29")
    assert summary["characteristics"] == ["bm", "Beta"]
    assert summary["has_risk_free"]


@pytest.mark.parametrize(
    "stamps",
    [
        ("202401", "202402"),
        ("2024-01", "2024-02"),
        ("20240131", "20240229"),
        ("2024-01-01", "2024-02-01"),
        ("2024-01-31T00:00:00", "2024-02-29"),
    ],
)
def test_a_month_may_be_written_in_many_ways(
    stamps: tuple[str, str], source: Path, ingested: Ingest
) -> None:
    write(source, MONTHS.replace("20240131", stamps[0]).replace("20240229", stamps[1]))
    assert ingested()["date"].astype(str).unique().tolist() == ["2024-01-31", "2024-02-29"]


def test_parquet_with_numbers_for_dates_and_assets(source: Path, ingested: Ingest) -> None:
    frame = pd.DataFrame(
        {"DATE": [195703, 195704], "permno": [10006.0, 10006.0], "ret": [0.1, 0.2], "c_bm": 1.0}
    )
    frame.to_parquet(source / "panel.parquet")
    table = ingested()
    assert table["asset"].tolist() == ["10006", "10006"]
    assert table["date"].astype(str).tolist() == ["1957-03-29", "1957-04-30"]


def test_several_columns_name_an_asset_together(
    source: Path, settings: DataSettings, ingested: Ingest
) -> None:
    write(source, "set,name,month,ret,x\nA,low,202401,.01,1\nB,low,202401,.02,2\n")
    columns = settings.columns | {"date": ("month",)}
    with pytest.raises(DataError, match="no column for 'asset'"):
        ingested(columns=columns)
    table = ingested(columns=columns, asset=("set", "name"), characteristics=("x",))
    assert table["asset"].tolist() == ["A low", "B low"]


def test_characteristics_are_named_or_matched(
    source: Path, settings: DataSettings, ingested: Ingest
) -> None:
    text = (
        "date,asset,ret,me,c_bm,c_mom,m_tbl,note\n202401,A,.01,5,1,2,3,x\n202402,A,.01,6,2,1,3,y\n"
    )
    write(source, text)
    assert ingested().attrs["summary"]["characteristics"] == ["c_bm", "c_mom", "m_tbl"]
    assert "columns that hold no numbers, not read: note" in ingested().attrs["summary"]["notes"]
    assert list(ingested(characteristics=("C_*",)))[5:] == ["c_bm", "c_mom"]
    columns = settings.columns | {"size": ("me",), "value": ("c_bm",)}
    table = ingested(columns=columns, characteristics=("size", "value", "c_*"))
    assert list(table)[5:] == ["size", "value", "c_mom"]
    np.testing.assert_array_equal(table["size"], table["market_equity"])
    with pytest.raises(DataError, match="names no column of numbers"):
        ingested(characteristics=("x_*",))
    with pytest.raises(DataError, match="no column for 'quality'"):
        ingested(characteristics=("quality",))
    with pytest.raises(DataError, match="return has another meaning"):
        ingested(characteristics=("return",))


def test_files_of_several_years_are_one_panel(source: Path, ingested: Ingest) -> None:
    write(source, "date,asset,ret,x\n202401,A,.01,1\n", "panel_1.csv")
    write(source, "date,asset,ret,x,y\n202402,A,.02,2,9\n", "panel_2.csv")
    write(source, "anything\n1\n", "notes.csv")
    table = ingested()
    np.testing.assert_array_equal(table["x"], [1, 2])
    np.testing.assert_array_equal(table["y"], [np.nan, 9])


FAULTS = {
    "twice": ("202402,A,.02,2\n202402,A,.02,2", "row 3, .*for 'A', yet row 2 .*delete one"),
    "month": ("20240201,A,.02,2\n20240228,A,0,2", "row 3.*row 2.*2024-02-01, in the same month"),
    "text": ("202402,A,.02,high", "row 2, column 'x' holds 'high': not a number"),
    "infinite": ("202402,A,inf,2", "row 2, column 'ret' holds inf: not a number"),
    "date": ("Feb 2024,A,.02,2", "row 2, column 'date' holds 'Feb 2024': not a date.*YYYYMM"),
    "no date": (",A,.02,2", "row 2, column 'date' holds nothing"),
    "no asset": ("202402,,.02,2", "row 2, column 'asset' holds nothing"),
    "percent": ("202402,A,3.5,2\n202403,A,-4.1,2\n202404,A,2,2", "half of the returns.*decimals"),
    "future": ("202406,A,.02,2", "row 2.*ends its month after today, 2024-06-03"),
    "width": ("202402,A", "cannot be read"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_and_what_was_stored_stays(
    name: str, source: Path, ingested: Ingest, tmp_path: Path
) -> None:
    rows, message = FAULTS[name]
    path = write(source, "date,asset,ret,x\n202401,A,.01,1\n")
    ingested()
    before = content_hash(tmp_path / "out")
    path.write_text(f"date,asset,ret,x\n202401,A,.01,1\n{rows}\n")
    with pytest.raises(DataError, match=message):
        ingested()
    assert content_hash(tmp_path / "out") == before


def test_a_panel_without_returns_says_where_to_name_them(source: Path, ingested: Ingest) -> None:
    write(source, "date,asset,x\n202401,A,1\n")
    with pytest.raises(DataError, match=r"no column for 'return'.*data\.panel\.returns"):
        ingested()


def test_returns_of_a_second_file_are_joined_by_asset_and_month(
    source: Path, ingested: Ingest
) -> None:
    write(source, "date,asset,x\n202402,B,4\n202401,A,1\n202401,B,2\n202402,A,3\n")
    write(source, "day,ticker,ret\n2024-02-28,A,.2\n2024-03-28,B,.4\n2024-02-01,B,.3\n", "ret.csv")
    table = ingested(returns="ret.csv")
    assert table["date"].astype(str).str[:7].tolist() == 2 * ["2024-01"] + 2 * ["2024-02"] + [
        "2024-03"
    ]
    np.testing.assert_array_equal(table["return"], [np.nan, np.nan, 0.2, 0.3, 0.4])
    np.testing.assert_array_equal(table["x"], [1, 2, 3, 4, np.nan])
    with pytest.raises(DataError, match=r"there is no file other\.csv"):
        ingested(returns="other.csv")
    write(source, "day,ticker,r\n2024-02-28,A,.2\n", "ret.csv")
    with pytest.raises(DataError, match=r"ret\.csv: no column for 'return'"):
        ingested(returns="ret.csv")


def test_the_panels_own_rate_is_taken_off_raw_returns(source: Path, ingested: Ingest) -> None:
    path = write(
        source, "date,asset,ret,rf,x\n202401,A,.05,.01,1\n202401,B,.06,,2\n202402,A,.1,,1\n"
    )
    table = ingested(returns_are="raw")
    np.testing.assert_allclose(table["return"], [0.04, 0.05, 0.09], atol=1e-15)  # latest before
    assert list(table)[5:] == ["x"]
    notes = table.attrs["summary"]["notes"]
    assert any("risk-free rate is missing in 1 period" in note for note in notes)
    np.testing.assert_array_equal(ingested(returns_are="excess")["return"], [0.05, 0.06, 0.1])
    path.write_text("date,asset,ret,rf,x\n202401,A,.05,.01,1\n202401,B,.06,.02,2\n")
    with pytest.raises(DataError, match=r"rate of 2024-01-31 is 0\.01 in one row and 0\.02"):
        ingested(returns_are="raw")


def test_the_rate_of_a_file_is_monthly_or_compounded(source: Path, ingested: Ingest) -> None:
    write(source, "date,asset,ret,x\n202401,A,.05,1\n202402,A,.06,2\n202403,A,.1,1\n")
    assert not ingested(returns_are="raw", risk_free=None).attrs["summary"]["has_risk_free"]
    write(source, "date,RF\n202401,.001\n202402,.002\n202403,.003\n", "rates.csv")
    table = ingested(returns_are="raw", risk_free="rates.csv")
    np.testing.assert_allclose(table["return"], [0.049, 0.058, 0.097], atol=1e-15)
    days = sessions("XNYS", dt.date(2024, 1, 1), dt.date(2024, 3, 28))
    lines = "".join(f"{day},0.0001\n" for day in days.astype("datetime64[D]"))
    write(source, f"date,RF\n{lines}", "rates.csv")
    found = ingested(returns_are="raw", risk_free="rates.csv")["return"]
    n_sessions = np.array([21, 20, 20])
    np.testing.assert_allclose(found, [0.05, 0.06, 0.1] - (1.0001**n_sessions - 1), atol=1e-12)


def test_as_of_leaves_later_months_aside(source: Path, ingested: Ingest) -> None:
    write(source, "date,asset,ret,x\n202401,A,.05,1\n202402,A,.06,2\n202403,A,oops,1\n")
    for as_of, n_rows in ((dt.date(2024, 2, 28), 1), (dt.date(2024, 2, 29), 2)):
        assert len(ingested(as_of=as_of)) == n_rows
    with pytest.raises(DataError, match="no row is known by 2024-01-30"):
        ingested(as_of=dt.date(2024, 1, 30))


def test_without_a_lag_the_month_that_begins_is_known_but_not_its_return(
    source: Path, ingested: Ingest
) -> None:
    write(source, "date,asset,ret,x\n202401,A,.05,1\n202402,A,.06,2\n202403,A,.07,1\n")
    table = ingested(lag=0, as_of=dt.date(2024, 2, 28))
    np.testing.assert_array_equal(table["return"], [0.05, np.nan])
    np.testing.assert_array_equal(table["x"], [1, 2])
    assert table.attrs["summary"]["last_date"] == "2024-01-31"
    assert any("left aside: 1" in note for note in table.attrs["summary"]["notes"])
    assert len(ingested(lag=0, as_of=dt.date(2024, 2, 29))) == 3


def test_factors_are_stored_up_to_the_last_month(source: Path, ingested: Ingest, tmp_path) -> None:
    write(source, "date,asset,ret,x\n202401,A,.05,1\n202402,A,.06,2\n")
    write(source, "date,f,RF\n202401,.01,0\n202402,.02,0\n202403,.03,0\n", "ff.csv")
    summary = ingested(factors="ff.csv").attrs["summary"]
    assert summary["factors"]["names"]["f"]["last_date"] == "2024-02-29"
    stored = pd.read_parquet(tmp_path / "out" / "factors.parquet")
    assert stored["f"].tolist() == [0.01, 0.02]


def test_the_same_files_give_the_same_bytes_in_any_order(
    source: Path, ingested: Ingest, tmp_path: Path
) -> None:
    write(source, MONTHS)
    ingested()
    first = content_hash(tmp_path / "out" / GIVEN_FILE)
    header, *rows = MONTHS.splitlines()
    write(source, "\n".join([header, *rows[::-1]]) + "\n")
    ingested()
    assert content_hash(tmp_path / "out" / GIVEN_FILE) == first


def test_a_daily_panel_has_a_row_a_session(
    source: Path, settings: DataSettings, tmp_path: Path, today: dt.date
) -> None:
    path = write(source, "date,asset,ret,x\n2024-01-05,A,.01,1\n2024-01-08,A,.02,2\n")
    summary = ingest_panel(changed(settings), "daily", tmp_path / "out", today)
    assert (summary["first_date"], summary["last_date"]) == ("2024-01-05", "2024-01-08")
    path.write_text("date,asset,ret,x\n2024-01-05,A,.01,1\n2024-01-06,A,.02,2\n")  # a Saturday
    with pytest.raises(DataError, match=r"row 2.*2024-01-06.*XNYS has no session in its day"):
        ingest_panel(changed(settings), "daily", tmp_path / "out", today)
    summary = ingest_panel(changed(settings, calendar="24/7"), "daily", tmp_path / "out", today)
    assert summary["last_date"] == "2024-01-06"


def test_an_empty_folder_and_a_missing_stage_say_so(ingested: Ingest, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no CSV or Parquet file with a panel"):
        ingested()
    with pytest.raises(DataError, match="run the ingest stage first"):
        load_given(tmp_path)


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.is_file(), reason="../shared/data/gkx_sample is not here")
def test_the_layout_of_gu_kelly_and_xiu_with_returns_of_another_file(
    source: Path, settings: DataSettings, ingested: Ingest
) -> None:
    keys = pd.read_parquet(SHARED, columns=["permno", "DATE", "rf"])
    months = pd.DataFrame(
        {
            "date": keys["DATE"].dt.strftime("%Y%m"),
            "permno": keys["permno"],
            "ret": 0.01 + keys["rf"],
        }
    )
    months.to_csv(source / "returns.csv", index=False)
    table = ingested(
        path=SHARED,
        returns=str(source / "returns.csv"),
        returns_are="raw",
        characteristics=("c_*",),
        columns=settings.columns | {"sector": ("sic2",), "market_equity": ("c_mvel1",)},
    )
    assert len(table) == 5000
    assert table.shape[1] == 5 + 93  # 94 characteristics, one of them the market equity
    np.testing.assert_allclose(table["return"], 0.01, atol=1e-12)
    assert table["sector"].dropna().str.fullmatch(r"\d{1,2}").all()
    assert 0.1 < table.iloc[:, 5:].isna().mean().mean() < 0.5
