"""The last validation, rule by rule, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from latentbeta.doctor.findings import Finding, document
from latentbeta.quality.advice import ADVICE

FOLDER = Path("data/validation")
PAGES = FOLDER / "docs/index.html"
AREA = "validation"
KEYS = ("passed", "n_rules", "n_blocking", "n_warnings", "rules")


def validation(project: Path) -> Iterator[Finding]:
    """Give the verdict of the gate, each failed rule with what to do, and the quarantine."""
    file = project / FOLDER / "result.json"
    if not file.is_file():
        yield Finding(
            area=AREA,
            state="note",
            text="the data have not been validated, or the stage crashed",
            advice="`latentbeta run`, or `latentbeta validate` for the stage alone",
        )
        return
    result = document(file, KEYS)
    if result is None:
        yield Finding(
            area=AREA,
            state="blocks",
            text=f"{FOLDER / file.name} is damaged, or of another version",
            advice="`latentbeta validate` makes it again",
        )
        return
    failed = [rule for rule in result["rules"] if not rule["passed"]]
    yield _verdict(result)
    yield from (_in_words(rule) for rule in failed)
    if count := result.get("n_quarantined", 0):
        yield Finding(
            area=AREA,
            state="note",
            text=f"{count:,} daily returns are in quarantine: {FOLDER / 'quarantine.parquet'}",
            advice="nothing, unless you know better: correct splits and dividends in the source",
        )


def _verdict(result: Mapping[str, Any]) -> Finding:
    counts = f"{result['n_blocking']} blocking and {result['n_warnings']} warnings"
    text = f"of {result['n_rules']} rules {counts} do not hold; pages: {PAGES}"
    if result["passed"]:
        return Finding(area=AREA, state="well", text=f"the gate is open: {text}")
    return Finding(
        area=AREA, state="blocks", text=f"the gate is closed, so nothing is trained: {text}"
    )


def _in_words(rule: Mapping[str, Any]) -> Finding:
    """Say which rule failed, on how many rows, what it requires, and what to do."""
    blocks = rule["severity"] == "blocking" or not rule["evaluated"]
    where = f"{rule['table']}, {rule['column']}" if rule["column"] else rule["table"]
    if not rule["evaluated"]:
        found = f"could not be evaluated: {rule['observed']}"
    elif rule["n_checked"]:
        found = f"{rule['n_unexpected']:,} of {rule['n_checked']:,} rows break it"
    else:
        found = str(rule["observed"])
    return Finding(
        area=AREA,
        state="blocks" if blocks else "note",
        text=f"{rule['name']} ({where}): {found}; required: {rule['requires']}",
        advice=ADVICE.get(rule["name"], "a rule of another version: run the stage validate again"),
    )
