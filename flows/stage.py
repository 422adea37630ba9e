"""What a process that stands ready runs: a stage's flow, or what follows the last stage."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from flows.api import plain_errors, run_flow
from flows.handover import RESULTS
from flows.imports import uncollected


def run_stage(stage: str, on_running: Callable[[], None] | None = None) -> None:
    """Run the flow ``<stage>_flow`` of the module ``flows.<stage>``; for the results, its main.

    Parameters
    ----------
    on_running : called when Prefect has the flow running, before it does anything
    """
    with uncollected():
        module = import_module(f"flows.{stage}")
    if stage == RESULTS:
        with plain_errors("run"):
            module.main()
        return
    flow = getattr(module, f"{stage}_flow")
    if on_running is not None:

        def let_others_import(*_: object) -> None:  # Prefect's log names it
            on_running()

        flow = flow.with_options(on_running=[let_others_import])
    run_flow(flow)
