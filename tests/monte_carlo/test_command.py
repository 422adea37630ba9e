import json
from dataclasses import replace

import pandas as pd
import pytest

from latentbeta.errors import SettingsError
from latentbeta.monte_carlo.command import monte_carlo, requested
from latentbeta.monte_carlo.design import Design
from latentbeta.monte_carlo.study import Cell, Study
from latentbeta.monte_carlo.summary import Estimate
from latentbeta.monte_carlo.table import blocks, markdown_tables

SMALL = replace(Study(), design=Design(n_assets=20, n_dates=12, n_characteristics=4, n_inputs=4))


def estimate(model, n_factors, mean, se, published):
    return Estimate("a", "total_r2", model, n_factors, 2, mean, se, published)


def test_cells_that_lists_ask_for():
    assert requested("b", "ca1,pca", "1,3", 2) == [
        Cell("b", model, k, n) for model in ("pca", "ca1") for k in (1, 3) for n in (1, 2)
    ]
    assert len(requested("a,b", "pca,ipca,ca0,ca1,ca2,ca3", "1-6", 20)) == 1440


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("c", "pca", "1"), "no case is called 'c'; there are a, b"),
        (("a", "pca,cae", "1"), "no model is called 'cae'"),
        (("a", "pca", "1-"), "'1-' names no numbers of factors"),
        (("a", "pca", "0"), "'0' names"),
        (("a", "pca", "6-1"), "'6-1' names"),
    ],
)
def test_what_does_not_exist_is_named(arguments, message):
    with pytest.raises(SettingsError, match=message):
        requested(*arguments, 1)


def test_markdown_by_hand():
    cells = [
        estimate("ipca", 1, 18.64, 0.51, 18.6),
        estimate("ipca", 7, 40.0, None, None),
        estimate("ca0", 1, 15.0, 0.5, 15.6),
    ]
    assert markdown_tables(cells) == (
        "### Case (a), linear betas: total R², %\n\n"
        "| Model | K=1 | K=7 |\n|-|-|-|\n"
        "| IPCA | 18.6±0.5 (18.6) | 40.0 |\n"
        "| CA0 | 15.0±0.5 (15.6) |  |"
    )
    assert next(blocks(cells)).n_factors == [1, 7]


def test_the_command_leaves_tables_checks_and_every_repetition(tmp_path, capsys):
    cells = requested("a,b", "pca,ipca", "1-2", 2)
    output = tmp_path / "output"
    checks = monte_carlo(SMALL, cells, folder=tmp_path / "store", output=output, workers=1)
    shown = capsys.readouterr().out
    assert "Case (b), non-linear betas: predictive R²" in shown
    assert all(check.line in shown for check in checks)

    scores = pd.read_csv(output / "repetitions.csv")
    assert len(scores) == 16
    record = json.loads((output / "table.json").read_text())
    assert record["design"]["n_assets"] == 20
    assert record["n_seeds"] == SMALL.n_seeds
    chosen = scores.query("case == 'b' and model == 'ipca' and n_factors == 2")["total_r2"]
    [cell] = [
        c
        for c in record["cells"]
        if (c["case"], c["model"], c["n_factors"], c["measure"]) == ("b", "ipca", 2, "total_r2")
    ]
    assert cell["mean"] == pytest.approx(chosen.mean())
    assert cell["se"] == pytest.approx(chosen.std() / 2**0.5)
    page = (output / "table.md").read_text()
    assert page.startswith("# The Monte Carlo study beside Table 6\n\n2 repetitions")
    assert "## Checks" in page

    assert monte_carlo(SMALL, cells, folder=tmp_path / "store", output=output, workers=2) == checks
    assert "16 of 16 cells found" in capsys.readouterr().out
