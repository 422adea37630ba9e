"""Expectations of our own. Import it only where they are used: Great Expectations is slow.

Those about rows are Great Expectations' in everything but how the rows are found: one metric, which
looks at the columns that the expectation is about and copies none (`latentbeta.quality.broken`).
What it reports of the first rows says which they are, and not their values alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import great_expectations.expectations as core
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import MulticolumnMapExpectation
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from great_expectations.validator.metric_configuration import MetricConfiguration

from latentbeta.quality.broken import Broken, broken_rows
from latentbeta.quality.rows import rows_at, rows_in_words
from latentbeta.quality.rules import KEPT_ROWS, columns_of

_METRIC = "latentbeta.broken_rows"


@dataclass(frozen=True)
class Finding:
    """The rows that break an expectation, and the first of them in words."""

    broken: Broken
    first: tuple[str, ...]


class BrokenRows(TableMetricProvider):
    """Which rows break an expectation."""

    metric_name = _METRIC
    value_keys = ("about",)

    @metric_value(engine=PandasExecutionEngine)
    def _pandas(
        cls,  # noqa: N805
        execution_engine: PandasExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        **_: Any,
    ) -> Finding:
        """Find them without a copy of the table."""
        table, *_others = execution_engine.get_compute_domain(
            metric_domain_kwargs, domain_type=MetricDomainTypes.TABLE
        )
        about = metric_value_kwargs["about"]
        broken = broken_rows(table, about["expectation"], about["arguments"])
        first = rows_at(table, broken.positions[:KEPT_ROWS], columns_of(about["arguments"]))
        return Finding(broken, tuple(rows_in_words(first)))


class _RowWise:
    """What makes an expectation about rows one that rests on `BrokenRows`."""

    standard: ClassVar[str]  # its name among `latentbeta.quality.broken.ROW_WISE`
    args_keys: ClassVar[tuple[str, ...]]

    def get_validation_dependencies(
        self, runtime_configuration: dict[str, Any] | None = None, **_: Any
    ) -> Any:
        """Ask for one metric."""
        from great_expectations.validator.validator import ValidationDependencies

        given = self.configuration.kwargs  # type: ignore[attr-defined]
        about = {
            "expectation": self.standard,
            "arguments": {key: value for key, value in given.items() if key != "batch_id"},
        }
        metric = MetricConfiguration(_METRIC, {"batch_id": given.get("batch_id")}, {"about": about})
        wanted = self._get_runtime_kwargs(runtime_configuration)  # type: ignore[attr-defined]
        return ValidationDependencies({_METRIC: metric}, wanted["result_format"])

    def _validate(self, metrics: dict[str, Finding], **_: Any) -> dict[str, Any]:
        """Say what Great Expectations says of its own expectations about rows."""
        found = metrics[_METRIC]
        broken, n_rows = found.broken, len(found.broken.rows)
        n_known = n_rows - broken.n_missing
        return {
            "success": broken.holds(getattr(self, "mostly", 1.0)),
            "result": {
                "element_count": n_rows,
                "missing_count": broken.n_missing,
                "missing_percent": _percent(broken.n_missing, n_rows),
                "unexpected_count": broken.n_broken,
                "unexpected_percent": _percent(broken.n_broken, n_known),
                "unexpected_percent_total": _percent(broken.n_broken, n_rows),
                "unexpected_percent_nonmissing": _percent(broken.n_broken, n_known),
                "partial_unexpected_list": list(found.first),
            },
        }


def _percent(count: int, of: int) -> float:
    return 100 * count / of if of else 0.0


class ExpectRowsBetween(_RowWise, core.ExpectColumnValuesToBeBetween):
    """Expect a column's values to lie between bounds."""

    standard: ClassVar[str] = "ExpectColumnValuesToBeBetween"


class ExpectRowsKnown(_RowWise, core.ExpectColumnValuesToNotBeNull):
    """Expect a column's values to be known."""

    standard: ClassVar[str] = "ExpectColumnValuesToNotBeNull"


class ExpectRowsGreater(_RowWise, core.ExpectColumnPairValuesAToBeGreaterThanB):
    """Expect a column's values to be greater than another's."""

    standard: ClassVar[str] = "ExpectColumnPairValuesAToBeGreaterThanB"


class ExpectRowsUnique(_RowWise, core.ExpectCompoundColumnsToBeUnique):
    """Expect no two rows to have the same values in a list of columns."""

    standard: ClassVar[str] = "ExpectCompoundColumnsToBeUnique"


class ExpectRowsOrdered(_RowWise, MulticolumnMapExpectation):
    """Expect open and close to lie between low and high."""

    standard: ClassVar[str] = "ExpectOpenAndCloseWithinLowAndHigh"
    map_metric = _METRIC
    success_keys = ("mostly",)
    args_keys = ("column_list",)
    library_metadata: ClassVar[dict[str, Any]] = {"tags": ["prices"]}


ROW_WISE = {
    kind.standard: kind
    for kind in (
        ExpectRowsBetween,
        ExpectRowsKnown,
        ExpectRowsGreater,
        ExpectRowsUnique,
        ExpectRowsOrdered,
    )
}
