"""What is said of a panel's returns, against slow loops and numbers worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from latentbeta.quality.panel_returns import return_tables

N_DATES, N_ASSETS = 24, 40
DATES = pd.date_range("2018-01-31", periods=N_DATES, freq="ME").astype("datetime64[us]")


def panel_of(returns: np.ndarray, **characteristics: np.ndarray) -> pd.DataFrame:
    n_dates, n_assets = returns.shape
    names = [f"A{i:02d}" for i in range(n_assets)]
    return pd.DataFrame(
        {
            "date": np.repeat(DATES[:n_dates], n_assets),
            "asset": np.tile(names, n_dates),
            "return": returns.ravel(),
            "sector": "Energy",
        }
        | {name: values.ravel() for name, values in characteristics.items()}
    )


@pytest.fixture
def returns() -> np.ndarray:
    random = np.random.default_rng(1)
    return random.normal(0, 0.05, (N_DATES, 1)) + random.normal(0, 0.1, (N_DATES, N_ASSETS))


def about(returns: np.ndarray) -> pd.Series:
    return return_tables(panel_of(returns), [])["panel_returns"].iloc[0]


def test_the_middle_and_the_common_part(returns: np.ndarray) -> None:
    found = about(returns)
    assert found["middle"] == pytest.approx(np.median(np.abs(returns)))
    expected = returns.mean(axis=1).std() / np.sqrt((returns**2).mean())
    assert found["common"] == pytest.approx(expected)
    assert about(returns - returns.mean(axis=1, keepdims=True))["common"] < 1e-12
    assert np.isnan(about(returns[:, :29])["common"])
    assert np.isnan(about(returns[:11])["common"])


def test_the_share_of_one_and_the_same_return(returns: np.ndarray) -> None:
    assert about(returns)["share_repeated"] == 0
    returns[0, :4] = 0.0
    returns[1, 5:7] = 0.0  # two of a kind happen
    returns[2, 3:] = np.nan
    returns[2, :3] = 0.01
    assert about(returns)["share_repeated"] == pytest.approx((4 / 40 + 1.0) / N_DATES)


def test_foresight_is_the_mean_rank_correlation(returns: np.ndarray) -> None:
    random = np.random.default_rng(2)
    known = returns + random.normal(0, 0.1, returns.shape)
    noise = random.normal(size=returns.shape)
    returns[random.random(returns.shape) < 0.1] = np.nan
    found = return_tables(panel_of(returns, known=known, noise=noise), ["known", "noise", "none"])
    table = found["panel_foresight"].set_index("characteristic")["foresight"]
    slow = []
    for t in range(N_DATES):
        there = np.isfinite(returns[t])
        slow.append(np.corrcoef(known[t, there], rankdata(returns[t, there]))[0, 1])
    assert table["known"] == pytest.approx(np.mean(slow), abs=1e-12)
    assert table["known"] > 0.5
    assert table["noise"] == 0
    assert "none" not in table


def test_the_order_of_rows_does_not_matter(returns: np.ndarray) -> None:
    panel = panel_of(returns, known=returns**3)
    shuffled = panel.sample(frac=1, random_state=1).reset_index(drop=True)
    for name, table in return_tables(panel, ["known"]).items():
        pd.testing.assert_frame_equal(return_tables(shuffled, ["known"])[name], table)


def test_assets_without_a_return_and_sectors_of_one(returns: np.ndarray) -> None:
    returns[:-1, 3] = np.nan
    panel = panel_of(returns)
    panel.loc[panel["asset"] == "A05", "sector"] = "Enrgy"
    young = (panel["asset"] == "A07") & (panel["date"] < DATES[-5])
    found = return_tables(panel[~young], [])
    assets = found["panel_assets"].set_index("asset")["n_returns"]
    assert assets["A03"] == 0
    assert np.isnan(assets["A07"])  # four dates are too few to tell
    assert assets["A00"] == N_DATES - 1
    assert found["panel_sectors"].set_index("sector")["n_assets"].to_dict() == {
        "Energy": N_ASSETS - 1,
        "Enrgy": 1,
    }


def test_a_panel_without_a_known_return_says_nothing() -> None:
    found = return_tables(panel_of(np.full((3, 4), np.nan)), [])["panel_returns"].iloc[0]
    assert found[["middle", "share_repeated", "common"]].isna().all()
