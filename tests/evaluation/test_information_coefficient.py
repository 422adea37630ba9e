import numpy as np
import pytest
from scipy import stats
from tests.synthetic_results import Market

from latentbeta.evaluation.information_coefficient import (
    information_coefficient,
    rank_information_coefficient,
)

NAN = np.nan


def test_by_hand():
    realised = np.array([[1.0, 2.0, 3.0, NAN]])
    forecast = np.array([[1.0, 3.0, 2.0, 9.0]])
    # Centred: (-1, 0, 1) and (-1, 1, 0): product 1, norms √2 √2.
    assert information_coefficient(realised, forecast)[0] == pytest.approx(0.5)


def test_ranks_by_hand():
    realised = np.array([[0.0, 1.0, 100.0]])
    forecast = np.array([[-5.0, 0.0, 0.1]])
    assert rank_information_coefficient(realised, forecast)[0] == pytest.approx(1.0)


def test_as_scipy_says_date_by_date():
    market = Market()
    forecast = np.round(market.betas @ market.premium, 2)  # with ties
    ic = information_coefficient(market.returns, forecast)
    rank_ic = rank_information_coefficient(market.returns, forecast)
    for t in range(len(ic)):
        known = np.isfinite(market.returns[t])
        pair = market.returns[t, known], forecast[t, known]
        assert ic[t] == pytest.approx(stats.pearsonr(*pair).statistic)
        assert rank_ic[t] == pytest.approx(stats.spearmanr(*pair).statistic)


@pytest.mark.parametrize(
    "forecast",
    [[NAN, NAN, NAN, 1.0], [0.1, 0.1, 0.1, 0.1], [NAN, NAN, 1.0, 2.0]],
    ids=["one asset", "all alike", "two assets"],
)
def test_no_correlation_where_there_is_none(forecast):
    realised = np.array([[0.1, 0.2, 0.3, -0.1]])
    assert np.isnan(information_coefficient(realised, np.array([forecast]))[0])
    assert np.isnan(rank_information_coefficient(realised, np.array([forecast]))[0])
