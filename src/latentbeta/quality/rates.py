"""The rule about the risk-free rate."""

from __future__ import annotations

from collections.abc import Iterator

from latentbeta.quality.rules import Rule

# A daily rate of 0.1 % is 28 % a year, above any Treasury bill's; -0.02 % is -5 %.
LARGEST_RATE, SMALLEST_RATE = 0.001, -0.0002


def rate_rules() -> Iterator[Rule]:
    """Give the rule about `risk_free.parquet`, a row a session."""
    yield Rule(
        name="risk_free_usual",
        table="risk_free",
        severity="warning",
        requires=f"the daily risk-free rate is between {SMALLEST_RATE:.2%} and {LARGEST_RATE:.1%}",
        expectation="ExpectColumnValuesToBeBetween",
        arguments={
            "column": "risk_free", "min_value": SMALLEST_RATE, "max_value": LARGEST_RATE,
        },
    )  # fmt: skip
