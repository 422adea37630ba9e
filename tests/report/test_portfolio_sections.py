import pandas as pd
import pytest
from tests.report.bare import bare_inputs

from latentbeta.evaluation.ladder import ModelKey
from latentbeta.report.portfolio_sections import decile_tables, luck_sentence

KEY = ModelKey("ca1", 3)


def deciles(weighting="equal", **long_short):
    spread = {
        "mean": 0.15,
        "volatility": 0.123,
        "sharpe": 1.22,
        "sharpe_se": 0.24,
        "turnover": 0.61,
        "net_sharpe": 0.9,
        "drawdown": 0.255,
    } | long_short
    ends = [spread | {"mean": 0.02}, spread | {"mean": 0.17}]
    names = ("portfolio_1", "portfolio_2", "long_short")
    rows = [row | {"portfolio": name} for name, row in zip(names, (*ends, spread), strict=True)]
    return pd.DataFrame(rows).assign(model=KEY.model, n_factors=KEY.n_factors, weighting=weighting)


def test_the_ends_of_the_sort_and_their_difference():
    (table,) = decile_tables(bare_inputs(deciles=deciles()), [KEY, ModelKey("pca", 1)])
    assert table.caption == "Equal-weighted"
    (row,) = table.rows
    assert (row.name, row.n_factors) == ("CA1", 3)
    assert [cell.text for cell in row.cells] == [
        "2.00",
        "17.00",
        "15.00",
        "12.3",
        "1.22",
        "61",
        "0.90",
        "25.5",
    ]
    assert row.cells[4].beside == "± 0.24"


def test_a_weighting_without_returns_has_no_table():
    unknown = deciles("value", mean=None).assign(mean=float("nan"))
    tables = decile_tables(bare_inputs(deciles=pd.concat([deciles(), unknown])), [KEY])
    assert [table.caption for table in tables] == ["Equal-weighted"]


def record(model, sharpe, probability):
    return {
        "model": model,
        "n_factors": 2,
        "long_short_sharpe": sharpe,
        "long_short_deflated_sharpe": probability,
    }


@pytest.mark.parametrize(
    ("probability", "meaning"),
    [
        (0.97, "is 97 % (deflated Sharpe ratio): hard to put down"),
        (0.4, "is 40 % (deflated Sharpe ratio): luck alone could"),
        (0.9999, "is above 99 % (deflated"),
        (0.0001, "is below 1 % (deflated"),
    ],
)
def test_luck_is_that_of_the_best_of_all_that_were_tried(probability, meaning):
    metrics = [record("pca", 0.4, 0.1), record("ca1", 1.3, probability), record("ca2", None, None)]
    text = luck_sentence(metrics)
    assert "The highest of 2 Sharpe ratios is 1.30 a year (CA1, 2 factors)" in text
    assert meaning in text


def test_older_results_say_nothing_of_luck():
    assert luck_sentence([{"model": "pca", "n_factors": 1, "long_short_sharpe": 1.0}]) == ""
    assert luck_sentence([{"model": "pca", "n_factors": 1}]) == ""
