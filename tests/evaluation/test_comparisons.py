import numpy as np
import pandas as pd
import pytest
from tests.synthetic_results import (
    Market,
    factors_of,
    monthly_settings,
    panel_of,
    predictions_of,
)

from latentbeta.evaluation import comparisons
from latentbeta.evaluation.evaluate import measure
from latentbeta.evaluation.saved_results import SavedResults


@pytest.fixture
def counted(monkeypatch):
    """How often a model is scored again to be compared."""
    calls = []
    plain = comparisons.score_dates
    monkeypatch.setattr(
        comparisons, "score_dates", lambda *given: calls.append(given) or plain(*given)
    )
    return calls


def differences(table):
    saved = SavedResults(predictions=table)
    return measure(saved, panel_of(Market()), monthly_settings()).tables["differences"]


def without(table, models, asset):
    gone = table["model"].isin(models) & (table["asset"] == asset)
    return table.assign(fitted=table["fitted"].mask(gone), forecast=table["forecast"].mask(gone))


def test_models_that_cover_the_same_are_not_measured_again(counted):
    differences(predictions_of(Market()))
    assert not counted


def test_a_model_is_measured_again_once_for_all_that_cover_the_same(counted):
    gaps = without(predictions_of(Market()), ["observed_factors", "pca"], "A05")
    differences(gaps)
    assert len(counted) == 2  # ipca and ca1, each on what the other two cover


def test_each_pair_is_compared_on_its_own_common_assets(counted):
    table = without(predictions_of(Market()), ["pca"], "A05")
    found = differences(without(table, ["ipca"], "A06"))
    both = predictions_of(Market()).query("asset != 'A05' and asset != 'A06'")
    pair = "model_a == 'ipca' and model_b == 'pca'"
    pd.testing.assert_frame_equal(
        found.query(pair).reset_index(drop=True),
        differences(both).query(pair).reset_index(drop=True),
    )
    counts = found[found["measure"] == "total_r2"].set_index(["model_a", "model_b"])
    known = np.isfinite(Market().returns)
    assert counts.loc[("ca1", "pca"), "n_observations"] == np.delete(known, 5, axis=1).sum()


def test_a_model_without_a_tangency_portfolio_costs_the_others_nothing(counted):
    factors = factors_of(Market())
    none = factors.assign(tangency=factors["tangency"].mask(factors["model"] == "pca"))
    saved = SavedResults(predictions=predictions_of(Market()), factors=none)
    table = measure(saved, panel_of(Market()), monthly_settings()).tables["differences"]
    assert not counted
    has_pca = (table["model_a"] == "pca") | (table["model_b"] == "pca")
    tangency = table["measure"] == "tangency_sharpe"
    assert table.loc[tangency & has_pca, "difference"].isna().all()
    assert table.loc[tangency & ~has_pca, "difference"].notna().all()


def test_tangency_portfolios_are_compared_on_the_dates_of_both():
    market = Market()
    factors = factors_of(market)
    some = factors["date"] < market.dates[12]
    gaps = factors.assign(tangency=factors["tangency"].mask(some & (factors["model"] == "pca")))
    both = factors.assign(tangency=factors["tangency"].mask(some))
    found = {
        name: measure(
            SavedResults(predictions=predictions_of(market), factors=table),
            panel_of(market),
            monthly_settings(),
        )
        .tables["differences"]
        .query("measure == 'tangency_sharpe' and model_a == 'ipca' and model_b == 'pca'")
        for name, table in (("gaps", gaps), ("both", both))
    }
    pd.testing.assert_frame_equal(found["gaps"], found["both"])
