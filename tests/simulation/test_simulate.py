import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latentbeta.characteristics.ranking import rank_to_unit_interval
from latentbeta.characteristics.registry import REGISTRY
from latentbeta.config import SimulationSettings
from latentbeta.data.calendar import period_ends, sessions
from latentbeta.data.market_files import load_market
from latentbeta.errors import SettingsError
from latentbeta.simulation.betas import CHARACTERISTICS, true_betas
from latentbeta.simulation.simulate import FACTORS, simulate
from latentbeta.storage import content_hash, read_json

SEED = 7


def simulated(settings: SimulationSettings, out: Path, **changes: object) -> Path:
    given = {"rebalancing": "monthly", "calendar": "XNYS", "seed": SEED, "as_of": None} | changes
    simulate(settings, **given, out=out)
    return out


def column_bytes(table: pd.DataFrame) -> list[bytes]:
    return [
        "|".join(map(str, table[name])).encode()
        if table[name].dtype == "str"
        else table[name].to_numpy().tobytes()
        for name in table
    ]


def test_the_folder_looks_like_a_user_s(small_source: Path) -> None:
    files = sorted(str(p.relative_to(small_source)) for p in small_source.rglob("*.*"))
    assert files == [
        *("prices.parquet", "risk_free.csv", "sectors.csv"),
        *("truth/betas.parquet", "truth/factors.parquet"),
    ]
    prices = pd.read_parquet(small_source / "prices.parquet")
    pd.testing.assert_frame_equal(prices, prices.sort_values(["date", "asset"], ignore_index=True))
    assert not prices.duplicated(["date", "asset"]).any()


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(
    small_market: SimulationSettings, small_source: Path, tmp_path: Path
) -> None:
    again = simulated(small_market, tmp_path / "again")
    assert content_hash(again) == content_hash(small_source)
    short = small_market.model_copy(update={"end": dt.date(2010, 3, 1)})
    other = simulated(short, tmp_path / "other", seed=SEED + 1)
    one, two = (pd.read_parquet(f / "truth/factors.parquet") for f in (other, small_source))
    assert not np.isin(one[FACTORS].to_numpy(), two[FACTORS].to_numpy()).any()


@pytest.mark.parametrize("rebalancing", ["monthly", "weekly", "daily"])
def test_a_later_end_changes_no_earlier_byte(
    small_market: SimulationSettings, tmp_path: Path, rebalancing: str
) -> None:
    start = small_market.model_copy(update={"start": dt.date(2011, 9, 1), "n_assets": 150})
    ends = [dt.date(2012, 2, 28), dt.date(2012, 2, 29), dt.date(2012, 6, 20)]  # the 29th is last
    folders = [
        simulated(
            start.model_copy(update={"end": end}), tmp_path / f"{end}", rebalancing=rebalancing
        )
        for end in ends
    ]
    for earlier, later in ((0, 1), (1, 2)):
        for name in ("prices.parquet", "truth/betas.parquet", "truth/factors.parquet"):
            part, whole = (pd.read_parquet(folders[i] / name) for i in (earlier, later))
            until = part["date"].max()
            assert column_bytes(part) == column_bytes(whole[whole["date"] <= until])
        rates = [(folders[i] / "risk_free.csv").read_text() for i in (earlier, later)]
        assert rates[1].startswith(rates[0])
        listings = [pd.read_csv(folders[i] / "sectors.csv", dtype=str) for i in (earlier, later)]
        day = f"{ends[earlier]}"
        known = listings[1][listings[1]["listed"] <= day].reset_index(drop=True)
        late = known["delisted"] > day
        known[["delisted", "delisting_return"]] = known[["delisted", "delisting_return"]].mask(late)
        pd.testing.assert_frame_equal(listings[0], known)
    assert listings[0]["delisted"].notna().any()
    assert len(listings[0]) < len(listings[1])


def test_as_of_trades_past_the_end_and_not_before_it(
    small_market: SimulationSettings, tmp_path: Path
) -> None:
    brief = small_market.model_copy(update={"end": dt.date(2010, 2, 26)})
    ahead = simulated(brief, tmp_path / "ahead", as_of=dt.date(2010, 3, 14))  # a Sunday
    behind = simulated(brief, tmp_path / "behind", as_of=dt.date(2010, 1, 29))
    last = [pd.read_parquet(f / "prices.parquet")["date"].max() for f in (ahead, behind)]
    assert last == [pd.Timestamp("2010-03-12"), pd.Timestamp("2010-02-26")]


