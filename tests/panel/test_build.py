import dataclasses

import numpy as np
import pandas as pd
import pytest

from latentbeta.characteristics.registry import REGISTRY
from latentbeta.config import CharacteristicsSettings
from latentbeta.data.calendar import sessions
from latentbeta.data.series import Series
from latentbeta.errors import DataError, SettingsError
from latentbeta.panel import build_panel
from latentbeta.panel.files import panel_table

SETTINGS = CharacteristicsSettings(names=tuple(REGISTRY), minimum_history=252, minimum_coverage=0.2)
FEW = SETTINGS.model_copy(update={"names": ("mom1m", "maxret", "mvel1"), "minimum_history": 10})


def built(market, settings=FEW, rebalancing="monthly", **options):
    return build_panel(
        market, rebalancing=rebalancing, calendar="XNYS", settings=settings, **options
    )


def test_rows_ranks_and_returns_worked_by_hand(market_on):
    """Three assets; January's returns of 3, 1 and 2 %, February's of -1, 0 and 1 %."""
    returns = np.zeros((61, 3))
    returns[5] = [0.03, 0.01, 0.02]
    returns[25] = [-0.01, 0.0, 0.01]
    settings = FEW.model_copy(update={"names": ("maxret",)})
    result = built(market_on("2021-01-04", "2021-03-31", 3, total_return=returns), settings)
    panel = result.panel
    assert [str(d)[:10] for d in panel.dates] == ["2021-02-26", "2021-03-31", "2021-04-30"]
    assert [str(d)[:10] for d in result.formations] == ["2021-01-29", "2021-02-26", "2021-03-31"]
    np.testing.assert_array_equal(panel.offsets, [0, 3, 6, 9])
    np.testing.assert_array_equal(panel.asset_index, [0, 1, 2] * 3)
    np.testing.assert_allclose(panel.Z[:3, 0], [0.5, -0.5, 0.0])
    np.testing.assert_allclose(panel.Z[3:6, 0], [-0.25, -0.25, 0.5])
    np.testing.assert_allclose(panel.R, [-0.01, 0, 0.01, 0, 0, 0, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(panel.market_equity, 1e7)
    np.testing.assert_allclose(result.raw["maxret"][:3], [0.03, 0.01, 0.02])
    assert panel.Z.dtype == np.float32


def test_missing_characteristics_are_at_the_median(market_on):
    shares = np.tile([1e6, np.nan, 3e6, 2e6], (61, 1))
    result = built(market_on("2021-01-04", "2021-03-31", 4, shares=shares))
    size = result.panel.characteristic_names.index("mvel1")
    np.testing.assert_allclose(result.panel.Z[:4, size], [-0.5, 0.0, 0.5, 0.0])
    assert result.raw["mvel1"].isna().sum() == 3
    assert result.summary.coverage["mvel1"] == 0.75
    np.testing.assert_array_equal(result.panel.market_equity[:4], [1e7, np.nan, 3e7, 2e7])


def test_characteristics_without_their_inputs_are_left_out_and_said(market_on):
    shares = np.full((61, 2), np.nan)
    result = built(market_on("2021-01-04", "2021-03-31", 2, shares=shares))
    assert result.panel.characteristic_names == ("mom1m", "maxret")
    assert list(result.summary.left_out) == ["mvel1"]
    assert "shares is known on 0.0% of the asset-days" in result.summary.left_out["mvel1"]
    assert list(result.raw.columns) == ["date", "asset", "mom1m", "maxret"]


def test_inputs_that_come_or_go_later_do_not_change_the_choice(market_on):
    early, late = np.full((2, 61, 2), 1e6)
    early[19:] = np.nan
    late[:19] = np.nan
    chosen = built(market_on("2021-01-04", "2021-03-31", 2, shares=early))
    assert "mvel1" in chosen.panel.characteristic_names
    left = built(market_on("2021-01-04", "2021-03-31", 2, shares=late))
    assert "mvel1" in left.summary.left_out


def test_the_summary_counts(market_on):
    returns = np.zeros((61, 2))
    returns[25, 0] = np.nan
    summary = built(market_on("2021-01-04", "2021-03-31", 2, total_return=returns)).summary
    assert (summary.n_dates, summary.n_rows, summary.n_assets) == (3, 6, 2)
    assert (summary.first_date, summary.last_date) == ("2021-02-26", "2021-04-30")
    assert summary.missing_returns == 0.25
    assert summary.coverage["mom1m"] == pytest.approx(3 / 6)


def test_too_short_a_history_is_an_error(market_on):
    with pytest.raises(
        DataError, match=r"no asset is in any cross-section.* 2021-01-04 to 2021-03-31.* 252 days"
    ):
        built(market_on("2021-01-04", "2021-03-31"), SETTINGS)


def test_no_characteristic_left_is_an_error(market_on):
    market = market_on("2021-01-04", "2021-03-31", shares=np.full((61, 1), np.nan))
    with pytest.raises(DataError, match="no characteristic can be computed"):
        built(market, FEW.model_copy(update={"names": ("turn", "mvel1")}))


def test_an_unknown_characteristic_is_an_error(market_on):
    with pytest.raises(SettingsError, match="no characteristic is called size"):
        built(market_on("2021-01-04", "2021-03-31"), FEW.model_copy(update={"names": ("size",)}))


@pytest.mark.parametrize("rebalancing", ["daily", "weekly", "monthly"])
def test_characteristics_are_ranked_over_the_members_alone(rebalancing, noisy_market):
    market = noisy_market("2019-01-02", "2020-12-31", 12)
    panel = built(market, SETTINGS, rebalancing).panel
    assert np.isfinite(panel.Z).all()
    assert np.abs(panel.Z).max() < 1
    for rows in panel.blocks():
        np.testing.assert_allclose(panel.Z[rows].sum(axis=0), 0.0, atol=1e-5)
        assert (np.diff(panel.asset_index[rows]) > 0).all()


@pytest.mark.parametrize("rebalancing", ["daily", "weekly", "monthly"])
def test_the_future_may_change_or_be_cut_off(rebalancing, noisy_market):
    """Every row dated up to the cut keeps each of its bytes."""
    market = noisy_market("2019-01-02", "2020-12-31", 12)
    cut = len(market.days) - 70
    changed = {}
    for field in ("total_return", "close", "high", "low", "volume", "shares", "risk_free"):
        values = getattr(market, field).copy()
        values[cut + 1 :] *= 1.5
        changed[field] = values
    changed["shares"][cut + 30 :] = np.nan
    before = built(market, SETTINGS, rebalancing)
    for other in (dataclasses.replace(market, **changed), market.between(0, cut + 1)):
        after = built(other, SETTINGS, rebalancing)
        for table, same in ((panel_table, panel_table(after)), (raw_table, after.raw)):
            past = up_to(table(before), market.days[cut])
            assert len(past) > 50
            assert bytes_of(past) == bytes_of(up_to(same, market.days[cut]))


def test_the_newest_row_is_what_the_full_data_later_has_for_its_formation(noisy_market):
    market = noisy_market("2019-01-02", "2020-12-31", 12)
    cut = int(np.searchsorted(market.days, np.datetime64("2020-09-30")))
    newest = panel_table(built(market.between(0, cut + 1), SETTINGS))
    newest = newest[newest["formation"] == market.days[cut]]
    later = panel_table(built(market, SETTINGS))
    later = later[later["formation"] == market.days[cut]]
    assert newest["return"].isna().all()
    assert later["return"].notna().any()
    assert bytes_of(newest.drop(columns="return")) == bytes_of(later.drop(columns="return"))


def raw_table(result):
    return result.raw


def up_to(table, day):
    return table[table["date"] <= day]


def bytes_of(table: pd.DataFrame) -> bytes:
    return b"|".join(
        "\n".join(table[name]).encode() if name == "asset" else table[name].to_numpy().tobytes()
        for name in table.columns
    )


def test_daily_factors_are_compounded_over_each_period_but_the_one_ahead(noisy_market):
    market = noisy_market("2020-01-02", "2020-12-15", 5)
    days = sessions("XNYS", np.datetime64("2020-01-02"), np.datetime64("2021-03-31"))
    values = np.random.default_rng(5).normal(0, 0.01, len(days))
    factors = Series(pd.DataFrame({"date": days, "f": values}), "daily")
    panel, plain = built(market, factors=factors).panel, built(market).panel
    assert panel.factor_names == ("f",)
    assert plain.F.shape == (panel.n_dates, 0)
    np.testing.assert_array_equal(panel.Z, plain.Z)
    months = days.astype("datetime64[M]")
    for t, date in enumerate(panel.dates[:-1]):
        month = months == date.astype("datetime64[M]")
        assert panel.F[t, 0] == pytest.approx(np.prod(1 + values[month]) - 1, abs=1e-15)
    assert np.isnan(panel.F[-1, 0])  # December is not over on the 15th
