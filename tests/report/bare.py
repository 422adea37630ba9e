"""Inputs of the report that hold nothing but what a test gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from latentbeta.report.inputs import EVALUATED, RESULTS, TRAINED, ReportInputs


def bare_inputs(**given: Any) -> ReportInputs:
    """Inputs with empty tables and lists in place of what is not given."""
    tables = {name: pd.DataFrame() for name in (*EVALUATED, *RESULTS, *TRAINED)}
    rest = {
        "metrics": [],
        "betas_file": Path("no such file"),
        "left_out": [],
        "null": [],
        "truth": {"known": False},
        "prices_summary": None,
        "panel_summary": None,
        "validation": None,
        "history_notes": [],
        "hashes": {},
    }
    return ReportInputs(**(tables | rest | given))
