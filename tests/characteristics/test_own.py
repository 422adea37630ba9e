"""A user's own characteristics: the documentation's example, and everything that is refused."""

import dataclasses
import re
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from latentbeta.characteristics.compute import compute
from latentbeta.characteristics.own import load_own
from latentbeta.characteristics.registry import rows_of
from latentbeta.data.fundamentals import ITEMS, Fundamentals
from latentbeta.errors import CharacteristicError, SettingsError

PROJECT = Path(__file__).parents[2]
FORMATIONS = np.array([300, 415, 620, 828])

FILE = """
import numpy as np
from latentbeta.characteristics.row import Characteristic

def mine(market, formations):
    {body}

def row(**other):
    given = dict(name="mine", title="Mine", source="Me (2024)", formula="x", lag=0, sign=0,
                 inputs=("close",), function=mine)
    return Characteristic(**(given | other))

ROWS = ({rows},)
"""
RIGHT = "return market.close[formations]"


@pytest.fixture
def example():
    """The file that docs/characteristics.md shows."""
    page = (PROJECT / "docs" / "characteristics.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", page, flags=re.DOTALL)
    assert found is not None
    return textwrap.dedent("   " + found.group(1).lstrip())


def write(folder, body=RIGHT, rows="row()", file="mine.py"):
    folder.mkdir(exist_ok=True)
    (folder / file).write_text(FILE.format(body=body, rows=rows))
    return folder


def values_of(market, formations, names, own):
    """What the stage computes, all assets side by side."""
    blocks = list(compute(market, formations, names, own))
    return {name: np.hstack([block.values[name] for block in blocks]) for name in names}


def test_the_example_of_the_documentation(tmp_path, example, steady_market):
    """Of 21 days 6 are up; the second asset lacks 8 returns, its other 13 are too few."""
    (tmp_path / "updays.py").write_text(example)
    own = load_own(tmp_path)
    returns = np.full((100, 2), -0.01)
    returns[94:] = 0.02
    returns[80:88, 1] = np.nan
    market = steady_market(100, 2, total_return=returns)
    (found,) = compute(market, np.array([99]), ["mom1m", "updays", "updays_ia"], own)
    values = found.values
    assert list(values) == ["mom1m", "updays", "updays_ia"]
    np.testing.assert_allclose(values["updays"], [[6 / 21, np.nan]])
    np.testing.assert_allclose(values["updays_ia"], [[0.0, np.nan]])


def test_the_example_keeps_its_past(tmp_path, example, random_market):
    (tmp_path / "updays.py").write_text(example)
    function = rows_of(["updays"], load_own(tmp_path))["updays"].function
    market = random_market(5)
    past = np.array([300, 620])
    expected = function(market, past)
    assert np.isfinite(expected).any()
    assert function(market.between(0, 621), past).tobytes() == expected.tobytes()


def test_there_need_be_none(tmp_path):
    assert load_own(tmp_path / "nowhere") == ()
    (tmp_path / "README.md").write_text("none yet")
    (tmp_path / "_helpers.py").write_text("raise RuntimeError")
    assert load_own(tmp_path) == ()


def test_a_file_may_import_its_helpers_and_define_classes(tmp_path, random_market):
    (tmp_path / "_of_mine.py").write_text("FACTOR = 3.0")
    head = (
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "from _of_mine import FACTOR\n"
        "@dataclass\n"
        "class Scaled:\n"
        "    by: float = FACTOR\n"
    )
    write(tmp_path, "return market.close[formations] * Scaled().by")
    (tmp_path / "mine.py").write_text(head + (tmp_path / "mine.py").read_text())
    before = list(sys.path)
    (row,) = load_own(tmp_path)
    assert sys.path == before
    market = random_market(5)
    expected = 3.0 * market.close[[300]]
    assert np.array_equal(row.function(market, np.array([300])), expected, equal_nan=True)


def test_the_project_s_own_folder_loads():
    load_own(PROJECT / "characteristics")


def test_an_unknown_name_says_what_there_is(tmp_path):
    own = load_own(write(tmp_path))
    assert list(rows_of(["mine_ia", "mom1m", "mine"], own)) == ["mine_ia", "mom1m", "mine"]
    with pytest.raises(SettingsError, match=r"is called mind; there are mom1m.*, mine, and each"):
        rows_of(["mind"], own)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ('row(name="mom1m")', r"mine\.py: 'mom1m': the name is taken"),
        ('row(name="bm")', r"'bm': the name is taken"),
        ('row(name="sector")', r"'sector': the name is taken"),
        ('row(name="mine_ia")', r"'mine_ia': _ia at the end stands for"),
        ('row(name="My own")', r"'My own': a name is of small letters"),
        ("row(name=7)", r"7: a name is of small letters"),
        ('row(inputs=("close", "mood"))', r"'mine': there is no input mood; there are book_"),
        ("row(sign=2)", r"sign is -1, 0 or 1"),
        ("row(lag=-1)", r"lag a number of days"),
        ("mine", r"ROWS holds <function mine.*which is no Characteristic"),
        ("row(), row()", r"mine is there twice in ROWS"),
    ],
)
def test_a_wrong_row_is_named(tmp_path, rows, message):
    with pytest.raises(CharacteristicError, match=message):
        load_own(write(tmp_path, rows=rows))


