import datetime as dt
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latentbeta.config import DataSettings
from latentbeta.data.calendar import sessions
from latentbeta.data.market_files import load_market, place_late_delistings
from latentbeta.data.store import COLUMNS, ingest, load_factors
from latentbeta.errors import DataError
from latentbeta.storage import content_hash, read_json

Lines = Callable[..., str]
DAYS = sessions("XNYS", dt.date(2023, 1, 3), dt.date(2023, 6, 30))


def random_source(source: Path, *, until: str = "2023-06-30", factor_after: str = "2100") -> None:
    """Write 120 days of 12 assets with everything in them; half as much again after a date."""
    random = np.random.default_rng(3)
    shape = (len(DAYS), 12)
    close = (50 * np.exp(np.cumsum(random.normal(0, 0.02, shape), axis=0))).round(2)
    split = np.where(random.random(shape) < 0.01, 2.0, 1.0)
    table = pd.DataFrame(
        {
            "date": np.repeat(DAYS, 12),
            "asset": np.tile([f"A{i:02d}" for i in range(12)], len(DAYS)),
            "close": (close / np.cumprod(split, axis=0)).round(2).ravel(),
            "volume": random.integers(0, 4, shape).ravel() * 100.0,
            "dividend": np.where(random.random(shape) < 0.02, 0.3, 0.0).ravel(),
            "split": split.ravel(),
            "shares": (1e6 * np.cumprod(split, axis=0)).ravel(),
        }
    )
    later = table["date"] > np.datetime64(factor_after)
    table["close"] = table["close"].mask(later, table["close"] * 1.5)
    for name, factor in (("open", 1.0), ("high", 1.01), ("low", 0.99)):
        table[name] = table["close"] * factor
    table = table[random.random(len(table)) > 0.05]
    gone = (table["asset"] == "A03") & (table["date"] > np.datetime64("2023-04-14"))
    table = table[~gone & (table["date"] <= np.datetime64(until))]
    table.to_parquet(source / "prices.parquet", index=False)
    sectors = "asset,sector,delisted,delisting_return\n" + "".join(
        f"A{i:02d},{'Toys' if i % 2 else 'Books'},,\n" for i in range(12) if i not in (3, 7)
    )
    (source / "sectors.csv").write_text(sectors + "A03,Toys,2023-04-14,-0.4\nQQQ,Toys,,\n")
    rates = pd.DataFrame({"date": DAYS, "risk_free": 0.0001})
    rates.to_csv(source / "risk_free.csv", index=False)


def test_the_folder_holds_what_the_architecture_says(
    source: Path, settings: DataSettings, tmp_path: Path, today: dt.date
) -> None:
    random_source(source)
    (source / "truth").mkdir()
    (source / "truth" / "betas.parquet").write_bytes(b"true")
    summary = ingest(settings, tmp_path / "prices", today)
    names = sorted(path.name for path in (tmp_path / "prices").iterdir())
    assert names == [
        *("assets.parquet", "flags.parquet", "prices.parquet"),
        *("risk_free.parquet", "summary.json", "truth"),
    ]
    assert (tmp_path / "prices" / "truth" / "betas.parquet").read_bytes() == b"true"
    assert summary == read_json(tmp_path / "prices" / "summary.json")
    prices = pd.read_parquet(tmp_path / "prices" / "prices.parquet")
    assert tuple(prices.columns) == COLUMNS
    assert prices["date"].dtype == "datetime64[us]"
    assert prices["asset"].dtype == "str"
    pd.testing.assert_frame_equal(prices, prices.sort_values(["date", "asset"], ignore_index=True))
    assets = pd.read_parquet(tmp_path / "prices" / "assets.parquet")
    assert assets.columns.tolist() == [
        *("asset", "name", "sector", "listed", "delisted", "delisting_return"),
        *("first_date", "last_date"),
    ]
    assert assets["asset"].tolist() == [f"A{i:02d}" for i in range(12)]


def test_the_summary_says_what_was_read(
    source: Path, settings: DataSettings, tmp_path: Path, today: dt.date
) -> None:
    random_source(source)
    summary = ingest(settings, tmp_path / "prices", today)
    prices = pd.read_parquet(tmp_path / "prices" / "prices.parquet")
    flags = pd.read_parquet(tmp_path / "prices" / "flags.parquet")
    assert summary["n_rows"] == len(prices)
    assert (summary["n_assets"], summary["source"]) == (12, str(source))
    assert (summary["first_date"], summary["last_date"]) == ("2023-01-03", "2023-06-30")
    assert summary["content_hash"] == content_hash(tmp_path / "prices" / "prices.parquet")
    assert (summary["has_risk_free"], summary["has_shares"]) == (True, True)
    assert sum(summary["flags"].values()) == len(flags)
    assert summary["flags"]["zero_volume"] == (prices["volume"] == 0).sum() > 0
    assert summary["notes"] == [
        "assets without a sector: 1 of 12",
        "assets of the sectors file without a price: 1",
    ]


