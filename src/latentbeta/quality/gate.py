"""The gate between the data and the models."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from latentbeta.config import Settings
from latentbeta.errors import QualityError
from latentbeta.progress import say
from latentbeta.quality.checkpoint import run_checkpoints
from latentbeta.quality.pages import finish_pages, found
from latentbeta.quality.quarantine import QUARANTINE_FILE
from latentbeta.quality.rows import Failure, find_failures, offending_rows
from latentbeta.quality.rules import Outcome
from latentbeta.quality.suite import Suite, suite_of
from latentbeta.storage import content_hash, folder_written_atomically, write_json, write_parquet

ROWS_IN_MESSAGE = 3


@dataclass(frozen=True, kw_only=True)
class GateResult:
    """What the gate found.

    Attributes
    ----------
    outcomes : tuple of Outcome
        Of every rule, by table, rule and column.
    failures : tuple of Failure
        Of the rules that do not hold, with the rows at fault, in the same order.
    """

    outcomes: tuple[Outcome, ...]
    failures: tuple[Failure, ...]

    @property
    def blocking(self) -> tuple[Failure, ...]:
        """Failures that stop the pipeline."""
        return tuple(failure for failure in self.failures if failure.outcome.blocks)

    @property
    def warnings(self) -> tuple[Failure, ...]:
        """Failures that do not."""
        return tuple(failure for failure in self.failures if failure.outcome.warns)

    @property
    def passed(self) -> bool:
        """Whether the models may be trained on the data."""
        return not self.blocking


def run_gate(prices_folder: Path, panel_folder: Path, settings: Settings, out: Path) -> GateResult:
    """Check prices and panel, save what was found, and stop the pipeline if it must.

    A panel that the user gave has no prices: then the rules about prices are left out.

    Parameters
    ----------
    prices_folder : Path
        Holds ``prices.parquet``, ``risk_free.parquet`` and ``flags.parquet``, or
        ``given_panel.parquet`` when ``data.kind`` is panel.
    panel_folder : Path
        Holds ``panel.parquet`` and ``raw.parquet``.
    settings : Settings
    out : Path
        Becomes a folder with ``result.json`` (every rule; the same data and settings give the
        same bytes), ``offending_rows.parquet``, ``quarantine.parquet`` and ``docs/index.html``.

    Returns
    -------
    GateResult

    Raises
    ------
    DataError
        When a file is not there or cannot be read.
    QualityError
        When a blocking rule does not hold, after everything is saved.
    """
    (out / "result.json").unlink(missing_ok=True)  # a crash must not leave a pass for other data
    suite = suite_of(prices_folder, panel_folder, settings)
    result = run_suite(suite, out)
    for failure in result.warnings:
        say(f"warning: {_in_words(failure)}")
    if not result.passed:
        raise QualityError(_message(result.blocking, out))
    if len(suite.quarantined):
        say(f"validation: {len(suite.quarantined):,} daily returns are in {QUARANTINE_FILE}")
    say(
        f"validation: {len(result.outcomes)} rules, none blocking, warnings: {len(result.warnings)}"
    )
    return result


def run_suite(suite: Suite, out: Path) -> GateResult:
    """Check a suite and save what was found; see `run_gate`."""
    with folder_written_atomically(out) as folder:
        docs = folder / "docs"
        outcomes = run_checkpoints(suite.tables, suite.rules, docs=docs, data_date=suite.data_date)
        result = GateResult(outcomes=outcomes, failures=find_failures(outcomes, suite.tables))
        finish_pages(docs, result.outcomes, result.failures, suite)
        write_parquet(offending_rows(result.failures), folder / "offending_rows.parquet")
        write_parquet(suite.quarantined, folder / QUARANTINE_FILE)
        write_json(_document(result, suite), folder / "result.json")
    return result


def _document(result: GateResult, suite: Suite) -> dict[str, Any]:
    """Return result.json: no times and no run ids, so that equal findings are equal bytes."""
    return {
        "passed": result.passed,
        "n_rules": len(result.outcomes),
        "n_blocking": len(result.blocking),
        "n_warnings": len(result.warnings),
        "inputs": {file.name: content_hash(file) for file in suite.files},
        "data_date": suite.data_date.isoformat(),
        "n_quarantined": len(suite.quarantined),
        "rules": [
            {
                "name": outcome.rule.name,
                "table": outcome.rule.table,
                "column": ", ".join(outcome.rule.columns),
                "severity": outcome.rule.severity,
                "requires": outcome.rule.requires,
                "passed": outcome.passed,
                "evaluated": outcome.evaluated,
                "observed": outcome.observed,
                "n_checked": outcome.n_checked,
                "n_unexpected": outcome.n_unexpected,
                "share": outcome.share,
            }
            for outcome in result.outcomes
        ],
    }


def _message(blocking: Sequence[Failure], out: Path) -> str:
    """Return what is wrong, where, and what to do."""
    count = f"{len(blocking)} blocking rule{'s' if len(blocking) > 1 else ''} failed"
    return "\n".join(
        [
            f"the validation gate is closed: {count}, so nothing was trained",
            *(f"  {_in_words(failure)}" for failure in blocking),
            f"  rows: {out / 'offending_rows.parquet'}",
            f"  pages: {out / 'docs' / 'index.html'}",
            "  what to do about each rule: `latentbeta doctor`, or docs/quality.md",
        ]
    )


def _in_words(failure: Failure) -> str:
    """Return a failure with its first rows on one line."""
    outcome = failure.outcome
    text = f"{outcome.rule.name} ({outcome.rule.table}): {found(outcome)}; {outcome.rule.requires}"
    if not outcome.n_unexpected:
        return text
    first = failure.rows.head(ROWS_IN_MESSAGE)
    return f"{text}; first: {'; '.join(_row_in_words(row) for row in first.to_dict('records'))}"


def _row_in_words(row: Mapping[Hashable, Any]) -> str:
    date = "" if pd.isna(row["date"]) else f"{row['date']:%Y-%m-%d} "
    asset = "" if pd.isna(row["asset"]) else f"{row['asset']} "
    return f"{date}{asset}{row['column']} = {row['value']}"
