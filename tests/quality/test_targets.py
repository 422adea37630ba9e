import numpy as np
import pandas as pd
import pytest

from latentbeta.quality.targets import LARGEST_DIFFERENCE, target_table


def slow(prices: pd.DataFrame, risk_free: pd.DataFrame, row: pd.Series) -> float:
    """Compound one row's days one by one."""
    grown = cash = 1.0
    for day, rate in zip(risk_free["date"], risk_free["risk_free"], strict=True):
        if row["formation"] < day <= row["date"]:
            quote = prices[(prices["asset"] == row["asset"]) & (prices["date"] == day)]
            grown *= 1 + quote["total_return"].item()
            cash *= 1 + rate
    return grown - cash


def test_sound_returns_are_those_of_the_prices(
    panel: pd.DataFrame, prices: pd.DataFrame, risk_free: pd.DataFrame
) -> None:
    table = target_table(panel, prices, risk_free)
    assert len(table) == panel["return"].notna().sum()
    assert table["difference"].max() < 1e-12
    for position in (0, 7, 400):
        row = panel.iloc[position]
        assert table["from_prices"].iloc[position] == pytest.approx(slow(prices, risk_free, row))


@pytest.mark.parametrize("periods", [1, -1])
def test_returns_of_another_period_differ(
    periods: int, panel: pd.DataFrame, prices: pd.DataFrame, risk_free: pd.DataFrame
) -> None:
    shifted = panel.assign(**{"return": panel.groupby("asset")["return"].shift(periods)})
    table = target_table(shifted, prices, risk_free)
    assert (table["difference"] > LARGEST_DIFFERENCE).mean() > 0.99


def test_returns_without_the_risk_free_rate_differ(
    panel: pd.DataFrame, prices: pd.DataFrame, risk_free: pd.DataFrame
) -> None:
    raw_returns = panel.assign(**{"return": panel["return"] + (1.0001**5 - 1)})
    table = target_table(raw_returns, prices, risk_free)
    assert (table["difference"] > LARGEST_DIFFERENCE).all()


def test_a_period_with_a_gap_is_not_judged(
    panel: pd.DataFrame, prices: pd.DataFrame, risk_free: pd.DataFrame
) -> None:
    row = panel.iloc[40]
    inside = (prices["asset"] == row["asset"]) & (prices["date"] == row["date"])
    prices["total_return"] = prices["total_return"].mask(inside)
    table = target_table(panel, prices, risk_free)
    assert len(table) == panel["return"].notna().sum() - 1
    assert 40 not in table.index
    assert table["difference"].max() < 1e-12


def test_a_sample_of_assets_keeps_whole_histories(
    panel: pd.DataFrame, prices: pd.DataFrame, risk_free: pd.DataFrame
) -> None:
    copies = [f"{n:02d}" for n in range(4)]
    wide = {
        name: pd.concat([t.assign(asset=t["asset"] + copy) for copy in copies], ignore_index=True)
        for name, t in {"panel": panel, "prices": prices}.items()
    }
    table = target_table(wide["panel"], wide["prices"], risk_free)
    assert table["asset"].nunique() == 60
    assert (table.groupby("asset").size() == panel["date"].nunique() - 1).all()
    assert table["difference"].max() < 1e-12


@pytest.mark.parametrize(("table", "column"), [("panel", "return"), ("prices", "total_return")])
def test_a_lost_column_leaves_nothing_to_judge(
    table: str,
    column: str,
    panel: pd.DataFrame,
    prices: pd.DataFrame,
    risk_free: pd.DataFrame,
) -> None:
    tables = {"panel": panel, "prices": prices}
    tables[table] = tables[table].drop(columns=column)
    assert target_table(tables["panel"], tables["prices"], risk_free).empty


def test_a_total_loss_is_not_judged(
    panel: pd.DataFrame, prices: pd.DataFrame, risk_free: pd.DataFrame
) -> None:
    day = prices["date"].unique()[50]
    lost = (prices["asset"] == "A00") & (prices["date"] == day)
    prices["total_return"] = prices["total_return"].mask(lost, -1.0)
    table = target_table(panel, prices, risk_free)
    assert np.isfinite(table["difference"]).all()
    assert table["difference"].max() < 1e-12
