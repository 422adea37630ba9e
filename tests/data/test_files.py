import datetime as dt
import gzip
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latentbeta.config import DataSettings
from latentbeta.data.files import find_files, read_prices
from latentbeta.errors import DataError

Lines = Callable[..., str]


def read(settings: DataSettings, today: dt.date) -> pd.DataFrame:
    files = find_files(settings).prices
    return read_prices(files, settings.columns, until=settings.as_of, today=today)


def fails(settings: DataSettings, today: dt.date, *parts: str) -> None:
    """Each part of the message must be there, in order."""
    with pytest.raises(DataError) as caught:
        read(settings, today)
    assert re.search(".*".join(map(re.escape, parts)), str(caught.value), re.DOTALL), caught.value


def test_rows_come_sorted_with_defaults_for_optional_columns(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date
) -> None:
    header, *rows = lines().splitlines()
    (source / "prices.csv").write_text("\n".join([header, *reversed(rows)]))
    table = read(settings, today)
    assert table["asset"].tolist() == ["AAA"] * 3 + ["BBB"] * 3
    assert table["date"].dtype == "datetime64[us]"
    np.testing.assert_array_equal(table["close"], [10.0, 11.0, 12.1, 20.0, 22.0, 20.9])
    np.testing.assert_array_equal(table["dividend"], 0)
    np.testing.assert_array_equal(table["split"], 1)
    assert table["shares"].isna().all()


def test_csv_compressed_csv_and_parquet_are_read_alike(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date
) -> None:
    (source / "prices.csv").write_text(lines())
    plain = read(settings, today)
    frame = pd.read_csv(source / "prices.csv")
    (source / "prices.csv").unlink()
    (source / "prices.csv.gz").write_bytes(gzip.compress(lines().encode()))
    pd.testing.assert_frame_equal(read(settings, today), plain)
    (source / "prices.csv.gz").unlink()
    frame.to_parquet(source / "prices.parquet")
    pd.testing.assert_frame_equal(read(settings, today), plain)


def test_names_of_columns_match_by_alias_whatever_their_case(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date
) -> None:
    text = lines().replace("date,ticker,open", " Day ,SYMBOL,Open")
    (source / "prices.csv").write_text("\ufeff" + text, encoding="utf-8")
    assert read(settings, today)["asset"].nunique() == 2


def test_several_files_make_one_table(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date
) -> None:
    header, *rows = lines().splitlines()
    (source / "prices_1.csv").write_text("\n".join([header, *rows[:2], *rows[3:]]))
    (source / "prices_2.csv").write_text("\n".join([header, rows[2]]))
    assert len(read(settings, today)) == 6


def test_the_pattern_keeps_other_tables_out(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date
) -> None:
    (source / "prices_a.csv").write_text(lines())
    (source / "flags.csv").write_text("something,else\n1,2\n")
    (source / ".prices_b.csv.part").write_text("half a file")
    assert [file.name for file in find_files(settings).prices] == ["prices_a.csv"]


def test_without_a_match_every_table_but_sectors_and_rates_is_taken(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date
) -> None:
    header, *rows = lines().replace("ticker,", "").splitlines()
    rows = [row.replace("AAA,", "").replace("BBB,", "") for row in rows]
    (source / "AAA.csv").write_text("\n".join([header, *rows[:3]]))
    (source / "BRK.B.csv").write_text("\n".join([header, *rows[3:]]))
    (source / "sectors.csv").write_text("asset,sector\nAAA,Toys\n")
    (source / "risk_free.csv").write_text("date,risk_free\n2024-01-02,0.0001\n")
    (source / "notes.txt").write_text("hello")
    files = find_files(settings)
    assert [file.name for file in files.prices] == ["AAA.csv", "BRK.B.csv"]
    assert (files.sectors, files.risk_free) == (source / "sectors.csv", source / "risk_free.csv")
    assert read(settings, today)["asset"].unique().tolist() == ["AAA", "BRK.B"]


def test_one_file_may_be_the_source(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date
) -> None:
    (source / "mine.csv").write_text(lines())
    (source / "sectors.csv").write_text("not,looked,at\n")
    alone = settings.model_copy(update={"path": source / "mine.csv"})
    assert find_files(alone).sectors is None
    assert len(read(alone, today)) == 6


def test_tickers_that_look_like_nothing_or_numbers_stay_tickers(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date
) -> None:
    text = lines().replace("AAA", "NA").replace("BBB", "0700")
    (source / "prices.csv").write_text(text)
    assert read(settings, today)["asset"].unique().tolist() == ["0700", "NA"]


