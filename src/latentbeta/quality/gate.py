"""The gate between the data and the models."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from latentbeta.config import Settings
from latentbeta.data.calendar import sessions
from latentbeta.data.given import GIVEN_FILE
from latentbeta.errors import DataError, QualityError
from latentbeta.panel.files import PANEL_FILE, RAW_FILE
from latentbeta.progress import say
from latentbeta.quality.checkpoint import run_checkpoints
from latentbeta.quality.pages import finish_pages, found
from latentbeta.quality.panel import (
    characteristics_of,
    formation_rules,
    panel_rules,
    panel_tables,
)
from latentbeta.quality.prices import price_rules, price_tables
from latentbeta.quality.rows import Failure, find_failures, offending_rows
from latentbeta.quality.rules import Outcome, Rule
from latentbeta.storage import content_hash, folder_written_atomically, write_json, write_parquet

PRICES_FILE = "prices.parquet"
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


@dataclass(frozen=True, kw_only=True)
class _Suite:
    """Everything to be checked."""

    tables: Mapping[str, pd.DataFrame]
    rules: Sequence[Rule]
    data_date: dt.date
    about: str


def run_gate(prices_folder: Path, panel_folder: Path, settings: Settings, out: Path) -> GateResult:
    """Check prices and panel, save what was found, and stop the pipeline if it must.

    A panel that the user gave has no prices: then the rules about prices are left out.

    Parameters
    ----------
    prices_folder : Path
        Holds ``prices.parquet``, or ``given_panel.parquet`` when ``data.kind`` is panel.
    panel_folder : Path
        Holds ``panel.parquet`` and ``raw.parquet``.
    settings : Settings
    out : Path
        Becomes a folder with ``result.json`` (every rule; the same data and settings give the
        same bytes), ``offending_rows.parquet`` and ``docs/index.html``.

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
    is_given = settings.data.kind == "panel"
    source = prices_folder / (GIVEN_FILE if is_given else PRICES_FILE)
    files = [source, panel_folder / PANEL_FILE, panel_folder / RAW_FILE]
    (out / "result.json").unlink(missing_ok=True)  # a crash must not leave a pass for other data
    suite = (_given_suite if is_given else _suite)(files, settings)
    with folder_written_atomically(out) as folder:
        docs = folder / "docs"
        outcomes = run_checkpoints(suite.tables, suite.rules, docs=docs, data_date=suite.data_date)
        result = GateResult(outcomes=outcomes, failures=find_failures(outcomes, suite.tables))
        finish_pages(
            docs, result.outcomes, result.failures, data_date=suite.data_date, about=suite.about
        )
        write_parquet(offending_rows(result.failures), folder / "offending_rows.parquet")
        write_json(_document(result, files), folder / "result.json")
    for failure in result.warnings:
        say(f"warning: {_in_words(failure)}")
    if not result.passed:
        raise QualityError(_message(result.blocking, out))
    say(f"validation: {len(outcomes)} rules, none blocking, warnings: {len(result.warnings)}")
    return result


def _read(file: Path, dates: Sequence[str]) -> pd.DataFrame:
    """Read a table whose date columns are there; the rules can say the rest themselves."""
    try:
        table = _by_columns(file)
    except FileNotFoundError as error:
        raise DataError(f"{file}: no such file; run the stages before validate first") from error
    except (OSError, ValueError) as error:
        raise DataError(
            f"{file}: cannot be read as Parquet ({error}); run the stage that writes it again"
        ) from error
    usable = table.select_dtypes("datetime").columns
    if table.empty or not set(dates) <= set(usable):
        raise DataError(
            f"{file}: holds no rows, or its {' and '.join(dates)} are no dates; run the stage that"
            " writes it again"
        )
    return table


def _by_columns(file: Path) -> pd.DataFrame:
    """Read a Parquet file column by column: a third of the time and half the memory of pandas."""
    with pq.ParquetFile(file) as source:
        names = source.schema_arrow.names
        columns = {name: source.read([name])[name].to_pandas() for name in names}
    return pd.DataFrame(columns, copy=False)


def _suite(files: Sequence[Path], settings: Settings) -> _Suite:
    """Put the tables and the rules together."""
    prices = _read(files[0], ["date"])
    panel = _read(files[1], ["date", "formation"])
    raw = _read(files[2], ["date"])
    dates = pd.DatetimeIndex(prices["date"].drop_duplicates().dropna())
    days = sessions(settings.data.calendar, dates.min(), dates.max())
    return _Suite(
        tables=price_tables(prices, pd.DatetimeIndex(days)) | panel_tables(panel, raw, dates),
        rules=(
            *price_rules(
                settings.quality, latest=settings.data.as_of or dt.datetime.now(dt.UTC).date()
            ),
            *panel_rules(settings.quality, characteristics_of(raw)),
            *formation_rules(),
        ),
        data_date=dates.max().date(),
        about="Prices and panel",
    )


def _given_suite(files: Sequence[Path], settings: Settings) -> _Suite:
    """Put together what holds of a panel without prices."""
    panel = _read(files[1], ["date", "formation"])
    raw = _read(files[2], ["date"])
    formations = pd.DatetimeIndex(panel["formation"].drop_duplicates().dropna())
    say("validation: the source is a panel; there are no prices, so no rules about them")
    return _Suite(
        tables=panel_tables(panel, raw, formations),
        rules=panel_rules(settings.quality, characteristics_of(raw)),
        data_date=formations.max().date(),
        about="Panel",
    )


def _document(result: GateResult, files: Sequence[Path]) -> dict[str, Any]:
    """Return result.json: no times and no run ids, so that equal findings are equal bytes."""
    return {
        "passed": result.passed,
        "n_rules": len(result.outcomes),
        "n_blocking": len(result.blocking),
        "n_warnings": len(result.warnings),
        "inputs": {file.name: content_hash(file) for file in files},
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
            "  what to do about each rule: docs/quality.md",
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
