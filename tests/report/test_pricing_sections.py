import pandas as pd
from tests.report.bare import bare_inputs
from tests.report.evidence import null_of

from latentbeta.evaluation.ladder import ModelKey
from latentbeta.report.pricing_sections import null_facts, premia_table, pricing_table

CA1, PCA = ModelKey("ca1", 2), ModelKey("pca", 3)


def of_model(key, **columns):
    return pd.DataFrame(columns).assign(model=key.model, n_factors=key.n_factors)


def test_pricing_errors_beyond_three_standard_errors_count():
    errors = of_model(
        CA1,
        mean_return=[0.01, -0.02, 0.0],
        mean_return_t=[3.1, -4.0, 0.0],
        alpha=[0.001, -0.003, 0.002],
        alpha_t=[2.9, -3.1, float("nan")],
    )
    table = pricing_table(bare_inputs(pricing_errors=errors), [PCA, CA1])
    (row,) = table.rows
    assert [cell.text for cell in row.cells] == ["3", "2", "1", "1.000", "0.200"]


def test_premia_of_models_with_unequal_numbers_of_factors():
    premia = pd.concat(
        [
            of_model(CA1, mean=[0.004, -0.001], se=[0.001, 0.002], t=[4.0, -0.5]),
            of_model(PCA, mean=[0.01, 0.02, 0.03], se=[0.1, 0.1, 0.1], t=[0.1, 0.2, 0.3]),
        ]
    )
    table = premia_table(bare_inputs(premia=premia), [PCA, CA1])
    assert table.headings == ("factor 1", "factor 2", "factor 3")
    cells = table.rows[1].cells
    assert [cell.text for cell in cells] == ["0.400", "−0.100", "–"]
    assert [cell.beside for cell in cells] == ["t 4.0", "t −0.5", ""]
    assert [cell.mark for cell in cells] == ["above", "", ""]


def test_nothing_where_there_is_nothing():
    assert pricing_table(bare_inputs(), [CA1]) is None
    assert premia_table(bare_inputs(), [CA1]) is None
    assert null_facts([]) is None


def test_scores_on_shuffled_returns_are_marked_beyond_two_errors():
    found = null_facts([null_of("pca", 1), null_of("ca1", 1, t=-2.5), null_of("ca1", 2, t=1.9)])
    assert (found.n_models, found.n_within) == (3, 2)
    r_squared, gain, ic, rank_ic = found.tables
    assert r_squared.headings == ic.headings == rank_ic.headings == ("K = 1", "2")
    marks = {row.name: [cell.mark for cell in row.cells] for row in gain.rows}
    assert marks == {"PCA": ["", ""], "CA1": ["below", ""]}
    assert r_squared.rows[1].cells[0].text == "−0.10"


def test_the_price_of_a_forecast_is_no_failure():
    costly = null_of("rp_pca", 1) | {"predictive_r2": -0.007, "predictive_r2_se": 0.001}
    r_squared = null_facts([costly]).tables[0]
    assert r_squared.rows[0].cells[0].mark == ""
