"""Reading companies' accounts, and the way from a user's file through ingest to the panel."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latentbeta.config import DataSettings, FundamentalsSettings
from latentbeta.data.fundamentals import ITEMS, fiscal_months, load_fundamentals, read_fundamentals
from latentbeta.data.store import ingest
from latentbeta.errors import DataError
from latentbeta.storage import read_json

UNTIL = dt.date(2024, 6, 3)
HEADER = "ticker,datadate,rdq,ceq,at,revenue\n"
ROWS = (
    "A,2022-12-31,2023-03-01,50,100,80\n"
    "B,2022-12-31,,60,120,\n"
    "A,2023-12-31,2024-02-28,55,110,90\n"
    "A,2023-12-31,2024-05-15,45,110,90\n"
)


def settings_of(settings: DataSettings, **changes) -> DataSettings:
    fundamentals: FundamentalsSettings = settings.fundamentals.model_copy(
        update={"file": "fundamentals*"} | changes
    )
    return settings.model_copy(update={"fundamentals": fundamentals})


def write(source: Path, text: str = HEADER + ROWS) -> Path:
    path = source / "fundamentals.csv"
    path.write_text(text)
    return path


def test_rows_come_in_the_order_of_their_publication(source, settings):
    table = read_fundamentals(write(source), settings_of(settings), until=UNTIL)
    assert list(table["asset"]) == ["A", "B", "A", "A"]
    published = [str(day)[:10] for day in table["published"]]
    assert published == ["2023-03-01", "2023-06-30", "2024-02-28", "2024-05-15"]
    assert list(table["stated"]) == [True, False, True, True]
    np.testing.assert_array_equal(table["book_equity"], [50, 60, 55, 45])
    np.testing.assert_array_equal(table["sales"], [80, np.nan, 90, 90])
    assert list(table.columns) == [
        *("asset", "period_end", "published", "stated"),
        *("book_equity", "total_assets", "sales"),
    ]


def test_later_publications_are_not_looked_at(source, settings):
    """Their faults are none yet, and the rows before keep their bytes."""
    early = read_fundamentals(write(source), settings_of(settings), until=dt.date(2024, 2, 27))
    broken = HEADER + ROWS.replace("2024-05-15,45", "2024-05-15,much")
    again = read_fundamentals(
        write(source, broken), settings_of(settings), until=dt.date(2024, 2, 27)
    )
    pd.testing.assert_frame_equal(early, again)
    assert len(early) == 2
    with pytest.raises(DataError, match="row 4, column 'ceq' holds 'much'"):
        read_fundamentals(write(source, broken), settings_of(settings), until=UNTIL)


@pytest.mark.parametrize(
    ("lag", "day"), [(0, "2022-12-31"), (2, "2023-02-28"), (4, "2023-04-30"), (6, "2023-06-30")]
)
def test_a_row_without_a_publication_date_counts_some_months_later(source, settings, lag, day):
    table = read_fundamentals(write(source), settings_of(settings, lag=lag), until=UNTIL)
    assert str(table.loc[table["asset"] == "B", "published"].iloc[0])[:10] == day


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("50,100", "fifty,100"), r"row 1, column 'ceq' holds 'fifty': not a number"),
        (("2022-12-31,2023-03-01", "31.12.2022,2023-03-01"), r"row 1, column 'datadate'.*a date"),
        (("B,2022-12-31", "B,"), r"row 2, column 'datadate' holds nothing: every row needs"),
        (("B,2022", ",2022"), r"row 2, column 'ticker' holds nothing: every row needs"),
        (("2024-02-28", "2023-11-30"), r"row 3, column 'rdq'.*before the end of the period"),
        (("2024-05-15", "2024-02-28"), r"row 4, column 'datadate'.*published on the same day"),
        (("ceq,at,revenue", "x,y,z"), r"no item of accounts: looked for book_equity, total"),
        (("datadate", "when"), r"no column for 'period_end'.*data\.fundamentals\.columns\.period"),
    ],
)
def test_a_fault_is_named(source, settings, change, message):
    with pytest.raises(DataError, match=message):
        read_fundamentals(
            write(source, (HEADER + ROWS).replace(*change)), settings_of(settings), until=UNTIL
        )


def test_a_period_that_ends_early_in_a_month_is_of_the_month_before():
    days = np.array(["2023-12-31", "2024-01-06", "2024-01-14", "2024-01-15"], "datetime64[us]")
    first = fiscal_months(days[:1])[0]
    np.testing.assert_array_equal(fiscal_months(days) - first, [0, 0, 0, 1])


def test_from_a_users_file_to_dated_rows_of_the_market(source, settings, tmp_path, today, lines):
    (source / "prices.csv").write_text(lines())
    write(
        source,
        HEADER
        + "AAA,2022-12-31,2023-03-01,50,100,80\n"
        + "BBB,2022-12-31,,60,120,\n"
        + "ZZ,2022-12-31,2023-03-01,60,120,\n"
        + "AAA,2022-12-31,2024-01-04,51,100,80\n"
        + "AAA,2022-12-31,2024-01-05,52,100,80\n",  # a day after the last price
    )
    out = tmp_path / "prices"
    summary = ingest(settings_of(settings), out, today)
    assert summary["fundamentals"] == {
        "file": "fundamentals.csv",
        "n_rows": 4,
        "n_assets": 3,
        "without_prices": 1,
        "publication_assumed": 1,
        "items": {"book_equity": 4, "total_assets": 4, "sales": 2},
    }
    assert summary == read_json(out / "summary.json")
    assert any("accounts without a publication date: 1 of 4" in note for note in summary["notes"])
    assert any("accounts but without a price: 1" in note for note in summary["notes"])

    assets = np.array(["AAA", "BBB"])
    loaded = load_fundamentals(out, assets, settings.fundamentals)
    assert loaded is not None
    np.testing.assert_array_equal(loaded.asset, [0, 1, 0])
    np.testing.assert_array_equal(loaded.items["book_equity"], [50, 60, 51])
    assert (loaded.flow_months, loaded.stale_months) == (12, 18)
    assert set(loaded.items) < set(ITEMS)


def test_without_a_file_nothing_is_stored(source, settings, tmp_path, today, lines):
    (source / "prices.csv").write_text(lines())
    summary = ingest(settings, tmp_path / "prices", today)
    assert "fundamentals" not in summary
    assert load_fundamentals(tmp_path / "prices", np.array(["A"]), settings.fundamentals) is None


def test_a_named_file_that_is_not_there_is_an_error(source, settings, tmp_path, today, lines):
    (source / "prices.csv").write_text(lines())
    with pytest.raises(DataError, match=r"data\.fundamentals\.file: there is no file books\.csv"):
        ingest(settings_of(settings, file="books.csv"), tmp_path / "prices", today)


def test_the_file_is_no_price_file(source, settings, tmp_path, today, lines):
    """Where no file is called prices, all are, but those that are something else."""
    (source / "quotes.csv").write_text(lines())
    write(source)
    assert ingest(settings_of(settings), tmp_path / "prices", today)["files"] == ["quotes.csv"]
    with pytest.raises(DataError, match=r"fundamentals\.csv: no column for"):
        ingest(settings, tmp_path / "prices", today)


def test_the_same_file_gives_the_same_bytes(source, settings, tmp_path, today, lines):
    (source / "prices.csv").write_text(lines())
    write(source)
    ingest(settings_of(settings), tmp_path / "one", today)
    write(source, HEADER + "".join(reversed(ROWS.splitlines(keepends=True))))
    ingest(settings_of(settings), tmp_path / "two", today)
    one, two = ((tmp_path / name / "fundamentals.parquet").read_bytes() for name in ("one", "two"))
    assert one == two
