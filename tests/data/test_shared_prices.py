import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latentbeta.config import DataSettings, read_settings
from latentbeta.data.calendar import sessions
from latentbeta.data.market_files import load_market
from latentbeta.data.store import ingest
from latentbeta.quality.checkpoint import run_checkpoints
from latentbeta.quality.prices import price_rules, price_tables
from latentbeta.quality.rows import find_failures

SHARED = Path(__file__).parents[3] / "shared" / "data" / "sp500_daily"

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.skipif(not SHARED.is_dir(), reason="shared/data/sp500_daily is not beside this"),
]


@pytest.fixture(scope="module")
def default() -> DataSettings:
    settings = read_settings(Path(__file__).parents[2] / "params.yaml").data
    return settings.model_copy(update={"path": SHARED, "universe": "survivors"})


@pytest.fixture(scope="module")
def prices(default: DataSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shared") / "prices"
    ingest(default, folder, dt.date(2026, 1, 1))
    return folder


def test_it_is_read_as_it_is(prices: Path) -> None:
    market = load_market(prices)
    assert market.shape == (5402, 504)
    assert np.isfinite(market.close).sum() == 2_402_891
    assert set(np.unique(market.sector)) == set(range(11))
    assert (market.close[np.isfinite(market.close)] > 0).all()


def test_known_bad_rows_are_flagged(prices: Path) -> None:
    flags = pd.read_parquet(prices / "flags.parquet")
    marked = set(zip(flags["asset"], flags["date"].dt.strftime("%Y-%m-%d"), strict=True))
    assert {
        ("ANTM", "2001-10-30"),
        ("ANTM", "2002-03-18"),
        ("KSU", "2000-07-13"),
        ("TRMB", "2007-02-23"),
        ("GNRC", "2010-02-12"),
    } <= marked
    assert (flags["rule"] == "zero_volume").sum() == 187


def test_false_returns_are_withheld_and_true_ones_kept(prices: Path) -> None:
    table = pd.read_parquet(prices / "prices.parquet", columns=["date", "asset", "total_return"])
    table = table.set_index(["asset", "date"])["total_return"]

    def on(asset: str, day: str) -> float:
        return float(table[(asset, pd.Timestamp(day))])

    for asset, day in (
        ("ANTM", "2002-03-18"),
        ("ANTM", "2005-06-02"),
        ("KSU", "2000-07-13"),
        ("IRM", "2006-02-02"),  # a price of three for two, undone the next day
        ("TRMB", "2007-02-26"),
        ("GNRC", "2010-02-12"),
        ("TMUS", "2013-05-01"),
        ("RTX", "2020-04-03"),
    ):
        assert np.isnan(on(asset, day)), (asset, day)
    assert on("AIG", "2008-09-15") == pytest.approx(-0.608, abs=1e-3)
    assert on("HIG", "2008-12-05") == pytest.approx(1.024, abs=1e-3)
    assert on("AAPL", "2000-09-29") == pytest.approx(-0.519, abs=1e-3)
    assert on("HLT", "2017-01-04") == pytest.approx(0.0038, abs=1e-4)


def test_returns_agree_with_the_vendor_s_adjusted_closes_but_where_those_are_wrong(
    prices: Path,
) -> None:
    ours = pd.read_parquet(prices / "prices.parquet", columns=["date", "asset", "total_return"])
    files = sorted(SHARED.glob("prices_*.parquet"))
    columns = ["ticker", "date", "adjusted_close"]
    theirs = pd.concat([pd.read_parquet(file, columns=columns) for file in files])
    theirs = theirs.sort_values(["ticker", "date"])
    adjusted = theirs["adjusted_close"].astype(float)
    theirs["published"] = adjusted / adjusted.groupby(theirs["ticker"]).shift() - 1
    both = ours.merge(theirs, left_on=["asset", "date"], right_on=["ticker", "date"])
    difference = (both["total_return"] - both["published"]).abs()
    assert difference.notna().sum() == len(both) - 504 - 16  # first days, and returns withheld
    assert difference.quantile(0.9999) < 1e-4
    far = both[difference > 1e-3]
    found = list(zip(far["asset"], far["date"].dt.strftime("%Y-%m-%d"), strict=True))
    # The vendor's adjusted closes jump where neither the price nor a recorded split does.
    assert sorted(found) == [
        ("TRMB", "2007-02-23"),
        ("ZBRA", "2003-08-21"),
        ("ZBRA", "2004-08-25"),
    ]


def test_the_crash_of_2008_is_marked_where_it_is_extreme_and_believed(prices: Path) -> None:
    flags = pd.read_parquet(prices / "flags.parquet")
    crash = flags[flags["date"].between("2008-09-01", "2009-03-31")]
    assert crash["rule"].value_counts().to_dict() == {
        "large_return": 15,
        "reversed_spike": 14,
        "filled_quote": 7,
        "dividend_unusual": 3,
        "like_a_split": 2,
    }
    table = pd.read_parquet(prices / "prices.parquet", columns=["date", "asset", "total_return"])
    quoted_before = table["asset"].duplicated()
    inside = table[table["date"].between("2008-09-01", "2009-03-31") & quoted_before]
    assert len(inside) > 60_000
    assert inside["total_return"].notna().all()


@pytest.mark.slow
def test_the_gate_blocks_nothing_of_it_and_warns_of_what_is_wrong(
    prices: Path, tmp_path: Path
) -> None:
    table = pd.read_parquet(prices / "prices.parquet")
    days = pd.DatetimeIndex(sessions("XNYS", table["date"].min(), table["date"].max()))
    tables = price_tables(table, days)
    rules = price_rules(
        read_settings(Path(__file__).parents[2] / "params.yaml").quality, latest=dt.date(2026, 1, 1)
    )
    outcomes = run_checkpoints(tables, rules, docs=tmp_path, data_date=dt.date(2021, 4, 21))
    assert not [outcome.rule.name for outcome in outcomes if outcome.blocks]
    failures = {f.outcome.rule.name: f for f in find_failures(outcomes, tables)}
    assert set(failures) == {
        *("total_return_usual", "dividend_below_price", "price_not_stale", "session_moved"),
    }
    assert failures["session_moved"].rows["date"].tolist() == [pd.Timestamp("2003-01-29")]
    assert failures["price_not_stale"].rows["asset"].tolist() == ["TTWO", "TYL"]
    crash = failures["total_return_usual"].rows["date"].between("2008-09-01", "2009-03-31")
    assert failures["total_return_usual"].rows[crash]["asset"].tolist() == ["HIG"]
