"""Folds, data, gate and settings, as the template wants them: rows of finished text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from latentbeta.config import Settings
from latentbeta.report.inputs import Record, ReportInputs
from latentbeta.report.words import NOTHING, is_known, percent


@dataclass(frozen=True)
class Rule:
    """One rule of the validation gate."""

    name: str
    table: str
    state: str
    requires: str
    found: str


def fold_rows(folds: pd.DataFrame) -> list[list[str]]:
    """Return the dates of every fold."""
    return [
        [str(fold["fold"])]
        + [
            f"{fold[f'{part}_start']:%Y-%m-%d} to {fold[f'{part}_end']:%Y-%m-%d}"
            for part in ("train", "validation", "test")
        ]
        + [str(fold["embargo"])]
        for fold in folds.to_dict("records")
    ]


def data_facts(inputs: ReportInputs) -> list[tuple[str, str]]:
    """Return what was put in, and how much of it, as (name, value)."""
    prices, panel = inputs.prices_summary or {}, inputs.panel_summary or {}
    facts = [
        ("Source", prices.get("source")),
        (
            "Panel as given" if prices.get("kind") == "panel" else "Daily prices",
            _extent(prices, "rows"),
        ),
        ("Observed factors", _factors(prices.get("factors"))),
        ("Universe", prices.get("universe")),
        ("Members", _members(prices.get("membership"))),
        ("Calendar", prices.get("calendar")),
        ("Panel", _extent(panel, "asset-periods")),
        ("Panel rows without a return", _share(panel.get("missing_returns"))),
    ]
    return [(name, str(value)) for name, value in facts if value]


def _members(facts: Record | None) -> str:
    """Return how many members a file of spells names, and how many of them have prices."""
    if not facts:
        return ""
    return f"{facts['n_assets']:,} over time in {facts['file']}; {facts['priced']:.1%} have prices"


def _factors(facts: Record | None) -> str:
    """Return what each observed factor of a file covers."""
    names = facts["names"].items() if facts else ()
    return ", ".join(f"{n} {known['first_date']} to {known['last_date']}" for n, known in names)


def _extent(summary: Record, unit: str) -> str:
    if not {"n_rows", "n_assets", "first_date", "last_date"} <= summary.keys():
        return ""
    return (
        f"{summary['n_rows']:,} {unit} of {summary['n_assets']:,} assets, "
        f"{summary['first_date']} to {summary['last_date']}"
    )


def _share(value: Any) -> str:
    return percent(value, 2) if is_known(value) else ""


def flag_rows(summary: Record | None) -> list[tuple[str, str]]:
    """Return the number of suspect price rows by rule, those that were found."""
    flags: dict[str, int] = (summary or {}).get("flags", {})
    return [(rule.replace("_", " "), f"{count:,}") for rule, count in flags.items() if count]


def coverage_rows(summary: Record | None) -> list[tuple[str, str, str]]:
    """Return each characteristic's coverage and, where it was left out, the reason."""
    if summary is None:
        return []
    left_out: dict[str, str] = summary.get("left_out", {})
    used = [
        (name, percent(summary.get("coverage", {}).get(name)), "")
        for name in summary.get("characteristics", ())
    ]
    return used + [
        (name, percent(summary.get("coverage", {}).get(name)), f"left out: {reason}")
        for name, reason in left_out.items()
    ]


def gate_rows(validation: Record | None) -> list[Rule]:
    """Return the rules of the gate that do not hold, then the number of those that do."""
    return [
        Rule(
            name=str(rule["name"]).replace("_", " "),
            table=str(rule["table"]),
            state="blocking" if rule["severity"] == "blocking" else "warning",
            requires=str(rule.get("requires", "")),
            found=_found(rule),
        )
        for rule in (validation or {}).get("rules", ())
        if not rule["passed"]
    ]


def _found(rule: Record) -> str:
    count = rule.get("n_unexpected") or 0
    if count:
        share = percent(rule.get("share"), 2)
        share = "below 0.01 %" if share == percent(0.0, 2) else share
        return f"{count:,} row{'s' if count > 1 else ''} ({share})"
    return str(rule.get("observed") or "")


def setting_rows(settings: Settings) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return every setting that the results depend on, grouped by the part of params.yaml.

    The columns' names are left out.
    """
    document = settings.model_dump(mode="json", exclude={"execution"})
    document["data"].pop("columns")
    loose = [(k, _plain_value(v)) for k, v in document.items() if not isinstance(v, dict)]
    groups = [(k, _flat(v)) for k, v in document.items() if isinstance(v, dict)]
    return [("general", loose), *groups]


def _flat(group: Record, prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in group.items():
        nested = isinstance(value, dict)
        rows += _flat(value, f"{name}.") if nested else [(prefix + name, _plain_value(value))]
    return rows


def _plain_value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return NOTHING if value is None else str(value)
