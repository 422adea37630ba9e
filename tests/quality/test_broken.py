"""Our way of finding rows against Great Expectations' own expectations of the same meaning."""

import datetime as dt
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from latentbeta.quality.broken import broken_rows

N = 400


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Numbers, dates and texts with gaps and ties."""
    random = np.random.default_rng(3)
    numbers = np.round(random.normal(size=(N, 4)), 1)
    numbers[random.random((N, 4)) < 0.1] = np.nan
    days = np.datetime64("2018-01-01", "us") + random.integers(0, 30, N) * np.timedelta64(1, "D")
    return pd.DataFrame(numbers, columns=["a", "b", "c", "d"]).assign(
        single=numbers[:, 0].astype(np.float32),
        whole=random.integers(0, 5, N),
        date=pd.Series(days).mask(random.random(N) < 0.05),
        asset=pd.array(random.choice(["X", "Y", None], N), dtype="str"),
    )


@pytest.fixture(scope="module")
def validate(table: pd.DataFrame) -> Callable[[str, dict[str, Any]], Any]:
    """Great Expectations' own answer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as gx
        import great_expectations.expectations as core
        from great_expectations.data_context.types.base import ProgressBarsConfig

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        source = context.data_sources.add_pandas("source")
        definition = source.add_dataframe_asset("table").add_batch_definition_whole_dataframe("all")
        batch = definition.get_batch({"dataframe": table})

    def answer(expectation: str, arguments: dict[str, Any]) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return batch.validate(getattr(core, expectation)(**arguments), result_format="COMPLETE")

    return answer


BETWEEN = "ExpectColumnValuesToBeBetween"
CASES = [
    (BETWEEN, {"column": "a", "min_value": -1, "max_value": 1}),
    (BETWEEN, {"column": "a", "min_value": 0.5, "strict_min": True}),
    (BETWEEN, {"column": "b", "max_value": 0.5, "strict_max": True, "mostly": 0.6}),
    (BETWEEN, {"column": "b", "max_value": 0.5, "mostly": 0.8}),
    (BETWEEN, {"column": "single", "min_value": -0.3, "max_value": 0.7}),
    (BETWEEN, {"column": "whole", "min_value": 1, "max_value": 3}),
    (BETWEEN, {"column": "date", "max_value": dt.datetime(2018, 1, 15)}),
    ("ExpectColumnValuesToNotBeNull", {"column": "a"}),
    ("ExpectColumnValuesToNotBeNull", {"column": "asset", "mostly": 0.6}),
    ("ExpectColumnValuesToNotBeNull", {"column": "date", "mostly": 0.9}),
    ("ExpectColumnPairValuesAToBeGreaterThanB", {"column_A": "a", "column_B": "b"}),
    (
        "ExpectColumnPairValuesAToBeGreaterThanB",
        {"column_A": "a", "column_B": "b", "or_equal": True},
    ),
    ("ExpectCompoundColumnsToBeUnique", {"column_list": ["date", "asset"]}),
    ("ExpectCompoundColumnsToBeUnique", {"column_list": ["a", "b", "c"]}),
]


@pytest.mark.parametrize(("expectation", "arguments"), CASES)
def test_the_same_rows_break_it_as_in_great_expectations(
    expectation: str, arguments: dict[str, Any], table: pd.DataFrame, validate: Any
) -> None:
    theirs = validate(expectation, arguments)
    ours = broken_rows(table, expectation, arguments)
    assert ours.n_broken == theirs.result["unexpected_count"] > 0
    assert ours.positions.tolist() == theirs.result["unexpected_index_list"]
    assert ours.holds(arguments.get("mostly", 1.0)) == theirs.success
    assert len(ours.rows) - ours.n_missing == N - theirs.result.get("missing_count", ours.n_missing)


def test_a_key_that_ascends_is_unique_and_one_that_is_there_twice_is_found() -> None:
    keys = pd.DataFrame({"date": np.repeat([1, 2, 3], 2), "asset": ["A", "B"] * 3})
    arguments = {"column_list": ["date", "asset"]}
    unique = "ExpectCompoundColumnsToBeUnique"
    assert broken_rows(keys, unique, arguments).n_broken == 0
    shuffled = keys.iloc[[3, 0, 5, 1, 4, 2]].reset_index(drop=True)
    assert broken_rows(shuffled, unique, arguments).n_broken == 0
    twice = pd.concat([shuffled, keys.iloc[[1]]], ignore_index=True)
    assert broken_rows(twice, unique, arguments).positions.tolist() == [3, 6]
    keys.loc[1, "asset"] = None
    keys.loc[0, "asset"] = None
    assert broken_rows(keys, unique, arguments).positions.tolist() == [0, 1]


def test_a_single_precision_column_is_held_to_the_exact_bound() -> None:
    table = pd.DataFrame({"x": np.array([0.1, 1.0, np.inf], dtype=np.float32)})
    above_a_tenth = broken_rows(table, BETWEEN, {"column": "x", "max_value": 0.1})
    assert above_a_tenth.positions.tolist() == [0, 1, 2]  # 0.1f is 0.100000001
    finite = broken_rows(table, BETWEEN, {"column": "x", "max_value": np.finfo(np.float64).max})
    assert finite.positions.tolist() == [2]


@pytest.mark.parametrize("column", ["asset", "mixed"])
def test_what_has_no_order_is_named(column: str) -> None:
    table = pd.DataFrame(
        {"asset": pd.array(["X"], dtype="str"), "mixed": pd.Series([1], dtype=object)}
    )
    with pytest.raises(TypeError, match=f"{column} holds values of type"):
        broken_rows(table, BETWEEN, {"column": column, "min_value": 0})


def test_nothing_known_breaks_nothing() -> None:
    table = pd.DataFrame({"x": [np.nan, np.nan]})
    found = broken_rows(table, BETWEEN, {"column": "x", "min_value": 0})
    assert (found.n_broken, found.n_missing, found.holds()) == (0, 2, True)
