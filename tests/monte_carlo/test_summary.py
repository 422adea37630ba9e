import pytest

from latentbeta.monte_carlo.published import TABLE_6, published
from latentbeta.monte_carlo.study import CASES, MODELS, Cell, Scores
from latentbeta.monte_carlo.summary import score_table, summarise


def test_mean_and_standard_error_by_hand():
    results = {
        Cell("a", "ipca", 3, 1): Scores(0.40, 0.03),
        Cell("a", "ipca", 3, 2): Scores(0.42, 0.03),
        Cell("a", "ipca", 3, 3): Scores(0.44, 0.06),
    }
    total, predictive = summarise(score_table(results))
    assert (total.measure, predictive.measure) == ("total_r2", "predictive_r2")
    assert total.mean == pytest.approx(42)
    assert total.se == pytest.approx(2 / 3**0.5)  # variance (4 + 0 + 4) / 2
    assert predictive.mean == pytest.approx(4)
    assert predictive.se == pytest.approx(1)  # (1 + 1 + 4) / 2 / 3
    assert (total.repetitions, total.published, predictive.published) == (3, 40.7, 3.33)


def test_one_repetition_has_no_standard_error():
    estimate = summarise(score_table({Cell("b", "pca", 1, 1): Scores(0.03, 0.0)}))[0]
    assert estimate.se is None


def test_the_table_is_in_the_order_of_the_paper_whatever_finished_first():
    cells = [Cell(c, m, k, 1) for c in CASES for m in MODELS for k in (1, 2)]
    table = score_table({cell: Scores(0.1, 0.0) for cell in reversed(cells)})
    rows = table[["case", "model", "n_factors"]].itertuples(index=False, name=None)
    assert list(rows) == [(c.case, c.model, c.n_factors) for c in cells]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (("total_r2", "a", "pca", 1), 3.5),
        (("total_r2", "a", "ca3", 6), 23.4),
        (("total_r2", "b", "ca2", 4), 31.8),
        (("predictive_r2", "a", "ipca", 2), 2.93),
        (("predictive_r2", "b", "ca0", 3), 0.77),
        (("total_r2", "a", "pca", 7), None),
    ],
)
def test_cells_of_table_6(cell, value):
    assert published(*cell) == value


def test_table_6_has_six_numbers_a_row():
    rows = [row for table in TABLE_6.values() for case in table.values() for row in case.values()]
    assert len(rows) == 24
    assert {len(row) for row in rows} == {6}