def test_a_name_may_be_in_one_file_only(tmp_path):
    write(tmp_path)
    with pytest.raises(CharacteristicError, match=r"second\.py: 'mine': the name is taken"):
        load_own(write(tmp_path, file="second.py"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(:", r"mine\.py: cannot be imported: SyntaxError"),
        ("import nowhere_to_be_found", r"cannot be imported: ModuleNotFoundError: No module"),
        ("x = 1", r"mine\.py: it has no ROWS"),
        ("ROWS = ()", r"it has no ROWS"),
        ("ROWS = 'mine'", r"it has no ROWS"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, text, message):
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(CharacteristicError, match=message):
        load_own(tmp_path)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return market.close[formations][0]", r"returned \(7,\) for 4 formations of 7 assets"),
        ("return market.close", r"returned \(830, 7\) for 4 formations"),
        ("return market.close[formations].tolist()", r"returned list for 4"),
        ("return market.close[formations] > 3", r"it returned bool; return float64"),
        ("return market.close[formations].astype('f4')", r"it returned float32"),
        ("return 1 // 0", r"mine\.py: 'mine': it failed with ZeroDivisionError"),
        ("market.close[0] = 1.0; " + RIGHT, r"it failed with ValueError: .*read-only"),
    ],
)
def test_what_it_returns_is_looked_at(tmp_path, body, message, random_market):
    own = load_own(write(tmp_path, body))
    with pytest.raises(CharacteristicError, match=message):
        own[0].function(random_market(5), FORMATIONS)


@pytest.mark.parametrize(
    "body",
    [
        "return market.close[np.minimum(formations + 1, len(market.close) - 1)]",
        "return market.close[formations] - np.nanmean(market.close, axis=0)",
        "return market.close[formations] / np.nanmax(market.close)",
        "return market.close[formations] * len(market.days)",
        "v = market.close[formations]; return v - np.nan_to_num(v).mean(axis=0)",
    ],
    ids=["tomorrow", "mean of all days", "largest of all", "length", "other formations"],
)
def test_looking_ahead_is_found_out(tmp_path, body, random_market):
    own = load_own(write(tmp_path, body))
    with pytest.raises(CharacteristicError, match=r"once the later days and the other formations"):
        own[0].function(random_market(5), FORMATIONS)


def test_it_is_given_all_assets_however_many_are_worked_on_at_a_time(
    tmp_path, random_market, monkeypatch
):
    """A rank among all assets, and its industry-adjusted form: two assets a block, or all."""
    own = load_own(write(tmp_path, "return market.close[formations].argsort(axis=1) * 1.0"))
    names = ["mine", "mom1m", "mine_ia"]
    together = values_of(random_market(5), FORMATIONS, names, own)
    assert sorted(together["mine"][0]) == list(range(7))
    monkeypatch.setattr("latentbeta.data.market.BLOCK_CELLS", 2 * 830)
    apart = values_of(random_market(5), FORMATIONS, names, own)
    for name in names:
        assert apart[name].tobytes() == together[name].tobytes()


def test_means_over_sectors_are_at_hand(tmp_path, random_market, monkeypatch):
    """With blocks of two assets as with one block."""
    body = (
        "from latentbeta.characteristics.sectors import sector_mean\n"
        "    from latentbeta.characteristics.size import mvel1\n"
        "    return sector_mean(market, formations, 'mvel1', mvel1)"
    )
    own, market = load_own(write(tmp_path, body)), random_market(5)
    names = ["mine", "mom1m"]
    together = values_of(market, FORMATIONS, names, own)
    monkeypatch.setattr("latentbeta.data.market.BLOCK_CELLS", 2 * market.shape[0])
    apart = values_of(random_market(5), FORMATIONS, names, own)
    for name in names:
        assert np.isfinite(together[name]).any()
        assert apart[name].tobytes() == together[name].tobytes()


def test_looking_at_later_publications_is_found_out(tmp_path, random_market):
    body = (
        "v = np.full((len(formations), market.shape[1]), float(len(market.fundamentals.month)))\n"
        "    return v"
    )
    own, market = load_own(write(tmp_path, body)), random_market(5)
    source = Fundamentals(
        asset=np.zeros(2, dtype=np.int64),
        month=np.array([1, 13]),
        published=np.array(["1971-01-01", "1972-02-01"], dtype="datetime64[us]"),
        items=dict.fromkeys(ITEMS, np.ones(2)),
        flow_months=12,
        stale_months=18,
    )
    market = dataclasses.replace(market, fundamentals=source)
    own[0].function(market, np.array([770, 828]))  # both are published by then
    with pytest.raises(CharacteristicError, match="once the later days"):
        own[0].function(market, np.array([500, 828]))


def test_infinite_is_missing(tmp_path, steady_market):
    own = load_own(write(tmp_path, "return market.close[formations] * np.inf"))
    assert np.isnan(own[0].function(steady_market(50), np.array([10, 49]))).all()
