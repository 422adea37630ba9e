import numpy as np
import pandas as pd
import pytest

from latentbeta.quality.drift import drift_table, stability_index

N_DATES, N_ASSETS = 40, 50


@pytest.fixture
def raw() -> pd.DataFrame:
    random = np.random.default_rng(5)
    dates = np.datetime64("2010-01-31", "us") + 30 * np.arange(N_DATES).astype("timedelta64[D]")
    return pd.DataFrame(
        {
            "date": np.repeat(dates, N_ASSETS),
            "asset": [f"A{n:02d}" for n in range(N_ASSETS)] * N_DATES,
            "mom1m": random.normal(size=N_DATES * N_ASSETS),
            "dolvol": random.normal(16, 2, N_DATES * N_ASSETS),
        }
    )


def panel_of(raw: pd.DataFrame) -> pd.DataFrame:
    returns = np.random.default_rng(6).normal(0, 0.05, len(raw))
    returns[-N_ASSETS:] = np.nan
    return raw[["date", "asset"]].assign(**{"return": returns})


def ratios(raw: pd.DataFrame) -> pd.Series:
    return drift_table(panel_of(raw), raw).set_index("characteristic")["drift_of_usual"]


def test_the_index_of_shares_worked_by_hand() -> None:
    history = np.arange(1.0, 101.0)
    values = np.repeat(95.0, 4)  # all in the tenth decile
    p = np.r_[np.repeat(0.5, 9), 4.5] / 9
    q = np.repeat(10.5, 10) / 105
    assert stability_index(values, history) == pytest.approx(np.sum((p - q) * np.log(p / q)))
    assert stability_index(history, history) == 0


def test_a_history_of_one_value_tells_another_from_it() -> None:
    zeros = np.zeros(200)
    assert stability_index(np.ones(50), zeros) > 4
    assert stability_index(np.zeros(50), zeros) < 0.1


def test_values_like_those_before_have_not_drifted(raw: pd.DataFrame) -> None:
    found = ratios(raw)
    assert list(found.index) == ["mom1m", "dolvol", "return"]
    assert (found < 1).all()


def test_another_unit_on_the_newest_date_stands_out_alone(raw: pd.DataFrame) -> None:
    raw.loc[raw.index[-N_ASSETS:], "dolvol"] += np.log(1000)
    found = ratios(raw)
    assert found["dolvol"] > 2
    assert found["mom1m"] < 1


def test_a_market_that_has_moved_as_far_before_is_usual(raw: pd.DataFrame) -> None:
    newest, before = raw.index[-N_ASSETS:], raw.index[-4 * N_ASSETS : -3 * N_ASSETS]
    raw.loc[newest, "mom1m"] -= 4
    assert ratios(raw)["mom1m"] > 2
    raw.loc[before, "mom1m"] -= 4
    assert ratios(raw)["mom1m"] < 2


def test_what_comes_later_changes_nothing(raw: pd.DataFrame) -> None:
    shown = raw[raw["date"] < raw["date"].unique()[30]]
    alone = drift_table(panel_of(raw).loc[shown.index], shown)
    changed = raw.copy()
    changed.loc[changed["date"] >= raw["date"].unique()[30], ["mom1m", "dolvol"]] = 1e6
    again = changed[changed["date"] < raw["date"].unique()[30]]
    pd.testing.assert_frame_equal(alone, drift_table(panel_of(raw).loc[again.index], again))
    shuffled = shown.sample(frac=1, random_state=1).sort_values("asset", kind="stable")
    columns = ["characteristic", "date"]
    unordered = drift_table(panel_of(raw).loc[shuffled.index], shuffled)
    assert unordered[columns].equals(alone[columns])


def test_too_short_a_past_says_nothing(raw: pd.DataFrame) -> None:
    short = raw[raw["date"] < raw["date"].unique()[24]]
    assert ratios(short).isna().all()
    assert ratios(raw[raw["date"] < raw["date"].unique()[25]])[["mom1m", "dolvol"]].notna().all()
