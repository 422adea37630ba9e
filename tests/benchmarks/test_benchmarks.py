import platform
import re
from pathlib import Path

import numpy as np
import pytest
from benchmarks.daily_characteristics import (
    FIFTEEN,
    long_frame,
    ours,
    plain_pandas,
    refuse_differences,
)
from benchmarks.gate_scale import in_a_process, write_prices
from benchmarks.machine import machine
from benchmarks.market import daily_market, factor_panel, month_ends
from benchmarks.pipeline import PipelineCost, measured_share
from benchmarks.run import MODULES, as_markdown
from benchmarks.scaling import Protocol, cost_table
from benchmarks.timing import Comparison, Measured, alternating, standing

ROOT = Path(__file__).parents[2]


def test_pandas_computes_the_same_characteristics():
    market, formations = daily_market(1_700, 12), month_ends(1_700)
    mine = ours(market, formations)
    theirs = plain_pandas(long_frame(market), formations)
    refuse_differences(mine, theirs)
    theirs["ill"] = theirs["ill"] * 1.001
    with pytest.raises(AssertionError, match="ill"):
        refuse_differences(mine, theirs)
    assert len(set(FIFTEEN)) == 15


def test_functions_take_turns_after_a_warm_up():
    calls = []
    first, second = alternating(lambda: calls.append("a"), lambda: calls.append("b"), repeats=2)
    assert calls == ["a", "b", "a", "b", "a", "b"]
    assert len(first) == len(second) == 2


def test_a_ratio_is_that_of_the_medians():
    row = Comparison("work", "peer", "s", ours=(1.0, 2.0, 9.0), theirs=(5.0, 6.0, 7.0), note="")
    assert row.ratio == 3.0


@pytest.mark.parametrize(
    ("value", "floor", "goal", "reached"),
    [
        (7.0, 6.0, 15.0, "floor"),
        (15.0, 6.0, 15.0, "goal"),
        (5.9, 6.0, 15.0, "short"),
        (70.0, 60.0, 25.0, "short"),
        (60.0, 60.0, 25.0, "floor"),
        (20.0, 60.0, 25.0, "goal"),
        (20.0, None, None, ""),
    ],
)
def test_less_is_better_where_the_goal_is_below_the_floor(value, floor, goal, reached):
    assert standing(value, floor, goal) == reached


@pytest.mark.slow
def test_the_gate_of_a_small_market_is_measured_in_a_process_of_its_own(tmp_path):
    assert write_prices(tmp_path, n_assets=30, n_days=80) == 2400
    found = in_a_process(tmp_path)
    assert found["n_rules"] >= 20
    assert found["processor_s"] > 0
    assert 0.1 < found["peak_gb"] < 2


def test_every_work_has_a_module():
    assert [n for n in MODULES.values() if not (ROOT / f"benchmarks/{n}.py").exists()] == []


def test_the_protocol_counts_every_network_and_row():
    protocol = Protocol()
    rows = [3.9 * (18 + refit) / 60 for refit in range(30)]
    assert protocol.training_rows == pytest.approx(sum(rows) / 30)
    assert protocol.members == 4 * 6 * 10 * 6 * 30
    by_hand = sum(6 * (60 * 30 * row * 0.5 + 2.0) for row in rows)  # six K, a stack of 60
    assert protocol.network_seconds(0.5, 2.0) == pytest.approx(by_hand)
    products = 94 * 32 + 32 * 16 + 16 * 6
    assert protocol.operations((32, 16)) == pytest.approx(
        6 * products * sum(rows) * 1e6 * 30 * 6 * 60
    )


def test_the_cost_table_divides_by_processes_and_their_efficiency():
    units = [
        {"work": f"{name} K=6", "unit": unit, "value": value}
        for name in ("ca0", "ca1", "ca2", "ca3")
        for unit, value in (
            ("s a member, epoch and million training rows", 0.5),
            ("s a fit beside its epochs", 0.0),
        )
    ]
    units.append({"work": "ipca K=6", "unit": "s a fit and million training rows", "value": 0.0})
    fan_out = {"peer": "one worker, one thread", "ratio": 1.6}
    results = {"machine": {"cores": 2}, "measured": units, "comparisons": [fan_out]}
    table = cost_table(results, "some.json")
    hours = 4 * Protocol().network_seconds(0.5, 0.0) / 3600
    assert f"| all | {hours:,.1f} |" in table
    assert f"| 4 | 8 | {hours / 8 / 0.8:,.1f} |" in table


def test_overhead_is_what_the_functions_do_not_account_for():
    cost = PipelineCost(
        pure={"ingest": 5.0, "train": 80.0},
        pure_found=2.0,
        stages={"before the first stage": 3.0, "ingest": 11.0, "train": 13.0},
        total=22.0,
        fresh=60.0,
    )
    assert cost.overhead == 15.0
    assert cost.share == 0.25
    row = measured_share(cost)
    assert (row.value, row.standing) == (25.0, "floor")


def test_the_page_names_the_machine_but_not_its_host():
    facts = {"date": "2024-01-31 10:00 UTC", "command": "make bench", "commit": "abc"}
    of = machine() | {"load_average_after": [0.0, 0.0, 0.0]}
    rows = [
        Comparison("work", "peer", "s", (1.0,), (4.0,), "note", floor=3.0, goal=5.0),
        Measured("more work", "peak GB", 3.5, 12.0, 6.0, "held at once"),
    ]
    page = as_markdown(facts | {"machine": of}, rows, None)
    assert "| 4 | 3 | 5 | floor |" in page
    assert "| more work | peak GB | 3.5 | 12 | 6 | goal |" in page
    assert "- more work: held at once." in page
    assert of["cpu"] in page
    assert platform.node() not in page
    assert not {"host", "node"} & set(of)


def test_the_generated_panel_is_ranked_and_the_same_each_time():
    panel, again = factor_panel(6, 40, 12), factor_panel(6, 40, 12)
    assert panel.Z.tobytes() == again.Z.tobytes()
    assert panel.R.tobytes() == again.R.tobytes()
    ranks = np.sort(panel.Z[panel.offsets[2] : panel.offsets[3]], axis=0)
    expected = 2 * np.arange(1, 41) / 41 - 1
    np.testing.assert_allclose(ranks, expected[:, None] * np.ones(12), atol=1e-6)


def test_every_peer_is_pinned():
    lines = (ROOT / "benchmarks/requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert "ipca==0.6.7" in pins
    assert all(re.fullmatch(r"[a-z0-9-]+==[\d.]+", pin) for pin in pins)
