import numpy as np
import pandas as pd
import pytest

from latentbeta.config import EvaluationSettings
from latentbeta.permutation.measure import Score, averaged, null_scores, record
from latentbeta.permutation.table import null_table

ASSETS = np.array([f"A{i}" for i in range(30)])
SETTINGS = EvaluationSettings.model_construct(bootstrap_draws=500, bootstrap_block=6.0)
NAN = np.nan


def predictions(realised, forecast):
    """A table of (T, N) returns and forecasts."""
    n_dates, n_assets = realised.shape
    dates = np.datetime64("2001-01-31") + 31 * np.arange(n_dates)
    return pd.DataFrame(
        {
            "model": "ipca",
            "n_factors": 2,
            "fold": 0,
            "date": np.repeat(dates.astype("datetime64[us]"), n_assets),
            "asset": pd.array(np.tile(ASSETS[:n_assets], n_dates), dtype="str"),
            "realised": realised.ravel(),
            "fitted": 0.0,
            "forecast": forecast.ravel(),
        }
    )


def scores(realised, forecast):
    return null_scores(predictions(realised, forecast), ASSETS, SETTINGS, seed=3)


def test_by_hand():
    # Σ r² = 4 + 4 + 1 + 1 + 4 = 14, Σ r̂r = 2 + 2 + 0 + 0 - 1 = 3, Σ r̂² = 1 + 1 + 0 + 0 + .25.
    realised = np.array([[2.0, -2.0, NAN], [1.0, -1.0, 2.0]])
    forecast = np.array([[1.0, -1.0, 9.0], [0.0, 0.0, -0.5]])
    found = scores(realised, forecast)
    assert found["gain"].value == pytest.approx(6 / 14)
    assert found["predictive_r2"].value == pytest.approx((6 - 2.25) / 14)
    # The first date has a pair too few; the second ranks the best asset last, the others level.
    assert found["ic"].value == pytest.approx(np.corrcoef(realised[1], forecast[1])[0, 1])


def test_a_forecast_without_knowledge_costs_its_size_and_gains_nothing():
    rng = np.random.default_rng(160)
    realised = rng.normal(0, 0.1, (200, 30))
    forecast = rng.normal(0, 0.05, (200, 30))
    found = scores(realised, forecast)
    assert found["predictive_r2"].value == pytest.approx(-0.25, abs=0.03)
    assert not found["predictive_r2"].is_near_zero
    for name in ("gain", "ic", "rank_ic"):
        assert abs(found[name].value) < 3 * found[name].error
    # Independent dates: 1 / sqrt(29) a date.
    assert found["ic"].error == pytest.approx(1 / np.sqrt(29 * 200), rel=0.15)
    assert found["gain"].error == pytest.approx(2 * 0.05 / 0.1 / np.sqrt(6000), rel=0.15)


def test_a_forecast_with_a_little_knowledge_is_found_out():
    rng = np.random.default_rng(161)
    realised = rng.normal(0, 0.1, (200, 30))
    found = scores(realised, 0.01 * realised + rng.normal(0, 0.01, (200, 30)))
    for name in ("gain", "ic", "rank_ic"):
        assert not found[name].is_near_zero
    assert record("ipca", 2, [found])["within"] is False


def test_what_does_not_exist_is_no_evidence():
    rng = np.random.default_rng(162)
    found = scores(rng.normal(size=(50, 30)), np.full((50, 30), 0.01))
    assert np.isnan(found["ic"].value)
    assert found["ic"].is_near_zero
    row = record("observed_betas", 1, [found])
    assert row["ic"] is None
    assert row["rank_ic_se"] is None


def test_repetitions_are_averaged_by_hand():
    one, other = ({n: Score(v, e) for n in NAMES} for v, e in ((1.0, 3.0), (2.0, 4.0)))
    assert averaged([one, other])["ic"] == Score(1.5, 2.5)
    row = record("ipca", 2, [one, other])
    assert row == {
        "model": "ipca", "n_factors": 2, "repetitions": 2, "within": True,
        **dict.fromkeys(NAMES, 1.5), **{f"{name}_se": 2.5 for name in NAMES},
    }  # fmt: skip


NAMES = ("predictive_r2", "gain", "ic", "rank_ic")


@pytest.mark.parametrize("name", ["gain", "ic", "rank_ic"])
def test_one_number_far_from_zero_is_enough(name):
    near = {n: Score(0.0, 1.0) for n in NAMES}
    assert record("ipca", 2, [near])["within"]
    for far in (2.1, -2.1):
        assert not record("ipca", 2, [near | {name: Score(far, 1.0)}])["within"]


def test_the_cost_of_guessing_alone_is_not():
    near = {n: Score(0.0, 1.0) for n in NAMES}
    assert record("ipca", 2, [near | {"predictive_r2": Score(-5.0, 1.0)}])["within"]


def test_the_table_marks_what_is_far_from_zero():
    near = {n: Score(0.001, 0.002) for n in NAMES}
    table = null_table([record("ipca", 2, [near | {"ic": Score(0.03, 0.002)}])])
    cells = {column.header: column._cells[0] for column in table.columns}
    assert cells["IC"].plain == "0.0300 ± 0.0020"
    assert cells["IC"].style == "bold"
    assert cells["Rank IC"].style == ""
    assert cells["Gain, %"].plain == "0.100 ± 0.200"
