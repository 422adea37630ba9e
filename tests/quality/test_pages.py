import pytest

from latentbeta.quality.pages import found
from latentbeta.quality.rules import Outcome, Rule

RULE = Rule(
    name="price_order",
    table="prices",
    severity="warning",
    requires="order",
    expectation="ExpectOpenAndCloseWithinLowAndHigh",
)


@pytest.mark.parametrize(
    ("n_checked", "n_unexpected", "told"),
    [
        (8, 1, "1 of 8 rows break it (12.50%)"),
        (2_402_891, 11, "11 of 2,402,891 rows break it (below 0.01%)"),
        (10_000, 1, "1 of 10,000 rows break it (0.01%)"),
        (0, 0, "seen"),
    ],
)
def test_what_a_rule_found_is_told_in_words(n_checked: int, n_unexpected: int, told: str) -> None:
    outcome = Outcome(
        rule=RULE,
        passed=False,
        evaluated=True,
        observed="seen",
        n_checked=n_checked,
        n_unexpected=n_unexpected,
    )
    assert found(outcome) == told
