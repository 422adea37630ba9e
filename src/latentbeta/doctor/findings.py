"""What the doctor says: one finding about one thing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["well", "note", "blocks"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    area : str
        What it belongs to: environment, settings, data, validation, stages, runs.
    state : {"well", "note", "blocks"}
        Nothing to do; worth knowing; or no run can succeed, or be trusted, before it is mended.
    text : str
        What was found.
    advice : str
        What to do; empty when there is nothing.
    """

    area: str
    state: State
    text: str
    advice: str = ""


def healthy(findings: Iterable[Finding]) -> bool:
    """Whether nothing blocks."""
    return all(finding.state != "blocks" for finding in findings)