def test_permanent_numbers_in_parquet_become_text(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date
) -> None:
    (source / "prices.csv").write_text(lines().replace("AAA", "14593").replace("BBB", "10107"))
    frame = pd.read_csv(source / "prices.csv")
    (source / "prices.csv").unlink()
    frame.assign(date=frame["date"].str.replace("-", "").astype(int)).to_parquet(
        source / "prices.parquet"
    )
    table = read(settings, today)
    assert table["asset"].unique().tolist() == ["10107", "14593"]
    assert str(table["date"].min())[:10] == "2024-01-02"


@pytest.mark.parametrize("written", ["2024-01-02", "20240102", "2024-01-02 16:00:00-05:00"])
def test_dates_are_days(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date, written: str
) -> None:
    (source / "prices.csv").write_text(lines(date_1=written))
    assert read(settings, today)["date"].iloc[0] == pd.Timestamp("2024-01-02")


def test_dates_with_a_zone_are_the_exchange_s_days(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date
) -> None:
    (source / "prices.csv").write_text(lines())
    frame = pd.read_csv(source / "prices.csv")
    (source / "prices.csv").unlink()
    close = pd.to_datetime(frame["date"] + " 23:30").dt.tz_localize("America/New_York")
    frame.assign(date=close).to_parquet(source / "prices.parquet")
    assert read(settings, today)["date"].iloc[0] == pd.Timestamp("2024-01-02")


def test_a_split_of_zero_or_nothing_is_none(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date
) -> None:
    text = lines().splitlines()
    extra = ["Stock Splits", "0.0", "", "2", "0", "1", "NA"]
    (source / "prices.csv").write_text("\n".join(f"{a},{b}" for a, b in zip(text, extra)))  # noqa: B905
    np.testing.assert_array_equal(read(settings, today)["split"], [1, 1, 2, 1, 1, 1])


def test_empty_cells_are_missing(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date
) -> None:
    (source / "prices.csv").write_text(lines(close_2="", open_3="NaN", volume_4="null"))
    table = read(settings, today)
    assert np.isnan(table["close"][1])
    assert np.isnan(table["open"][2])
    assert np.isnan(table["volume"][3])


def test_nothing_after_the_as_of_date_is_looked_at(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date
) -> None:
    past = settings.model_copy(update={"as_of": dt.date(2024, 1, 3)})
    (source / "prices.csv").write_text(lines())
    before = read(past, today)
    (source / "prices.csv").write_text(lines(close_3="-5", open_6="oops", high_6="inf"))
    after = read(past, today)
    pd.testing.assert_frame_equal(before, after)
    assert len(after) == 4


