"""Which of many models a section shows."""

from __future__ import annotations

from latentbeta.config import Settings
from latentbeta.evaluation.ladder import ModelKey, rung
from latentbeta.report.comparisons import best, key_of
from latentbeta.report.inputs import ReportInputs
from latentbeta.report.words import CLASSES


def production_key(inputs: ReportInputs, settings: Settings) -> ModelKey | None:
    """Return the model whose betas are shown: the one published nightly, else the best."""
    wanted = ModelKey(settings.nightly.model, settings.nightly.n_factors)
    if inputs.record(wanted) is not None:
        return wanted
    record = best(inputs.metrics, "total_r2")
    return key_of(record) if record else None


def compared_keys(inputs: ReportInputs, settings: Settings) -> list[ModelKey]:
    """Return one key a model, at the number of factors that is shown where it has that one.

    A model that has other numbers of factors is shown at its largest.
    """
    shown = production_key(inputs, settings)
    by_model: dict[str, list[int]] = {}
    for record in inputs.metrics:
        by_model.setdefault(record["model"], []).append(record["n_factors"])
    wanted = shown.n_factors if shown else 0
    keys = [
        ModelKey(model, wanted if wanted in counts else max(counts))
        for model, counts in by_model.items()
    ]
    return sorted(keys, key=rung)


def leading_keys(inputs: ReportInputs, settings: Settings, measure: str) -> list[ModelKey]:
    """Return the production model and the best of each class of models on a measure."""
    found = {production_key(inputs, settings)}
    for models in CLASSES.values():
        record = best([r for r in inputs.metrics if r["model"] in models], measure)
        found.add(key_of(record) if record else None)
    return sorted((key for key in found if key is not None), key=rung)
