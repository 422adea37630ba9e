"""What the doctor says: one finding about one thing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from latentbeta.storage import read_json

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


def document(file: Path, keys: Iterable[str]) -> Mapping[str, Any] | None:
    """Return a JSON object that has the keys; None where the file is no such thing."""
    try:
        found = read_json(file)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and set(keys) <= set(found) else None


def healthy(findings: Iterable[Finding]) -> bool:
    """Whether nothing blocks."""
    return all(finding.state != "blocks" for finding in findings)