def test_no_session_is_an_error_and_leaves_what_was_there(
    small_market: SimulationSettings, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "kept").write_text("kept")
    weekend = {"start": dt.date(2010, 1, 9), "end": dt.date(2010, 1, 10)}
    with pytest.raises(SettingsError, match="no session from 2010-01-09 to 2010-01-10"):
        simulated(small_market.model_copy(update=weekend), tmp_path / "out")
    assert (tmp_path / "out" / "kept").read_text() == "kept"


def test_ingest_finds_nothing_wrong_with_it(small_prices: Path, small_source: Path) -> None:
    summary = read_json(small_prices / "summary.json")
    assert sum(summary["flags"].values()) == 0
    assert sum(summary["dropped"].values()) == 0
    assert summary["notes"] == []
    assert (summary["has_risk_free"], summary["has_shares"], summary["has_truth"]) == (True,) * 3
    assert content_hash(small_prices / "truth") == content_hash(small_source / "truth")


def test_the_pipeline_s_own_characteristics_give_the_true_betas(small_prices: Path) -> None:
    market = load_market(small_prices)
    truth = pd.read_parquet(small_prices / "truth" / "betas.parquet")
    listing = pd.read_parquet(small_prices / "assets.parquet").set_index("asset")
    ends = period_ends(market.days, "monthly", calendar="XNYS")
    formations = np.searchsorted(market.days, ends)
    values = np.array([REGISTRY[n].function(market, formations) for n in CHARACTERISTICS])
    dates = [*ends[1:], np.datetime64("2012-06-29", "us")]
    compared = 0
    for t, (formed, date) in enumerate(zip(ends, dates, strict=True)):
        listed = (listing["listed"] <= formed) & ~(listing["delisted"] <= formed)
        ranks = rank_to_unit_interval(np.where(listed.to_numpy(), values[:, t], np.nan))
        expected = pd.DataFrame(
            true_betas(np.nan_to_num(ranks)), index=market.assets, columns=FACTORS
        )[listed.to_numpy()]
        found = truth[truth["date"] == date].set_index("asset")[FACTORS]
        assert found.index.tolist() == expected.index.tolist()
        np.testing.assert_array_equal(found.to_numpy(), expected.to_numpy())
        compared += len(found)
    assert compared > 1400
    assert truth["date"].max() == dates[-1]


def test_returns_are_betas_times_factors_and_noise(small_prices: Path) -> None:
    market = load_market(small_prices)
    truth = Path(small_prices / "truth")
    betas = pd.read_parquet(truth / "betas.parquet").set_index(["date", "asset"])
    factors = pd.read_parquet(truth / "factors.parquet").set_index("date")
    monthly = pd.DataFrame(
        np.nan_to_num(np.log1p(market.total_return - market.risk_free[:, None])),
        index=pd.DatetimeIndex(market.days),
        columns=pd.Index(market.assets, name="asset"),
    ).rename_axis("date")
    monthly = monthly.groupby(monthly.index.to_period("M")).sum()
    ends = period_ends(market.days, "monthly", calendar="XNYS")
    monthly = np.expm1(monthly.iloc[: len(ends)].set_axis(ends)).rename_axis("date")
    joined = monthly.stack().rename("return").to_frame().join(betas, how="inner")  # noqa: PD013
    explained = (joined[FACTORS] * factors.reindex(joined.index, level="date")).sum(axis=1)
    slope = (explained @ joined["return"]) / (explained @ explained)
    assert abs(slope - 1) < 0.1
    residual = joined["return"] - explained
    assert 0.9 < residual.std() / (0.018 * np.sqrt(21)) < 1.15


def test_factors_are_the_sums_over_complete_periods(
    small_market: SimulationSettings, tmp_path: Path
) -> None:
    # Daily and monthly markets draw the same factors, so months are sums of days.
    brief = small_market.model_copy(update={"end": dt.date(2010, 4, 15), "n_assets": 30})
    tables = [
        pd.read_parquet(simulated(brief, tmp_path / r, rebalancing=r) / "truth/factors.parquet")
        for r in ("daily", "monthly")
    ]
    daily, monthly = (table.set_index("date") for table in tables)
    assert len(daily) == len(sessions("XNYS", brief.start, brief.end))
    assert [f"{day:%Y-%m-%d}" for day in monthly.index] == [
        "2010-01-29",
        "2010-02-26",
        "2010-03-31",
    ]
    sums = daily.groupby(daily.index.to_period("M")).sum().iloc[:3]
    np.testing.assert_allclose(monthly.to_numpy(), sums.to_numpy(), rtol=1e-12)


