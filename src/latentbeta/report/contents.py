"""Which sections the page has, in their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup


@dataclass(frozen=True)
class Section:
    """A part of the page: its template is sections/<name>.html.j2, its address #<name>."""

    name: str
    title: str


def contents(facts: Mapping[str, Any], figures: Mapping[str, Markup]) -> list[Section]:
    """Return the sections for which there is something to show."""
    drawn = figures.keys()
    shown = facts["shown"]
    candidates = (
        ("models", "Models", True),
        ("differences", "Are the differences real?", facts["matrices"]),
        ("truth", "How much of the truth was recovered", facts["truth"]),
        ("portfolios", "Trading the forecast", facts["deciles"] or "cumulative" in drawn),
        ("tangency", "Trading the factors", "tangency" in drawn),
        ("pricing", "Pricing errors and premia", facts["pricing"] or facts["premia"]),
        ("characteristics", "What the characteristics do", drawn & CHARACTERISTICS),
        ("betas", f"Betas and factors of {shown}", drawn & {"betas", "factors"}),
        ("attribution", f"What moved the portfolios of {shown}", "attribution" in drawn),
        ("null", "Skill where there is none to find", facts["null"]),
        ("folds", "Folds", facts["folds"]),
        ("losses", f"Training of {shown}", "losses" in drawn),
        ("data", "Data", facts["data"]),
        ("made", "How it was made", True),
    )
    return [Section(name, title) for name, title, present in candidates if present]


CHARACTERISTICS = {"importance", "beta_functions"}
