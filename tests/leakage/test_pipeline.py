"""Change every price after a date, run the real pipeline, and compare the past byte by byte."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latentbeta.storage import write_parquet

CUT = pd.Timestamp("2015-09-15")  # in the middle of a month, and of the third fold's test
PRICES = ["open", "high", "low", "close"]
N_MODELS = 3
# No price enters the first three; and a level half as high again for all assets alike need not
# move a rank of their size, of their spreads within a day, or of their returns three years ago.
WITHOUT_PRICES = {"turn", "std_turn", "zerotrade"}
UNMOVED = {
    "panel/panel.parquet": WITHOUT_PRICES | {"mvel1", "baspread", "mom36m"},
    "panel/raw.parquet": WITHOUT_PRICES,
}


@dataclass(frozen=True)
class Pair:
    """The same files of two runs, before and after the change."""

    one: Path
    other: Path

    def tables(self, name):
        return pd.read_parquet(self.one / name), pd.read_parquet(self.other / name)

    def fits(self):
        """Bytes of every finished fit, by its key."""
        return [
            {path.name: path.read_bytes() for path in (folder / "fold_store").glob("*.npz")}
            for folder in (self.one, self.other)
        ]


@pytest.fixture(scope="module")
def pair(base_run, tmp_path_factory, workspace_of):
    """Run a second copy of the project, its fold store empty, on other prices after CUT."""
    source = tmp_path_factory.mktemp("another_future") / "prices"
    shutil.copytree(base_run.workspace.data / "simulated", source)
    prices = pd.read_parquet(source / "prices.parquet")
    later = prices["date"] > CUT
    assert 0.1 < later.mean() < 0.5
    prices.loc[later, PRICES] *= 1.5
    write_parquet(prices, source / "prices.parquet")
    other = workspace_of("another_future")
    other.run_small("--data", source)
    return Pair(base_run.workspace.data, other.data)


def formations(pair):
    """When the characteristics of each date were known."""
    panel = pd.read_parquet(pair.one / "panel/panel.parquet", columns=["date", "formation"])
    return panel.drop_duplicates().set_index("date")["formation"]


def same_bytes(tables, columns, kept):
    """Tell whether the columns' rows that `kept` selects hold the same bytes, NaN and all."""
    one, other = (table.loc[kept(table), columns] for table in tables)
    if list(one) != list(other) or len(one) != len(other):
        return False
    return all(bytes_of(one[name]) == bytes_of(other[name]) for name in one)


def bytes_of(column):
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_dtype(column):
        return column.to_numpy().tobytes()
    return "\n".join(map(str, column)).encode()


def before(table):
    return table["date"] <= CUT


def after(table):
    return table["date"] > CUT


def known_before(pair):
    """Rows whose characteristics were formed by CUT: their own return may come after it."""
    formed = formations(pair)
    return lambda table: table["date"].map(formed) <= CUT


def characteristics_of(table):
    return [
        n
        for n in table
        if n not in ("date", "formation", "asset", "return", "market_equity", "sector")
    ]


def test_the_change_lies_inside_a_test_with_folds_on_both_sides(pair):
    folds = pd.read_parquet(pair.one / "results/folds.parquet")
    ended = folds["validation_end"] <= CUT
    assert ended.sum() >= 2
    assert (~ended).sum() >= 1
    assert ((folds["test_start"] < CUT) & (folds["test_end"] > CUT)).any()
    formed = formations(pair)
    assert ((formed <= CUT) & (formed.index > CUT)).sum() == 1


def test_prices_and_returns_of_the_past_are_the_same(pair):
    tables = pair.tables("prices/prices.parquet")
    assert same_bytes(tables, list(tables[0]), before)
    flags = pair.tables("prices/flags.parquet")
    assert same_bytes(flags, list(flags[0]), before)


@pytest.mark.parametrize("name", ["panel/panel.parquet", "panel/raw.parquet"])
def test_characteristics_formed_before_are_the_same(pair, name):
    tables = pair.tables(name)
    characteristics = characteristics_of(tables[0])
    assert len(characteristics) == 20
    keys = [n for n in ("date", "formation", "asset", "market_equity", "sector") if n in tables[0]]
    assert same_bytes(tables, [*keys, *characteristics], known_before(pair))
    unmoved = {column for column in characteristics if same_bytes(tables, [column], after)}
    assert unmoved <= UNMOVED[name]  # the others do see the prices of their time


def test_panel_rows_of_the_past_are_the_same(pair):
    tables = pair.tables("panel/panel.parquet")
    assert same_bytes(tables, list(tables[0]), before)
    assert not same_bytes(tables, ["return"], after)


COLUMNS = {  # what a number at a date may have seen: prices up to its formation, or its own date
    ("predictions", "forecast"): known_before,
    ("predictions", "fitted"): lambda pair: before,
    ("predictions", "realised"): lambda pair: before,
    ("betas", "factor_1"): known_before,
    ("betas", "factor_2"): known_before,
    ("betas", "factor_3"): known_before,
    ("factors", "factor_1"): lambda pair: before,
    ("factors", "factor_2"): lambda pair: before,
    ("factors", "factor_3"): lambda pair: before,
    ("factors", "premium_1"): known_before,
    ("factors", "premium_2"): known_before,
    ("factors", "premium_3"): known_before,
}


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_results_of_the_past_are_the_same(pair, table, column):
    tables = pair.tables(f"results/{table}.parquet")
    kept = COLUMNS[table, column](pair)
    keys = [n for n in ("model", "n_factors", "fold", "date", "asset") if n in tables[0]]
    assert kept(tables[0]).sum() > 50
    assert tables[0].loc[kept(tables[0]), column].notna().all() or column == "realised"
    assert same_bytes(tables, [*keys, column], kept)
    assert not same_bytes(tables, [column], after)


@pytest.mark.parametrize("name", ["history", "selection"])
def test_losses_and_chosen_epochs_of_folds_that_ended_are_the_same(pair, name):
    folds = pd.read_parquet(pair.one / "results/folds.parquet")
    ended = folds.loc[folds["validation_end"] <= CUT, "fold"]
    tables = pair.tables(f"training/{name}.parquet")
    assert set(ended) < set(tables[0]["fold"])
    assert same_bytes(tables, list(tables[0]), lambda table: table["fold"].isin(ended))
    losses = ["validation_loss"]
    assert not same_bytes(tables, losses, lambda table: ~table["fold"].isin(ended))


def test_weights_of_folds_that_ended_are_the_same_file(pair):
    """A fit's file is named by what it was fitted on: those that ended are found again, whole."""
    folds = pd.read_parquet(pair.one / "results/folds.parquet")
    n_ended = int((folds["validation_end"] <= CUT).sum())
    one, other = pair.fits()
    assert len(one) == len(other) == N_MODELS * len(folds)
    shared = set(one) & set(other)
    assert len(shared) == N_MODELS * n_ended
    assert all(one[name] == other[name] for name in shared)


def test_weights_of_later_folds_are_others(pair):
    one, other = pair.fits()
    only_one = [content for name, content in one.items() if name not in other]
    only_other = [content for name, content in other.items() if name not in one]
    assert only_one
    assert not set(only_one) & set(only_other)


def test_folds_lie_where_they_lay(pair):
    one, other = pair.tables("results/folds.parquet")
    pd.testing.assert_frame_equal(one, other)
    np.testing.assert_array_equal(*(t["date"].unique() for t in pair.tables("panel/panel.parquet")))
