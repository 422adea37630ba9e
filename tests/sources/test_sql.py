import datetime as dt
import sqlite3

import duckdb
import numpy as np
import pandas as pd
import pytest

from latentbeta.data.store import ingest
from latentbeta.errors import DataError, SettingsError, SourceError
from latentbeta.sources.fetch import fetch
from latentbeta.sources.sql import SqlQuery

URL = "LATENTBETA_TEST_URL"
NOW = dt.datetime(2024, 1, 5, 23, tzinfo=dt.UTC)
DAYS = ["2023-12-29", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"]
BULK = "select * from quotes where day between :start and :end order by day, ticker"
ONE = "select * from quotes where ticker = :asset and day between :start and :end"


def table():
    rows = [(t, d, 10.0 + i + k) for k, t in enumerate(["AAA", "B'B"]) for i, d in enumerate(DAYS)]
    frame = pd.DataFrame(rows, columns=["ticker", "day", "px_last"])
    for name in ("open", "high", "low"):
        frame[name] = frame["px_last"]
    return frame.assign(volume=100, dividends=0.5, unused="x")


@pytest.fixture(params=["sqlite", "duckdb"])
def url(request, tmp_path):
    path = tmp_path / f"quotes.{request.param}"
    if request.param == "sqlite":
        with sqlite3.connect(path) as connection:
            table().to_sql("quotes", connection, index=False)
        connection.close()
    else:
        frame = table()  # noqa: F841 - DuckDB finds it by its name
        with duckdb.connect(str(path)) as connection:
            connection.execute(
                "create table quotes as select * replace (day::date as day,"
                " px_last::decimal(12, 4) as px_last) from frame"
            )
    return f"{request.param}:///{path}"


@pytest.fixture
def of_query(settings, monkeypatch):
    def changed(query, address=None, **fetch):
        if address is not None:
            monkeypatch.setenv(URL, address)
        base = settings(prices="sql")
        columns = base.data.columns | {"close": ("px_last",)}
        asked = base.fetch.sql.model_copy(update={"url_variable": URL, "query": query})
        data = {"columns": columns}
        return settings(prices="sql", sql=asked, data=data, start=dt.date(2024, 1, 2), **fetch)

    return changed


@pytest.mark.parametrize(("query", "assets"), [(BULK, ()), (ONE, ("AAA", "B'B"))])
def test_a_query_becomes_prices(of_query, url, places, query, assets, tmp_path):
    asked = of_query(query, url, assets=assets)
    summary = fetch(asked, places, NOW)
    assert summary["assets"] == {"fetched": 2, "absent": 0, "failed": 0}
    rows = pd.read_parquet(places.out / "prices.parquet").sort_values(["asset", "date"])
    assert rows["date"].min() == pd.Timestamp("2024-01-02")
    assert rows["px_last"].tolist() == [11, 12, 13, 14, 12, 13, 14, 15]
    assert (rows["dividend"] == 0.5).all()
    assert (rows["split"] == 1).all()
    manifest = pd.read_parquet(places.out / "manifest.parquet")
    assert manifest["rows"].tolist() == [4, 4]
    assert manifest["last_date"].tolist() == ["2024-01-05"] * 2
    read = asked.data.model_copy(update={"path": places.out})
    ingested = ingest(read, tmp_path / "prices", NOW.date())
    assert (ingested["n_rows"], ingested["n_assets"]) == (8, 2)


def test_a_day_to_come_is_not_read(of_query, url, places):
    asked = of_query(BULK, url)
    early = asked.data.model_copy(update={"as_of": dt.date(2024, 1, 3)})
    fetch(asked.model_copy(update={"data": early}), places, NOW)
    rows = pd.read_parquet(places.out / "prices.parquet")
    assert rows["date"].max() == pd.Timestamp("2024-01-03")


def test_files_are_read_through_duckdb(of_query, places, tmp_path):
    table().to_parquet(tmp_path / "mine.parquet")
    query = (
        f"select * from '{tmp_path}/mine.parquet' where day::date >= :start and day::date <= :end"
    )
    fetch(of_query(query, "duckdb://"), places, NOW)
    assert len(pd.read_parquet(places.out / "prices.parquet")) == 8


def test_parameters_are_bound_not_written(of_query, url, places):
    asked = of_query(ONE, url, assets=("AAA' or '1'='1", "AAA"))
    summary = fetch(asked, places, NOW)
    assert summary["without_rows"] == ["AAA' or '1'='1"]


def test_rows_twice_for_a_day_are_a_failure_of_the_asset(of_query, url, places):
    twice = f"{ONE} union all {ONE}"
    with pytest.raises(SourceError, match="AAA: the query gives 2024-01-02 twice"):
        fetch(of_query(twice, url, assets=("AAA",)), places, NOW)


def with_empty(column):
    cast = "cast(null as text)"
    columns = "ticker, day, open, high, low, px_last, volume".replace(column, f"{cast} {column}")
    empty = f"select {columns} from quotes where ticker = 'AAA' and day = :end"
    full = "select ticker, day, open, high, low, px_last, volume from quotes"
    return f"{full} where ticker = 'B''B' and day >= :start union all {empty}"


@pytest.mark.parametrize(("column", "said"), [("day", "its date"), ("ticker", "its asset")])
def test_a_row_without_its_date_or_asset_is_named(of_query, tmp_path, places, column, said):
    with sqlite3.connect(tmp_path / "quotes.sqlite") as connection:
        table().to_sql("quotes", connection, index=False)
    connection.close()
    asked = of_query(with_empty(column), f"sqlite:///{tmp_path}/quotes.sqlite")
    with pytest.raises(DataError, match=f"row 5, column '{column}'.*every row needs {said}"):
        fetch(asked, places, NOW)


def test_a_cell_that_is_wrong_fails_its_asset_alone(of_query, tmp_path, places):
    bad = table().astype({"open": object})
    bad.loc[(bad["ticker"] == "AAA") & (bad["day"] == DAYS[3]), "open"] = "n/k"
    with sqlite3.connect(tmp_path / "quotes.sqlite") as connection:
        bad.to_sql("quotes", connection, index=False)
    connection.close()
    url = f"sqlite:///{tmp_path}/quotes.sqlite"
    asked = of_query(ONE, url, assets=("AAA", "B'B"), largest_failed_share=0.5)
    summary = fetch(asked, places, NOW)
    assert summary["assets"] == {"fetched": 1, "absent": 0, "failed": 1}
    assert "row 3, column 'open'" in summary["failed"]["AAA"]


@pytest.mark.parametrize(
    ("query", "error", "said"),
    [
        (None, SettingsError, "write the query"),
        ("select 1", SettingsError, ":start and :end.*has none"),
        (BULK + " -- :other", SettingsError, "has end, other, start"),
        ("select day from quotes where day >= :start and day < :end", DataError, "no column for"),
        ("select * from nowhere where 1 in (:start, :end)", SourceError, "refuses.*nowhere"),
        (BULK.replace("*", "*, 'x' as low"), DataError, "low"),
        (BULK + " limit 0", SourceError, "not one price came"),
    ],
)
def test_a_query_that_cannot_be_used(of_query, url, places, query, error, said):
    with pytest.raises(error, match=said):
        fetch(of_query(query, url), places, NOW)
    assert not places.out.exists()


def test_a_query_for_all_needs_the_assets_name(of_query, url, places):
    columns = "day, open, high, low, px_last, volume"
    query = BULK.replace("*", columns).replace("order by day, ticker", "")
    with pytest.raises(SettingsError, match="no column for 'asset'"):
        fetch(of_query(query, url), places, NOW)


def test_no_address_in_the_environment(of_query, places, monkeypatch):
    monkeypatch.delenv(URL, raising=False)
    with pytest.raises(SettingsError, match=f"{URL} holds no address"):
        fetch(of_query(BULK), places, NOW)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://someone:hunter2%3Azwei@127.0.0.1:1/prices?passfile=hunter2%3Azwei",
        "nonsense://someone:hunter2%3Azwei@host",
        "sqlite:////nowhere/hunter2%3Azwei.db",
        "duckdb:////nowhere/hunter2%3Azwei.db",
        "hunter2%3Azwei",
    ],
)
def test_the_address_shows_nowhere(of_query, places, address, capfd, tmp_path):
    asked = of_query(BULK, address)
    with pytest.raises(SourceError) as raised:
        fetch(asked, places, NOW)
    printed = capfd.readouterr()
    for secret in ("hunter2%3Azwei", "hunter2:zwei"):
        assert secret not in printed.out + printed.err + str(raised.value) + repr(asked)
    assert raised.value.__suppress_context__


def test_dates_with_a_time_or_a_zone_are_days(of_query, places, tmp_path):
    when = pd.to_datetime(table()["day"] + " 16:00").dt.tz_localize("UTC")
    table().assign(day=when).to_parquet(tmp_path / "mine.parquet")
    query = f"select * from '{tmp_path}/mine.parquet' where day >= :start and day < :end + 1"
    fetch(of_query(query, "duckdb://"), places, NOW)
    rows = pd.read_parquet(places.out / "prices.parquet")
    assert rows["date"].iloc[0] == pd.Timestamp("2024-01-02")


def test_the_batches_are_checked_one_by_one(of_query, url):
    asked = of_query(BULK, url)
    query = SqlQuery(asked.fetch.sql, asked.data.columns)
    assert not query.by_asset
    (batch,) = query.batches(dt.date(2024, 1, 2), dt.date(2024, 1, 5))
    assert np.isfinite(batch[["open", "close", "volume"]]).all().all()
