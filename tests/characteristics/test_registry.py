import dataclasses
import inspect
from pathlib import Path

import numpy as np
import pytest

from latentbeta.characteristics.compute import compute
from latentbeta.characteristics.price_rows import PRICE_ROWS
from latentbeta.characteristics.registry import REGISTRY
from latentbeta.config import read_settings
from latentbeta.data.fundamentals import ITEMS, QUARTERLY_INCOME
from latentbeta.data.market import DailyMarket
from latentbeta.errors import SettingsError

PROJECT = Path(__file__).parents[2]


def test_the_settings_name_every_characteristic_of_prices():
    names = read_settings(PROJECT / "params.yaml").characteristics.names
    assert names == tuple(row.name for row in PRICE_ROWS)


@pytest.mark.parametrize("name", list(REGISTRY))
def test_a_row_is_complete(name):
    row = REGISTRY[name]
    assert row.name == name == row.function.__name__
    assert row.sign in (-1, 0, 1)
    assert row.lag >= 0
    documented = inspect.getdoc(row.function) or ""
    assert "Notes" in documented
    assert row.source.split(" (")[0].split(",")[0] in documented


@pytest.mark.parametrize("name", list(REGISTRY))
def test_the_documentation_has_its_row(name):
    row = REGISTRY[name]
    page = (PROJECT / "docs" / "characteristics.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith(f"| {name} | {row.title} |")]
    assert len(lines) == 1
    cells = [cell.strip() for cell in lines[0].replace("\\|", "\0").split("|")]
    assert [cell.replace("\0", "|") for cell in cells[1:8]] == [
        *(name, row.title, row.formula, row.source, str(row.lag)),
        {1: "+", -1: "-", 0: ""}[row.sign],
        ", ".join(row.inputs),
    ]


@pytest.mark.parametrize("name", list(REGISTRY))
def test_its_inputs_are_fields_of_the_market_or_items_of_accounts(name):
    inputs = REGISTRY[name].inputs
    assert inputs
    assert set(inputs) <= {field.name for field in dataclasses.fields(DailyMarket)} | {
        *ITEMS,
        QUARTERLY_INCOME,
    }


def test_compute_gives_one_matrix_a_name(random_market):
    market, formations = random_market(0), np.array([300, 500])
    (found,) = compute(market, formations, ["retvol", "mom1m"])
    values = found.values
    assert list(values) == ["retvol", "mom1m"]
    np.testing.assert_array_equal(values["mom1m"], REGISTRY["mom1m"].function(market, formations))


def test_an_unknown_name_is_a_settings_error(random_market):
    with pytest.raises(SettingsError, match=r"no characteristic is called size; there are mom1m"):
        next(compute(random_market(0), np.array([300]), ["mom1m", "size"]))
