"""What a process that stands ready runs: a stage's flow, or what follows the last stage."""

from __future__ import annotations

from importlib import import_module

from flows.api import plain_errors, run_flow
from flows.handover import RESULTS
from flows.imports import uncollected


def run_stage(stage: str) -> None:
    """Run the flow ``<stage>_flow`` of the module ``flows.<stage>``; for the results, its main."""
    with uncollected():
        module = import_module(f"flows.{stage}")
    if stage == RESULTS:
        with plain_errors("run"):
            module.main()
    else:
        run_flow(getattr(module, f"{stage}_flow"))
