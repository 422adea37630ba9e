"""Accounts, industry-adjusted forms and a user's own, all the way into the panel."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from latentbeta.characteristics.row import Characteristic
from latentbeta.config import read_settings
from latentbeta.data.fundamentals import ITEMS, Fundamentals
from latentbeta.errors import SettingsError
from latentbeta.panel import build_panel
from latentbeta.panel.files import panel_table

NAMES = ("mom1m", "bm", "bm_ia", "roaq", "gma", "mine", "mine_ia")


def days_since_start(market, formations):
    """A user's: days since the first quote, a different one for each asset."""
    age = np.cumsum(np.isfinite(market.close), axis=0)[formations]
    return age + np.arange(market.shape[1]) / 100.0


OWN = Characteristic(
    "mine", "Mine", "Me (2024)", "quotes so far", 0, 0, ("close",), days_since_start
)


@pytest.fixture
def settings():
    default = read_settings(Path(__file__).parents[2] / "params.yaml").characteristics
    return default.model_copy(update={"names": NAMES, "minimum_history": 60})


def accounts(n_assets, *, flow_months=12, changed_after=None):
    """Yearly accounts of 2015 to 2020, published from February to April; a late correction."""
    rng = np.random.default_rng(11)
    rows = []
    for year in range(2015, 2021):
        for asset in range(n_assets):
            month = (year - 1970) * 12 + 11
            day = np.datetime64(f"{year + 1}-02-01", "us") + np.timedelta64(9 * asset, "D")
            rows.append((day, asset, month, rng.uniform(1e4, 9e4, len(ITEMS))))
            if asset == 3:
                later = day + np.timedelta64(120, "D")
                rows.append((later, asset, month, rng.uniform(1e4, 9e4, len(ITEMS))))
    rows.sort(key=lambda row: row[:2])
    published = np.array([row[0] for row in rows])
    values = np.array([row[3] for row in rows])
    if changed_after is not None:
        values[published > changed_after] *= 5.0
    return Fundamentals(
        asset=np.array([row[1] for row in rows]),
        month=np.array([row[2] for row in rows]),
        published=published,
        items=dict(zip(ITEMS, values.T, strict=True)),
        flow_months=flow_months,
        stale_months=18,
    )


def built(market, settings):
    return build_panel(market, rebalancing="monthly", calendar="XNYS", settings=settings, own=[OWN])


def with_accounts(market, **options):
    return dataclasses.replace(market, fundamentals=accounts(market.shape[1], **options))


def test_they_are_columns_of_the_panel(noisy_market, settings):
    market = with_accounts(noisy_market("2018-01-02", "2020-12-31", 9))
    result = built(market, settings)
    assert result.panel.characteristic_names == tuple(n for n in NAMES if n != "roaq")
    assert "quarterly_net_income is known on 0.0%" in result.summary.left_out["roaq"]
    raw = result.raw.set_index(["date", "asset"])
    assert raw["bm"].notna().mean() > 0.9
    # bm_ia adds up to zero over a sector, unless a quoted asset is too young for the panel.
    sectors = panel_table(result).set_index(["date", "asset"])["sector"]
    sums = raw["bm_ia"].groupby([raw.index.get_level_values("date"), sectors]).sum()
    assert (sums.abs() < 1e-12).mean() > 0.9
    # A value holds from the month after its publication on.
    one = raw["bm"].xs("A04", level="asset")
    equity = result.panel.market_equity[
        result.panel.asset_index == np.flatnonzero(result.panel.assets == "A04")[0]
    ]
    book = np.round(one.to_numpy() * equity, 4)
    changes = one.index[1:][np.diff(book) != 0]
    assert [f"{day:%Y-%m}" for day in changes] == ["2019-04", "2020-04"]  # formed in March


def test_later_publications_move_no_byte_of_the_past(noisy_market, settings):
    plain = noisy_market("2018-01-02", "2020-12-31", 9)
    cut = np.datetime64("2020-03-20", "us")
    before = built(with_accounts(plain), settings)
    after = built(with_accounts(plain, changed_after=cut), settings)
    for table in (panel_table, lambda result: result.raw):
        old, new = table(before), table(after)
        known = (panel_table(before)["formation"] <= cut).to_numpy()
        assert known.sum() > 100
        for name in ("bm", "bm_ia", "gma"):
            assert old[name][known].to_numpy().tobytes() == new[name][known].to_numpy().tobytes()
            assert old[name][~known].to_numpy().tobytes() != new[name][~known].to_numpy().tobytes()


def test_without_accounts_they_are_left_out_and_said(noisy_market, settings):
    result = built(noisy_market("2018-01-02", "2018-12-31", 5), settings)
    assert result.panel.characteristic_names == ("mom1m", "mine", "mine_ia")
    assert "book_equity is known on 0.0%" in result.summary.left_out["bm_ia"]


def test_industry_adjusted_without_sectors_is_an_error(noisy_market, settings):
    market = noisy_market("2018-01-02", "2018-12-31", 5)
    market = dataclasses.replace(market, sector=np.full(5, -1))
    with pytest.raises(SettingsError, match=r"bm_ia, mine_ia: less its sector's mean, but the"):
        built(market, settings)