def test_observed_factors_are_stored_up_to_the_last_session(
    source: Path, settings: DataSettings, tmp_path: Path, today: dt.date
) -> None:
    random_source(source, until="2023-04-28")
    days = [str(day)[:10] for day in DAYS]
    (source / "ff.csv").write_text("date,MktRF,RF\n" + "".join(f"{d},0.001,0.0001\n" for d in days))
    plain = ingest(settings, tmp_path / "plain", today)
    assert load_factors(tmp_path / "plain") is None
    assert "factors" not in plain
    named = settings.model_copy(update={"factors": "ff.csv", "risk_free": "ff.csv"})
    summary = ingest(named, tmp_path / "prices", today)
    factors = load_factors(tmp_path / "prices")
    assert factors is not None
    assert factors.spacing == summary["factors"]["spacing"] == "daily"
    assert list(factors.table) == ["date", "MktRF"]
    assert str(factors.table["date"].max())[:10] == "2023-04-28"
    assert summary["has_risk_free"]  # the column RF of the same file


def test_without_rates_and_shares_it_says_so(
    source: Path, settings: DataSettings, tmp_path: Path, lines: Lines, today: dt.date
) -> None:
    (source / "prices.csv").write_text(lines())
    survivors = settings.model_copy(update={"universe": "survivors"})
    summary = ingest(survivors, tmp_path / "prices", today)
    assert (summary["has_risk_free"], summary["has_shares"]) == (False, False)
    assert summary["universe"] == "survivors"
    assert [note.split(":")[0] for note in summary["notes"]] == [
        "no risk-free rate",
        "no shares outstanding",
        "assets without a sector",
        "the universe holds survivors only",
    ]
    market = load_market(tmp_path / "prices")
    np.testing.assert_array_equal(market.risk_free, 0)
    assert np.isnan(market.shares).all()
    np.testing.assert_array_equal(market.sector, [-1, -1])


def test_the_same_source_gives_the_same_bytes(
    source: Path, settings: DataSettings, tmp_path: Path, today: dt.date
) -> None:
    random_source(source)
    ingest(settings, tmp_path / "one", today)
    ingest(settings, tmp_path / "two", today + dt.timedelta(days=400))
    assert content_hash(tmp_path / "one") == content_hash(tmp_path / "two")


def test_an_error_leaves_what_was_stored(
    source: Path, settings: DataSettings, tmp_path: Path, lines: Lines, today: dt.date
) -> None:
    (source / "prices.csv").write_text(lines())
    ingest(settings, tmp_path / "prices", today)
    before = content_hash(tmp_path / "prices")
    (source / "prices.csv").write_text(lines(close_2=-1))
    with pytest.raises(DataError, match="row 2"):
        ingest(settings, tmp_path / "prices", today)
    assert content_hash(tmp_path / "prices") == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_the_market_is_the_table_spread_out(
    source: Path, settings: DataSettings, tmp_path: Path, today: dt.date
) -> None:
    random_source(source)
    ingest(settings, tmp_path / "prices", today)
    market = load_market(tmp_path / "prices")
    table = pd.read_parquet(tmp_path / "prices" / "prices.parquet")
    np.testing.assert_array_equal(market.days, DAYS)
    assert market.days.dtype == np.dtype("datetime64[us]")
    assert market.shape == (len(DAYS), 12)
    for name in ("total_return", "close", "high", "low", "volume", "shares"):
        expected = table.pivot_table(index="date", columns="asset", values=name, dropna=False)
        expected = expected.reindex(index=DAYS, columns=market.assets)
        np.testing.assert_array_equal(getattr(market, name), expected.to_numpy())
    assert np.isnan(market.close).sum() == market.close.size - len(table) > 0
    np.testing.assert_array_equal(market.risk_free, 0.0001)
    assert market.sector.tolist() == [0, 1, 0, 1, 0, 1, 0, -1, 0, 1, 0, 1]


def test_a_session_without_any_quote_is_a_day_of_the_market(
    source: Path, settings: DataSettings, tmp_path: Path, lines: Lines, today: dt.date
) -> None:
    kept = [line for line in lines().splitlines() if "2024-01-03" not in line]
    (source / "prices.csv").write_text("\n".join(kept))
    ingest(settings, tmp_path / "prices", today)
    market = load_market(tmp_path / "prices")
    assert [str(day)[:10] for day in market.days] == ["2024-01-02", "2024-01-03", "2024-01-04"]
    assert np.isnan(market.close[1]).all()
    assert market.total_return[2, 0] == pytest.approx(12.1 / 10 - 1)