def test_it_looks_like_a_market(small_source: Path, small_prices: Path) -> None:
    prices = pd.read_parquet(small_source / "prices.parquet")
    market = load_market(small_prices)
    assert (prices[["open", "high", "low", "close"]] > 0).all(axis=None)
    assert prices["close"].between(1, 200).all()
    assert (prices["high"] >= prices[["open", "close"]].max(axis=1)).all()
    assert (prices["low"] <= prices[["open", "close"]].min(axis=1)).all()
    enough = np.isfinite(market.total_return).sum(axis=0) > 200
    volatility = np.nanstd(market.total_return[:, enough], axis=0) * np.sqrt(252)
    assert 0.2 < volatility.min() < volatility.max() < 0.7
    assert (prices["split"] != 1).sum() > 0
    assert (prices["dividend"] > 0).sum() > 100
    listing = pd.read_csv(small_source / "sectors.csv")
    assert (listing["listed"] > "2010-01-04").sum() > 0
    assert listing["delisted"].notna().sum() > 0
    assert listing["sector"].nunique() == 4
    assert (listing["delisting_return"].notna() == listing["delisted"].notna()).all()


def test_gaps_are_as_frequent_as_asked(
    small_market: SimulationSettings, small_source: Path, small_prices: Path
) -> None:
    market = load_market(small_prices)
    listing = pd.read_parquet(small_prices / "assets.parquet")
    first = np.searchsorted(market.days, listing["first_date"].to_numpy())
    last = np.searchsorted(market.days, listing["last_date"].to_numpy())
    share = 1 - np.isfinite(market.close).sum() / (last - first + 1).sum()
    assert 0.7 < share / small_market.gap_rate < 1.3


def test_last_quotes_and_first_are_those_of_the_listing(
    small_prices: Path, small_source: Path
) -> None:
    assets = pd.read_parquet(small_prices / "assets.parquet")
    pd.testing.assert_series_equal(assets["first_date"], assets["listed"], check_names=False)
    gone = assets["delisted"].notna()
    assert (assets["last_date"] == assets["delisted"])[gone].all()


def test_trading_volume_persists(small_prices: Path) -> None:
    market = load_market(small_prices)
    turnover = np.log(market.volume / market.shares)
    complete = np.isfinite(turnover).sum(axis=0) > 0.9 * len(turnover)
    year_one, next_month, year_three = (
        np.nanmean(turnover[a:b, complete], axis=0) for a, b in ((0, 63), (63, 126), (500, 563))
    )
    assert np.corrcoef(year_one, next_month)[0, 1] > 0.7
    assert np.corrcoef(year_one, year_three)[0, 1] < np.corrcoef(year_one, next_month)[0, 1]


def test_without_noise_returns_are_the_rate_and_betas_times_factors_to_the_cent(
    small_market: SimulationSettings, tmp_path: Path
) -> None:
    quiet = small_market.model_copy(
        update={"idiosyncratic_volatility": 1e-9, "end": dt.date(2010, 12, 31)}
    )
    source = simulated(quiet, tmp_path / "quiet", rebalancing="daily")
    prices = pd.read_parquet(source / "prices.parquet").set_index(["date", "asset"])
    before = prices["close"].groupby("asset").shift()
    returns = prices["split"] * (prices["close"] + prices["dividend"]) / before - 1
    betas = pd.read_parquet(source / "truth/betas.parquet").set_index(["date", "asset"])
    factors = pd.read_parquet(source / "truth/factors.parquet").set_index("date")
    rates = pd.read_csv(source / "risk_free.csv", parse_dates=["date"]).set_index("date")
    explained = (betas * factors.reindex(betas.index, level="date")).sum(axis=1, skipna=False)
    rate = rates["risk_free"].reindex(betas.index, level="date")
    session = pd.Series(np.searchsorted(factors.index, prices.index.get_level_values(0)))
    session.index = prices.index
    next_day = session - session.groupby("asset").shift() == 1  # a return over a gap has more in it
    error = (returns - explained - rate) * before / prices["split"]
    error = error.reindex(next_day.index[next_day]).dropna()  # no beta on the day of a listing
    assert len(error) > 11_000
    assert error.abs().max() < 0.005 + 1e-6  # currency: prices are whole cents
    assert abs(error.mean()) < 2e-4  # the rate alone makes 13e-4
