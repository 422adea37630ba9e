import pandas as pd
from tests.report.bare import bare_inputs

from latentbeta.evaluation.ladder import ModelKey
from latentbeta.report.characteristic_figures import leading, shares

CA1, IPCA, PCA = ModelKey("ca1", 2), ModelKey("ipca", 2), ModelKey("pca", 2)


def importance(key, **by_name):
    return pd.DataFrame(
        {"characteristic": list(by_name), "fall": by_name.values(), "share": by_name.values()}
    ).assign(model=key.model, n_factors=key.n_factors)


def test_the_most_important_on_average_come_first():
    tables = [importance(CA1, a=0.1, b=0.9, c=0.0), importance(IPCA, c=0.8, b=0.2, a=0.0)]
    found = shares(bare_inputs(importance=pd.concat(tables)), [PCA, IPCA, CA1])
    assert list(found.columns) == ["IPCA", "CA1"]
    assert list(found.index) == ["b", "c", "a"]
    assert found.loc["b"].tolist() == [0.2, 0.9]


def test_no_importance_at_all():
    assert shares(bare_inputs(), [CA1]).empty


def functions(**slopes):
    rows = [(name, value, value * slope) for name, slope in slopes.items() for value in (-1, 1)]
    return pd.DataFrame(rows, columns=["characteristic", "value", "factor_1"])


def test_functions_of_the_most_important_characteristics():
    curves = functions(a=1, b=2, c=3, d=4, e=5, f=6, g=7, h=-8)
    assert leading(curves, pd.DataFrame(), 1) == ["h", "g", "f", "e", "d", "c"]
    known = importance(CA1, b=0.9, a=0.05, c=-0.1, d=0, e=0, f=0, g=0, h=0.01)
    assert leading(curves, known, 1) == ["b", "a", "h", "d", "e", "f"]