# What is wrong with a cell: the cell, what it holds, and the parts of the message.
FAULTS = {
    "negative price": ({"close_2": -1.5}, ["row 2", "'close'", "-1.5", "must be positive"]),
    "zero price": ({"low_5": 0}, ["row 5", "'low'", "holds 0", "must be positive"]),
    "text in a number": ({"high_4": "n.a."}, ["row 4", "'high'", "'n.a.'", "not a number"]),
    "thousands": ({"volume_3": "1,000"}, ["row 3", "'volume'", "'1,000'", "not a number"]),
    "infinite": ({"open_1": "inf"}, ["row 1", "'open'", "inf", "not a number"]),
    "negative volume": ({"volume_6": -3}, ["row 6", "'volume'", "-3", "cannot be negative"]),
    "no such date": ({"date_3": "2024-02-30"}, ["row 3", "'date'", "'2024-02-30'", "not a date"]),
    "ambiguous date": ({"date_2": "03/04/2024"}, ["row 2", "'03/04/2024'", "YYYY-MM-DD"]),
    "missing date": ({"date_5": ""}, ["row 5", "'date'", "nothing", "needs its date"]),
    "missing asset": ({"ticker_4": " "}, ["row 4", "'ticker'", "needs its asset"]),
    "date to come": ({"date_6": "2204-01-04"}, ["row 6", "'2204-01-04'", "after today"]),
    "duplicate": (
        {"date_3": "2024-01-03"},
        ["row 3", "'date'", "2024-01-03", "'AAA'", "row 2", "delete one"],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_cell_is_named(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date, fault: str
) -> None:
    cells, parts = FAULTS[fault]
    (source / "prices.csv").write_text(lines(**cells))
    fails(settings, today, "prices.csv", *parts)


def test_a_wrong_cell_in_parquet_is_named(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date
) -> None:
    (source / "prices.csv").write_text(lines(close_2="dear"))
    pd.read_csv(source / "prices.csv", dtype={"close": str}).to_parquet(source / "prices.parquet")
    (source / "prices.csv").unlink()
    fails(settings, today, "prices.parquet", "row 2", "'close'", "'dear'")


def test_a_duplicate_across_files_names_both(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date
) -> None:
    (source / "prices_1.csv").write_text(lines())
    (source / "prices_2.csv").write_text("\n".join(lines().splitlines()[i] for i in (0, 5)))
    fails(settings, today, "prices_2.csv: row 1", "'BBB'", "row 5 of", "prices_1.csv")


@pytest.mark.parametrize("column", ["date", "open", "high", "low", "close", "volume"])
def test_a_missing_column_is_named(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date, column: str
) -> None:
    header, *rows = lines().splitlines()
    (source / "prices.csv").write_text("\n".join([header.replace(column, "other"), *rows]))
    fails(settings, today, "prices.csv", f"no column for '{column}'", "other", f"columns.{column}")


def test_several_assets_without_their_column_are_told_apart_from_one(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date
) -> None:
    (source / "prices.csv").write_text(lines().replace("ticker", "who"))
    fails(settings, today, "prices.csv", "no column for 'asset'", "row 4 repeats", "2024-01-02")


HEADER = b"date,ticker,open,high,low,close,volume\n"


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("prices.csv", b"", "is empty"),
        ("prices.csv", HEADER, "no row below the header"),
        ("prices.csv", b"\xff\xfe\x00\x9f,\x81\n\x81,\x81", "cannot be read"),
        (
            "prices.csv",
            b"date,ticker,open,high,low,close,volume\n1,2\n1,2,3,4,5,6,7,8,9\n",
            "Expected 7 columns",
        ),
        (
            "prices.csv",
            b"date,ticker,open,high,low,close,close,volume\n1,2,3,4,5,6,7,8\n",
            "several columns are called",
        ),
        ("prices.csv.gz", b"date,ticker\n", "cannot be read"),
        ("prices.parquet", b"PAR1 this is not one PAR1", "cannot be read"),
        ("prices.parquet", b"", "is empty"),
    ],
)
def test_a_file_that_is_none_is_named(
    source: Path, settings: DataSettings, today: dt.date, name: str, content: bytes, part: str
) -> None:
    (source / name).write_bytes(content)
    fails(settings, today, name, part)


@pytest.mark.parametrize("name", ["prices.csv.gz", "prices.parquet"])
def test_half_a_file_is_named(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date, name: str
) -> None:
    if name.endswith("gz"):
        whole = gzip.compress(lines().encode())
    else:
        (source / "prices.csv").write_text(lines())
        pd.read_csv(source / "prices.csv").to_parquet(source / name)
        (source / "prices.csv").unlink()
        whole = (source / name).read_bytes()
    (source / name).write_bytes(whole[: len(whole) * 2 // 3])
    fails(settings, today, name, "cannot be read")


def test_nothing_to_read(source: Path, settings: DataSettings, today: dt.date) -> None:
    fails(settings, today, "source: no CSV or Parquet file")
    gone = settings.model_copy(update={"path": source / "elsewhere"})
    fails(gone, today, "elsewhere: no such file or folder")


def test_an_as_of_date_before_the_first_price(
    source: Path, settings: DataSettings, lines: Lines, today: dt.date
) -> None:
    (source / "prices.csv").write_text(lines())
    early = settings.model_copy(update={"as_of": dt.date(2023, 12, 29)})
    fails(early, today, "no price is dated 2023-12-29 or before", "data.as_of")


def test_two_sectors_files_are_one_too_many(
    source: Path, settings: DataSettings, lines: Lines
) -> None:
    (source / "prices.csv").write_text(lines())
    for year in (2020, 2021):
        (source / f"sectors_{year}.csv").write_text("asset,sector\n")
    with pytest.raises(DataError, match=r"data.sectors matches sectors_2020.csv, sectors_2021"):
        find_files(settings)


def test_a_file_that_is_named_must_be_there(
    source: Path, settings: DataSettings, lines: Lines
) -> None:
    (source / "prices.csv").write_text(lines())
    named = settings.model_copy(update={"risk_free": "rates.csv"})
    with pytest.raises(DataError, match=r"data.risk_free: there is no file rates.csv"):
        find_files(named)
