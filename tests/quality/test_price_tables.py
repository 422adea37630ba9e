"""The small tables that the rules about prices look at, against numbers worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from latentbeta.quality.price_assets import asset_table, stale_table, turnover_table
from latentbeta.quality.price_events import event_table, split_table
from latentbeta.quality.price_history import History, history_of
from latentbeta.quality.price_sessions import session_table

DAYS = pd.bdate_range("2018-01-01", periods=400).astype("datetime64[us]")


def table(close: np.ndarray, **columns: np.ndarray | float) -> pd.DataFrame:
    """Prices from (D, N) matrices, NaN where there is no row; A00, A01, … by column."""
    n_days, n_assets = close.shape
    filled = {"volume": 100.0, "dividend": 0.0, "split": 1.0, "shares": 1e4} | columns
    before = np.vstack([np.full((1, n_assets), np.nan), close[:-1]])
    filled["total_return"] = filled.get("total_return", close / before - 1)
    frame = {"date": np.repeat(DAYS[:n_days], n_assets)}
    frame["asset"] = np.tile([f"A{i:02d}" for i in range(n_assets)], n_days)
    frame |= {name: close.ravel() for name in ("open", "high", "low", "close")}
    for name, values in filled.items():
        frame[name] = np.broadcast_to(values, close.shape).ravel()
    return pd.DataFrame(frame).dropna(subset=["close"]).reset_index(drop=True)


def history(prices: pd.DataFrame, sessions: pd.DatetimeIndex | None = None) -> History:
    days = pd.DatetimeIndex(prices["date"].unique()) if sessions is None else sessions
    return history_of(prices, days)


def walk(n_days: int, n_assets: int, seed: int = 1) -> np.ndarray:
    random = np.random.default_rng(seed)
    return 50 * np.exp(np.cumsum(random.normal(0, 0.02, (n_days, n_assets)), axis=0))


def test_the_history_is_in_the_order_of_assets_with_their_previous_close() -> None:
    close = np.array([[10.0, 20.0], [11.0, np.nan], [12.0, 22.0]])
    found = history(table(close))
    assert found.codes.tolist() == [0, 0, 0, 1, 1]
    assert found.session.tolist() == [0, 1, 2, 0, 2]
    np.testing.assert_array_equal(found.before, [np.nan, 10, 11, np.nan, 20])
    np.testing.assert_array_equal(found.sum_by_session(found.column("close")), [30, 11, 34])
    np.testing.assert_array_equal(found.sum_by_asset(found.column("close")), [33, 42])
    assert found.last_dates().tolist() == [DAYS[2].to_datetime64()] * 2


def test_a_session_is_described_by_what_its_assets_did() -> None:
    close = walk(30, 12)
    close[25, :9] = close[24, :9]  # nine of twelve stand still
    total_return = np.zeros(close.shape)
    total_return[26, :3] = -0.3
    volume = np.full(close.shape, 100.0)
    volume[27] = 300.0
    prices = table(close, total_return=total_return, volume=volume)
    without = prices[prices["date"] != DAYS[28]]
    found = session_table(history(without, DAYS[:30])).set_index("date")
    assert found["share_unmoved"][DAYS[25]] == pytest.approx(9 / 12)
    assert found["share_moved"][DAYS[26]] == pytest.approx(3 / 12)
    assert found["volume_of_usual"][DAYS[27]] == pytest.approx(3.0)
    assert found["n_assets"][DAYS[28]] == 0
    assert found["share_of_usual"][DAYS[28]] == 0
    assert np.isnan(found["volume_of_usual"][DAYS[28]])  # session_complete says it
    assert (found["is_session"] == 1).all()


def test_nine_assets_say_nothing_of_the_market() -> None:
    found = session_table(history(table(np.full((30, 9), 50.0))))
    assert found["share_unmoved"].isna().all()
    assert found["share_moved"].isna().all()


def test_the_longest_run_of_one_close() -> None:
    close = walk(20, 2)
    close[5:9, 1] = close[4, 1]
    close[12:14, 1] = close[11, 1]
    found = stale_table(history(table(close)))
    assert found["n_unchanged"].tolist() == [0, 4]
    assert found["date"][1] == DAYS[8]


def test_a_life_with_gaps_and_turnover_against_the_middle() -> None:
    close = walk(100, 11)
    close[30:60, 3] = np.nan
    shares = np.full((100, 11), 1e4)
    shares[:, 5] = 1e7
    found = asset_table(history(table(close, shares=shares))).set_index("asset")
    assert found["share_quoted"]["A03"] == pytest.approx(0.7)
    assert found["share_quoted"].drop("A03").eq(1).all()
    assert found["turnover_of_usual"]["A05"] == pytest.approx(1e-3)
    assert found["turnover"]["A04"] == pytest.approx(0.01)
    assert turnover_table(found.reset_index())["turnover"].tolist() == pytest.approx([0.01])


def test_the_lead_is_the_difference_of_plain_correlations() -> None:
    random = np.random.default_rng(2)
    market = random.normal(0, 0.02, 400)
    change = market[:, None] + random.normal(0, 0.01, (400, 15))
    change[1:, 7] = change[:-1, 7].copy()  # a session late
    found = asset_table(history(table(walk(400, 15), total_return=change))).set_index("asset")
    mean = change.mean(axis=1)
    late = np.corrcoef(change[1:, 7], mean[:-1])[0, 1] - np.corrcoef(change[:, 7], mean)[0, 1]
    assert found["lead"]["A07"] == pytest.approx(late, abs=1e-12)
    assert found["lead"].drop("A07").eq(0).all()


def test_a_split_is_held_against_its_close() -> None:
    close = walk(60, 4)
    split = np.ones(close.shape)
    split[30, :3], split[40, 3] = 2.0, 1.1  # too small to be judged
    close[30:, 0] /= 2
    found = split_table(history(table(close, split=split)))
    change = np.log(close[30, :3] / close[29, :3])
    np.testing.assert_allclose(found["in_price"], -change / np.log(2))
    assert found["asset"].tolist() == ["A00", "A01", "A02"]
    split[30, 2] = 1.0
    assert split_table(history(table(close, split=split))).empty  # two are too few


def test_volume_and_price_follow_splits_and_dividends() -> None:
    close = walk(80, 9)
    split, volume = np.ones(close.shape), np.full(close.shape, 100.0)
    split[40], volume[40:] = 2.0, 150.0
    found = event_table(
        history(table(close / np.cumprod(split, axis=0), split=split, volume=volume))
    )
    assert found["volume_follows"].item() == pytest.approx(np.log(1.5) / np.log(2))
    assert np.isnan(found["fall_per_dividend"].item())
    assert np.isnan(event_table(history(table(close)))["volume_follows"].item())


@pytest.mark.parametrize(("share", "least", "most"), [(1.0, 1, 1), (0.0, 0.0, 0.3), (0.1, 0, 0.4)])
def test_by_how_much_the_price_falls(share: float, least: float, most: float) -> None:
    """Prices fall by a share of the dividend: all of it, none, a tenth."""
    random = np.random.default_rng(4)
    change, close = random.normal(0, 0.01, (250, 40)), np.full((250, 40), 50.0)
    dividend = np.where(random.random((250, 40)) < 0.03, 1.0, 0.0)
    for t in range(1, 250):
        close[t] = close[t - 1] * (1 + change[t]) - share * dividend[t]
        close[t] = np.maximum(close[t], 20)
    found = event_table(history(table(close, dividend=dividend)))["fall_per_dividend"].item()
    assert least - 1e-9 <= found <= most + 1e-9
