"""What a rule is: one expectation about one table, under a name and a severity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Severity = Literal["blocking", "warning"]

KEPT_ROWS = 100  # of those that break a rule; the count is of all
FINITE = float(np.finfo(np.float64).max)  # as an upper bound: everything but infinity


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One thing that must hold of a table.

    Attributes
    ----------
    name : str
        The rule's name in results, messages and docs/quality.md. A rule about several columns
        has one `Rule` a column, all under the same name.
    table : str
        The table it is about.
    severity : {"blocking", "warning"}
        Whether the pipeline stops when it does not hold.
    requires : str
        What must hold, in words.
    expectation : str
        Class of Great Expectations, or of `latentbeta.quality.expectations`, that decides.
    arguments : mapping
        Its arguments.
    """

    name: str
    table: str
    severity: Severity
    requires: str
    expectation: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it looks at; none when it is about the table."""
        return columns_of(self.arguments)


def columns_of(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns that an expectation's arguments name; none when it is about the table."""
    if "column" in arguments:
        return (str(arguments["column"]),)
    if "column_A" in arguments:
        return str(arguments["column_A"]), str(arguments["column_B"])
    return tuple(arguments.get("column_list", ()))


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a rule found.

    Attributes
    ----------
    rule : Rule
    passed : bool
    evaluated : bool
        False when the rule could not be decided at all: its column is not there, or holds
        values of another kind. That stops the pipeline whatever the rule's severity.
    observed : str
        What was seen: a value of the table, an error, or an empty text for a rule about rows.
    n_checked, n_unexpected : int
        Rows looked at, and those among them that break the rule; 0 for a rule about a table.
    """

    rule: Rule
    passed: bool
    evaluated: bool
    observed: str
    n_checked: int
    n_unexpected: int

    @property
    def blocks(self) -> bool:
        """Whether it stops the pipeline."""
        return not self.passed and (self.rule.severity == "blocking" or not self.evaluated)

    @property
    def warns(self) -> bool:
        """Whether it is worth a warning."""
        return not self.passed and not self.blocks

    @property
    def share(self) -> float:
        """Rows that break the rule, as a share of those looked at."""
        return self.n_unexpected / self.n_checked if self.n_checked else 0.0


def type_rule(column: str, kinds: Sequence[str], *, name: str, table: str) -> Rule:
    """Return the rule that a column is of one of the types (pandas names)."""
    expectation: str
    arguments: dict[str, Any]
    expectation, arguments = (
        ("ExpectColumnTypeToBe", {"type_": kinds[0]})
        if len(kinds) == 1  # exact; a list of types does not know the name "str"
        else ("ExpectColumnValuesToBeInTypeList", {"type_list": list(kinds)})
    )
    return Rule(
        name=name,
        table=table,
        severity="blocking",
        requires=f"{column} is of type {' or '.join(kinds)}",
        expectation=expectation,
        arguments={"column": column, **arguments},
    )


def in_suite_order(outcomes: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """Return outcomes by table, rule and column: the order of everything that is written."""
    return tuple(sorted(outcomes, key=lambda o: (o.rule.table, o.rule.name, o.rule.columns)))
