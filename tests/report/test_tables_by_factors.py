from latentbeta.report.tables_by_factors import SHOWN, tables_by_factors

METRICS = [
    {"model": "ca1", "n_factors": 2, "total_r2": 0.2, "n_pricing_errors": 0},
    {"model": "pca", "n_factors": 1, "total_r2": 0.3, "n_pricing_errors": 4},
    {
        "model": "ca1",
        "n_factors": 1,
        "total_r2": 0.25,
        "total_r2_se": 0.0123,
        "total_r2_low": -0.01,
        "total_r2_high": 0.27,
        "n_pricing_errors": 2,
    },
]
LEFT_OUT = [{"model": "pca", "n_factors": 2, "reason": "one asset"}]


def cells_of(table):
    return {row.name: row.cells for row in table.rows}


def test_a_line_a_model_and_a_column_a_number_of_factors():
    total, _ = tables_by_factors(METRICS, [], SHOWN)
    assert total.caption == "Total R² %, assets"
    assert total.headings == ("K = 1", "2")
    assert [row.name for row in total.rows] == ["PCA", "CA1"]
    assert [cell.text for cell in cells_of(total)["CA1"]] == ["25.00", "20.00"]


def test_the_best_of_each_column_is_marked():
    total, errors = tables_by_factors(METRICS, [], SHOWN)
    assert [cell.mark for cell in cells_of(total)["PCA"]] == ["best", ""]
    assert [cell.mark for cell in cells_of(total)["CA1"]] == ["", "best"]
    # Of pricing errors the fewest are the best.
    assert [cell.mark for cell in cells_of(errors)["PCA"]] == ["", ""]
    assert [cell.mark for cell in cells_of(errors)["CA1"]] == ["best", "best"]


def test_errors_stand_below_and_intervals_behind():
    total, _ = tables_by_factors(METRICS, [], SHOWN)
    cell = cells_of(total)["CA1"][0]
    assert cell.beside == "± 1.23"
    assert cell.title == "95 %: −1.00 to 27.00"


def test_an_interval_that_ends_at_zero_is_an_interval():
    metrics = [record | {"total_r2_low": 0.0, "total_r2_high": 0.5} for record in METRICS]
    total, _ = tables_by_factors(metrics, [], SHOWN)
    assert cells_of(total)["CA1"][0].title == "95 %: 0.00 to 50.00"


def test_what_is_missing_is_a_dash_with_the_reason():
    total, _ = tables_by_factors(METRICS, LEFT_OUT, SHOWN)
    missing = cells_of(total)["PCA"][1]
    assert (missing.text, missing.title) == ("–", "one asset")
    without = cells_of(tables_by_factors(METRICS, [], SHOWN)[0])["PCA"][1]
    assert (without.text, without.title) == ("–", "")


def test_one_number_of_factors_needs_no_such_tables():
    assert tables_by_factors(METRICS[1:], [], SHOWN) == []
