"""The page: sections put together and written as one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import matplotlib as mpl
from markupsafe import Markup

from latentbeta.config import Settings
from latentbeta.evaluation.ladder import ModelKey, rung
from latentbeta.report import sections
from latentbeta.report.inputs import ReportInputs, read_inputs
from latentbeta.report.model_figures import by_factors_figure, cumulative_figure, measures_figure
from latentbeta.report.production_figures import (
    betas_figure,
    factors_figure,
    folds_figure,
    losses_figure,
)
from latentbeta.report.svg import STYLE, standalone
from latentbeta.report.verdict import best, key_of, verdict
from latentbeta.report.words import name_of, percent
from latentbeta.storage import folder_written_atomically, write_text

COMPARED = (
    ("total_r2", "Total R², points"),
    ("predictive_r2", "Predictive R², points"),
)


def build_report(*, data: Path, output: Path, settings: Settings) -> Path:
    """Write the report of the results in a data folder.

    Parameters
    ----------
    data : Path
        Folder with what the stages left: results/, evaluation/, training/, and where there are
        such, prices/, panel/ and validation/. A section whose input is absent is left out.
    output : Path
        The HTML file; its figures are kept beside it too, as figures/*.svg.
    settings : Settings

    Returns
    -------
    Path
        The file. The same inputs and settings give the same bytes.

    Raises
    ------
    DataError
        When the stage evaluate has left no measures.
    """
    inputs = read_inputs(data)
    with mpl.rc_context(STYLE):
        figures = dict(_figures(inputs, settings))
    with folder_written_atomically(output.parent / "figures") as folder:
        for name, figure in figures.items():
            write_text(standalone(figure), folder / f"{name}.svg")
    write_text(_render(inputs, settings, figures), output)
    return output


def _render(inputs: ReportInputs, settings: Settings, figures: dict[str, Markup]) -> str:
    package = resources.files("latentbeta.report")
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(lambda name: (package / name).read_text(encoding="utf-8")),
    )
    style = Markup((package / "report.css").read_text(encoding="utf-8"))
    page = environment.get_template("report.html.j2")
    return page.render(style=style, figures=figures, **_facts(inputs, settings)) + "\n"


def _facts(inputs: ReportInputs, settings: Settings) -> dict[str, Any]:
    keys = compared_keys(inputs, settings)
    shown = production_key(inputs, settings)
    return {
        "verdict": verdict(inputs, settings),
        "columns": sections.shown_columns(inputs.metrics),
        "groups": sections.column_groups(inputs.metrics),
        "models": sections.model_rows(inputs.metrics),
        "coverage_differs": len({r["n_observations"] for r in inputs.metrics}) > 1,
        "matrices": [
            sections.difference_matrix(inputs, keys, measure, title)
            for measure, title in COMPARED
            if len(keys) > 1 and not inputs.differences.empty
        ],
        "n_factors": max((key.n_factors for key in keys), default=0),
        "truth": sections.truth_rows(inputs.truth),
        "oracle": percent(inputs.truth.get("oracle_total_r2"), 2),
        "shown": f"{name_of(shown.model)}, K = {shown.n_factors}" if shown else "",
        "folds": sections.fold_rows(inputs.folds),
        "data": sections.data_facts(inputs),
        "notes": (inputs.prices_summary or {}).get("notes", []),
        "flags": sections.flag_rows(inputs.prices_summary),
        "coverage": sections.coverage_rows(inputs.panel_summary),
        "gate": inputs.validation,
        "gate_rules": sections.gate_rows(inputs.validation),
        "settings": sections.setting_rows(settings),
        "hashes": inputs.hashes,
        "draws": settings.evaluation.bootstrap_draws,
        "block": f"{settings.evaluation.bootstrap_block:g}",
    }


def _figures(inputs: ReportInputs, settings: Settings) -> Iterator[tuple[str, Markup]]:
    keys = compared_keys(inputs, settings)
    yield "measures", measures_figure([r for r in inputs.metrics if key_of(r) in keys])
    if len({record["n_factors"] for record in inputs.metrics if record["n_factors"] > 1}) > 1:
        yield "by_factors", by_factors_figure(inputs.metrics)
    if not inputs.portfolios.empty and inputs.portfolios["long_short"].notna().any():
        yield "cumulative", cumulative_figure(inputs.portfolios, keys)
    if not inputs.folds.empty:
        yield "folds", folds_figure(inputs.folds)
    key = production_key(inputs, settings)
    if key is not None:
        yield from _production_figures(inputs, key)


def _production_figures(inputs: ReportInputs, key: ModelKey) -> Iterator[tuple[str, Markup]]:
    betas, factors = inputs.of_model("betas", key), inputs.of_model("factors", key)
    history = inputs.of_model("history", key)
    if not betas.empty:
        yield "betas", betas_figure(betas, key.n_factors)
    if not factors.empty:
        yield "factors", factors_figure(factors, key.n_factors)
    if not history.empty:
        yield "losses", losses_figure(history, inputs.of_model("selection", key))


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
