"""All that the doctor looks at, in the order of a run, as text or for a machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from latentbeta.doctor.findings import Finding, healthy
from latentbeta.doctor.inputs import data, settings_of
from latentbeta.doctor.runs import runs, stages
from latentbeta.doctor.surroundings import surroundings
from latentbeta.doctor.validation import validation

MARKS = {"well": " ", "note": "!", "blocks": "X"}


def examine(project: Path) -> tuple[Finding, ...]:
    """Look at everything; what is not valid hides what depends on it.

    Parameters
    ----------
    project : Path
        The project's folder.

    Returns
    -------
    tuple of Finding
        By area, in the order of a run.
    """
    settings, about_settings = settings_of(project)
    findings = [*surroundings(project), about_settings]
    if settings is not None:
        findings += [*data(project, settings), *validation(project), *stages(project)]
    return (*findings, *runs(project))


def in_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """Give the lines for people: a mark, what was found, and below it what to do."""
    for area, group in groupby(findings, key=lambda finding: finding.area):
        yield area
        for finding in group:
            yield f"  {MARKS[finding.state]} {finding.text}"
            if finding.advice:
                yield f"      do: {finding.advice}"
    yield _verdict(findings)


def _verdict(findings: Sequence[Finding]) -> str:
    blocks = sum(finding.state == "blocks" for finding in findings)
    notes = sum(finding.state == "note" for finding in findings)
    if healthy(findings):
        return f"healthy; worth a look: {notes}" if notes else "healthy"
    return f"{blocks} thing(s) to mend (X); worth a look (!): {notes}"


def for_machine(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the same for JSON."""
    return {"healthy": healthy(findings), "findings": [asdict(finding) for finding in findings]}
