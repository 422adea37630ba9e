"""Expectations of our own. Import it only where they are used: Great Expectations is slow."""

from __future__ import annotations

from typing import Any, ClassVar

import pandas as pd
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import MulticolumnMapExpectation
from great_expectations.expectations.metrics.map_metric_provider import (
    MulticolumnMapMetricProvider,
    multicolumn_condition_partial,
)

_METRIC = "multicolumn_values.open_and_close_within_low_and_high"


class OpenAndCloseWithinLowAndHigh(MulticolumnMapMetricProvider):
    """Whether open and close lie between low and high, row by row."""

    condition_metric_name = _METRIC
    condition_domain_keys = (
        "batch_id", "table", "column_list", "row_condition", "condition_parser", "ignore_row_if",
    )  # fmt: skip
    condition_value_keys = ()

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: pd.DataFrame, **_: Any) -> pd.Series:  # noqa: N805
        """Compare the four quotes; one that is missing breaks no order."""
        inner = column_list[["open", "close"]]
        above = inner.max(axis=1) > column_list["high"]
        below = inner.min(axis=1) < column_list["low"]
        return ~(above | below | (column_list["low"] > column_list["high"]))


class ExpectOpenAndCloseWithinLowAndHigh(MulticolumnMapExpectation):
    """Expect open and close to lie between low and high."""

    map_metric = _METRIC
    success_keys = ("mostly",)
    args_keys = ("column_list",)
    library_metadata: ClassVar[dict[str, Any]] = {"tags": ["prices"]}