def test_the_delisting_return_is_in_the_last_day(
    source: Path, settings: DataSettings, tmp_path: Path, today: dt.date
) -> None:
    random_source(source)
    ingest(settings, tmp_path / "prices", today)
    table = pd.read_parquet(tmp_path / "prices" / "prices.parquet")
    last = table[table["asset"] == "A03"].iloc[-2:]
    growth = last["close"].iloc[1] + last["dividend"].iloc[1]
    expected = last["split"].iloc[1] * growth / last["close"].iloc[0] * (1 - 0.4) - 1
    assert last["total_return"].iloc[1] == pytest.approx(expected)


def test_a_market_that_was_not_ingested(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="run the ingest stage first"):
        load_market(tmp_path)


def test_another_exchange_is_told(
    source: Path, settings: DataSettings, tmp_path: Path, lines: Lines, today: dt.date
) -> None:
    (source / "prices.csv").write_text(lines())
    tokyo = settings.model_copy(update={"calendar": "XTKS"})  # closed until 4 January
    with pytest.raises(DataError, match=r"4 of 6 price rows .* XTKS"):
        ingest(tokyo, tmp_path / "prices", today)


def stored(folder: Path, until: str) -> list[bytes]:
    """Bytes of all that is dated up to a day."""
    parts = []
    for name in ("prices", "flags", "risk_free"):
        table = pd.read_parquet(folder / f"{name}.parquet")
        table = table[table["date"] <= np.datetime64(until)]
        parts += [
            table[column].astype(str).str.cat(sep="|").encode()
            if table[column].dtype == "str"
            else table[column].to_numpy().tobytes()
            for column in table
        ]
    return parts


def test_half_as_much_again_after_a_date_changes_nothing_before(
    source: Path, settings: DataSettings, tmp_path: Path, today: dt.date
) -> None:
    random_source(source)
    ingest(settings, tmp_path / "as_it_was", today)
    random_source(source, factor_after="2023-05-05")
    ingest(settings, tmp_path / "changed", today)
    before = stored(tmp_path / "as_it_was", "2023-05-05")
    assert before == stored(tmp_path / "changed", "2023-05-05")
    assert stored(tmp_path / "as_it_was", "2023-06-30") != stored(
        tmp_path / "changed", "2023-06-30"
    )


@pytest.mark.parametrize("night", ["2023-04-13", "2023-04-14", "2023-05-05"])
def test_an_as_of_date_reads_what_was_there_then(
    source: Path, settings: DataSettings, tmp_path: Path, today: dt.date, night: str
) -> None:
    random_source(source)
    as_of = settings.model_copy(update={"as_of": dt.date.fromisoformat(night)})
    ingest(as_of, tmp_path / "night", today)
    whole_assets = pd.read_parquet(tmp_path / "night" / "assets.parquet")
    random_source(source, until=night)
    ingest(as_of, tmp_path / "then", today)
    assert content_hash(tmp_path / "night") == content_hash(tmp_path / "then")
    known = whole_assets.set_index("asset").loc["A03", "delisting_return"]
    assert np.isnan(known) == (night < "2023-04-14")


def test_each_night_keeps_the_bytes_of_the_night_before(
    source: Path, settings: DataSettings, tmp_path: Path, today: dt.date
) -> None:
    random_source(source)
    nights = ["2023-04-12", "2023-04-13", "2023-04-14", "2023-04-17", "2023-06-30"]
    for night in nights:
        as_of = settings.model_copy(update={"as_of": dt.date.fromisoformat(night)})
        ingest(as_of, tmp_path / night, today)
    for earlier, later in pairwise(nights):
        assert stored(tmp_path / earlier, earlier) == stored(tmp_path / later, earlier)


def test_a_delisting_after_the_last_quote_is_lost_on_its_own_day():
    days = np.array(["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"], "datetime64[us]")
    returns = np.array([[0.1, 0.1, 0.1], [0.2, 0.2, 0.2], [np.nan] * 3, [np.nan] * 3])
    assets = pd.DataFrame(
        {
            "last_date": pd.to_datetime(["2024-01-03"] * 3),
            "delisted": pd.to_datetime(["2024-01-04", "2024-01-03", "2024-02-01"]),
            "delisting_return": [-0.4, -0.5, -0.6],
        }
    )
    place_late_delistings(returns, days, assets)
    expected = [[0.1, 0.1, 0.1], [0.2, 0.2, 0.2], [-0.4, np.nan, np.nan], [np.nan] * 3]
    np.testing.assert_array_equal(returns, expected)
