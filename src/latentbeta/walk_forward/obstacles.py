"""Models that cannot exist on a panel are left out before training, and said to be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from latentbeta.errors import ModelError
from latentbeta.models.protocol import FactorModel
from latentbeta.panel.panel import Panel
from latentbeta.progress import say


@dataclass(frozen=True)
class LeftOut:
    """A model that was asked for and is not trained, and why."""

    model: str
    n_factors: int
    reason: str


def without_obstacles(
    models: Iterable[FactorModel], panel: Panel
) -> tuple[list[FactorModel], list[LeftOut]]:
    """Return the models that can be estimated on the panel, and those that cannot.

    Parameters
    ----------
    panel : training and validation dates of the first fold

    Raises
    ------
    ModelError
        When no model is left.
    """
    kept: list[FactorModel] = []
    left_out: list[LeftOut] = []
    for model in models:
        reason = model.obstacle(panel)
        if reason is None:
            kept.append(model)
        else:
            left_out.append(LeftOut(model.name, model.n_factors, reason))
            say(f"{model.name} K={model.n_factors} is left out: {reason}")
    if not kept:
        reasons = "; ".join(f"{o.model} K={o.n_factors}: {o.reason}" for o in left_out)
        raise ModelError(f"models.names: no model can be estimated on this panel: {reasons}")
    return kept, left_out
