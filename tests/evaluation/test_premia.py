import numpy as np

from latentbeta.evaluation.ladder import ModelKey
from latentbeta.evaluation.newey_west import mean_test
from latentbeta.evaluation.premia import premia_of


def test_each_factor_has_its_mean_and_newey_west_error():
    factors = np.random.default_rng(0).normal([0.01, -0.02], 0.05, (60, 2))
    factors[-1] = np.nan  # the newest date, not realised yet
    table = premia_of(ModelKey("ipca", 2), factors)
    assert list(table["factor"]) == ["factor_1", "factor_2"]
    for (_, row), series in zip(table.iterrows(), factors[:-1].T, strict=True):
        assert tuple(row[["mean", "se", "t"]]) == tuple(mean_test(series))
    assert list(table.iloc[0][["model", "n_factors"]]) == ["ipca", 2]


def test_a_silent_factor_has_no_t_statistic():
    table = premia_of(ModelKey("ca1", 1), np.zeros((20, 1)))
    assert table["mean"][0] == 0
    assert table[["se", "t"]].isna().all(axis=None)
