"""Prices kept as rows: matrices of some assets are those of all, and memory stays small."""

import dataclasses
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchmarks.scale import write_prices

from latentbeta.config import CharacteristicsSettings
from latentbeta.data import market as market_module
from latentbeta.data.market import MATRICES, blocks
from latentbeta.data.market_files import load_market, open_market
from latentbeta.panel import build_panel, write_panel
from latentbeta.storage import content_hash

SETTINGS = CharacteristicsSettings(
    names=("mom1m", "mom12m", "indmom", "turn", "ill", "beta", "pricedelay", "mvel1"),
    minimum_history=100,
    minimum_coverage=0.2,
)


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stored") / "prices"
    write_prices(folder, n_rows=60_000, n_assets=23)
    return folder


def by_hand(folder: Path, name: str, shape: tuple[int, int]) -> np.ndarray:
    table = pd.read_parquet(folder / "prices.parquet", columns=["date", "asset", name])
    days = pd.read_parquet(folder / "risk_free.parquet")["date"]
    wide = np.full(shape, np.nan)
    column = pd.factorize(table["asset"], sort=True)[0]
    wide[pd.Index(days).get_indexer(table["date"]), column] = table[name]
    return wide


def test_matrices_hold_the_rows(prices: Path) -> None:
    market = load_market(prices)
    assert market.whole is None
    for name in MATRICES:
        np.testing.assert_array_equal(
            getattr(market, name), by_hand(prices, name, market.shape), err_msg=name
        )


def test_some_assets_are_columns_of_all(prices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, stored = load_market(prices), open_market(prices)
    monkeypatch.setattr(market_module, "BLOCK_CELLS", 5 * whole.shape[0])
    for columns, block in blocks(stored):
        assert block.whole is stored
        expected = whole.columns(columns.start, columns.stop)
        for field in (*MATRICES, "assets", "sector", "days", "risk_free"):
            np.testing.assert_array_equal(getattr(block, field), getattr(expected, field))


def test_earlier_days_are_the_same_rows(prices: Path) -> None:
    whole, stored = load_market(prices), open_market(prices)
    early = stored.until(4_000)
    assert early.shape == (4_000, 23)
    for name in MATRICES:
        np.testing.assert_array_equal(
            getattr(early.columns(3, 20), name), getattr(whole, name)[:4_000, 3:20]
        )


def test_a_late_delisting_lies_on_its_own_day_in_every_block(prices: Path) -> None:
    stored = open_market(prices)
    listing = stored.listing.copy()
    last = int(np.flatnonzero(np.isfinite(stored.columns(7, 8).close[:, 0]))[-1])
    listing.loc[7, "delisted"] = stored.days[last + 3]
    listing.loc[7, "delisting_return"] = -0.6
    late = dataclasses.replace(stored, listing=listing)
    assert late.columns(7, 8).total_return[last + 3, 0] == -0.6
    assert late.columns(5, 23).total_return[last + 3, 2] == -0.6
    assert np.isnan(late.until(last + 2).columns(7, 8).total_return[last + 1 :, 0]).all()


@pytest.mark.parametrize("width", [1, 4, 23])
def test_the_panel_has_the_same_bytes_whatever_the_blocks(
    width: int, prices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(market: market_module.Market, folder: Path) -> str:
        built = build_panel(market, rebalancing="monthly", calendar="XNYS", settings=SETTINGS)
        write_panel(built, folder)
        return content_hash(folder)

    expected = build(load_market(prices), tmp_path / "whole")
    stored = open_market(prices)
    monkeypatch.setattr(market_module, "BLOCK_CELLS", width * stored.shape[0])
    assert build(stored, tmp_path / "blocks") == expected


def test_memory_grows_with_the_rows_and_not_with_days_times_assets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """400 assets of 150 days each in 40 years: six full matrices would take 190 MB."""
    write_prices(tmp_path / "prices", n_rows=60_000, n_assets=400)
    monkeypatch.setattr(market_module, "BLOCK_CELLS", 2**17)
    names = ("mom1m", "turn", "beta")
    settings = SETTINGS.model_copy(update={"minimum_history": 30, "names": names})
    tracemalloc.start()
    try:
        market = open_market(tmp_path / "prices")
        build_panel(market, rebalancing="monthly", calendar="XNYS", settings=settings)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    full = len(MATRICES) * 8 * market.shape[0] * market.shape[1]
    assert full > 180e6
    assert peak < full / 3
