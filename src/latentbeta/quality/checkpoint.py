"""Rules run as Great Expectations checkpoints, one a table, with HTML pages of what was found."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import pandas as pd

from latentbeta.errors import QualityError
from latentbeta.quality.rules import KEPT_ROWS, Outcome, Rule, in_suite_order

_GX_SEVERITY = {"blocking": "critical", "warning": "warning"}
_SITE = "pages"


def run_checkpoints(
    tables: Mapping[str, pd.DataFrame], rules: Sequence[Rule], *, docs: Path, data_date: dt.date
) -> tuple[Outcome, ...]:
    """Run every rule on its table and build the pages.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
    rules : sequence of Rule
        Each about one of the tables.
    docs : Path
        Folder for the pages.
    data_date : datetime.date
        Last date of the data. The pages carry it where Great Expectations puts the time of the
        run, so that the same data has the same addresses.

    Returns
    -------
    tuple of Outcome
        By table, rule and column.

    Raises
    ------
    QualityError
        When Great Expectations evaluated another number of expectations than there are rules.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Great Expectations' own, about what it is built on
        context = _context(docs)
        outcomes = [
            outcome
            for table in dict.fromkeys(rule.table for rule in rules)
            for outcome in _outcomes(
                context,
                table,
                tables[table],
                [rule for rule in rules if rule.table == table],
                data_date,
            )
        ]
        _build_pages(context)
    return in_suite_order(outcomes)


def _outcomes(
    context: Any, name: str, table: pd.DataFrame, suite: Sequence[Rule], data_date: dt.date
) -> list[Outcome]:
    """Return what the rules of one table found, none of them left out."""
    results = _validate(context, name, table, suite, data_date)
    if len(results) != len(suite):
        raise QualityError(
            f"{name}: Great Expectations evaluated {len(results)} of {len(suite)} rules, so the"
            " data are not known to be sound; report this with the version in use"
        )
    return [
        _outcome(suite[r.expectation_config.meta["position"]], r, set(table.columns))
        for r in results
    ]


def _context(docs: Path) -> Any:
    """Return a context that lives in memory and has one site, on our folder."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    site = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": str(docs.resolve()),
        },
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }
    configuration = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        data_docs_sites={_SITE: site},
        progress_bars=ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    return gx.get_context(mode="ephemeral", project_config=configuration)


def _validate(
    context: Any, name: str, table: pd.DataFrame, suite: Sequence[Rule], data_date: dt.date
) -> list[Any]:
    """Run one table's checkpoint and return its results."""
    import great_expectations as gx
    from great_expectations.core.run_identifier import RunIdentifier

    source = context.data_sources.add_pandas(name)
    batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("whole")
    expectations = [_expectation(rule, position) for position, rule in enumerate(suite)]
    definition = gx.ValidationDefinition(
        name=name,
        data=batch,
        suite=context.suites.add(gx.ExpectationSuite(name=name, expectations=expectations)),
    )
    checkpoint = gx.Checkpoint(
        name=name,
        validation_definitions=[context.validation_definitions.add(definition)],
        result_format={"result_format": "BASIC", "partial_unexpected_count": KEPT_ROWS},
    )
    moment = dt.datetime.combine(data_date, dt.time(), tzinfo=dt.UTC)
    result = checkpoint.run(
        batch_parameters={"dataframe": table},
        run_id=RunIdentifier(run_name="gate", run_time=moment),
    )
    (validation,) = result.run_results.values()
    return list(validation.results)


def _build_pages(context: Any) -> None:
    context.build_data_docs(site_names=[_SITE])


def _expectation(rule: Rule, position: int) -> Any:
    """Return the rule as Great Expectations knows it."""
    import great_expectations.expectations as core

    from latentbeta.quality import expectations as own

    kind = own.ROW_WISE.get(rule.expectation) or getattr(core, rule.expectation)
    return kind(
        **rule.arguments,
        severity=_GX_SEVERITY[rule.severity],
        description=f"{rule.name}: {rule.requires}",
        meta={"rule": rule.name, "position": position},
    )


def _outcome(rule: Rule, result: Any, columns: Set[str]) -> Outcome:
    """Read one result. A column that is not there raises nothing: the error is in the result."""
    lost = [column for column in rule.columns if column not in columns]
    error = f"there is no column {', '.join(lost)}" if lost else _error(result.exception_info)
    found = result.result
    return Outcome(
        rule=rule,
        passed=bool(result.success),
        evaluated=error is None,
        observed=error if error is not None else _observed(found),
        n_checked=int(found.get("element_count", 0)),
        n_unexpected=int(found.get("unexpected_count", 0)),
    )


def _error(information: Mapping[str, Any]) -> str | None:
    """Return the first error's message: there is one entry, or one for each failed metric."""
    entries = [information] if "raised_exception" in information else list(information.values())
    raised = [str(e["exception_message"]) for e in entries if e["raised_exception"]]
    return min(raised) if raised else None


def _observed(found: Mapping[str, Any]) -> str:
    """Return what was seen of a whole table or column, as text."""
    differences = found.get("details", {}).get("mismatched")
    if differences:
        return "; ".join(f"{kind}: {', '.join(names)}" for kind, names in differences.items())
    seen = found.get("observed_value", "")
    return ", ".join(map(str, seen)) if isinstance(seen, list) else str(seen)
