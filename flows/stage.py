"""A stage's module and its flow, by the stage's name."""

from __future__ import annotations

from importlib import import_module

from flows.api import run_flow


def run_stage(stage: str) -> None:
    """Run the flow ``<stage>_flow`` of the module ``flows.<stage>``."""
    run_flow(getattr(import_module(f"flows.{stage}"), f"{stage}_flow"))
