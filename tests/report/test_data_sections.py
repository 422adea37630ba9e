import pytest

from latentbeta.report.data_sections import gate_rows


@pytest.mark.parametrize(
    ("count", "share", "told"),
    [
        (1, 0.2, "1 row (20.00 %)"),
        (1234, 0.01, "1,234 rows (1.00 %)"),
        (1, 4e-7, "1 row (below 0.01 %)"),
        (0, 0.0, "there is no column x"),
    ],
)
def test_what_a_broken_rule_found_is_told_in_words(count: int, share: float, told: str) -> None:
    rule = {
        "name": "price_order",
        "table": "prices",
        "severity": "warning",
        "requires": "order",
        "passed": False,
        "observed": "there is no column x",
        "n_unexpected": count,
        "share": share,
    }
    (row,) = gate_rows({"rules": [rule, rule | {"passed": True}]})
    assert row.found == told
