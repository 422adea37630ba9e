import platform
import re
from pathlib import Path

import numpy as np
import pytest
from benchmarks.daily_characteristics import (
    FIFTEEN,
    SHARED,
    long_frame,
    ours,
    plain_pandas,
    refuse_differences,
)
from benchmarks.machine import machine
from benchmarks.market import daily_market, factor_panel, month_ends
from benchmarks.pipeline import PipelineCost
from benchmarks.run import as_markdown
from benchmarks.timing import Comparison, alternating

ROOT = Path(__file__).parents[2]


def test_pandas_computes_the_same_characteristics():
    market, formations = daily_market(700, 12), month_ends(700)
    mine = ours(market, formations, SHARED)
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


def test_overhead_is_what_the_functions_do_not_account_for():
    cost = PipelineCost(
        pure={"ingest": 5.0, "train": 80.0},
        pure_found=2.0,
        stages={"before the first stage": 3.0, "ingest": 11.0, "train": 13.0},
        total=22.0,
    )
    assert cost.overhead == 15.0
    assert cost.share == 0.15


def test_the_page_names_the_machine_but_not_its_host():
    facts = {"date": "2024-01-31 10:00 UTC", "command": "make bench", "commit": "abc"}
    of = machine() | {"load_average_after": [0.0, 0.0, 0.0]}
    row = Comparison("work", "peer", "s", (1.0,), (4.0,), "note")
    page = as_markdown(facts | {"machine": of}, [row], None)
    assert "| 4.0 |" in page
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
