"""The page: sections put together and written as one file that needs nothing else."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import matplotlib as mpl
from markupsafe import Markup

from latentbeta.config import Settings
from latentbeta.evaluation.ladder import ModelKey
from latentbeta.report import data_sections, model_sections, portfolio_sections, pricing_sections
from latentbeta.report.characteristic_figures import MOST_CHARACTERISTICS, shares
from latentbeta.report.comparisons import key_of
from latentbeta.report.contents import contents
from latentbeta.report.figures import every_figure
from latentbeta.report.inputs import ReportInputs, read_inputs
from latentbeta.report.shown import compared_keys, leading_keys, production_key
from latentbeta.report.svg import STYLE, standalone
from latentbeta.report.tables_by_factors import FOLDED, SHOWN, tables_by_factors
from latentbeta.report.verdict import verdict
from latentbeta.report.words import name_of, percent
from latentbeta.storage import folder_written_atomically, write_text

COMPARED = (
    ("total_r2", "Total R², points"),
    ("predictive_r2", "Predictive R², points"),
)
Facts = dict[str, Any]


def build_report(*, data: Path, output: Path, settings: Settings) -> Path:
    """Write the report of the results in a data folder.

    Parameters
    ----------
    data : Path
        Folder with what the stages left: results/, evaluation/, training/, and where there are
        such, prices/, panel/, validation/ and evaluation_null/. A section whose input is absent
        is left out.
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
        figures = every_figure(inputs, settings)
    with folder_written_atomically(output.parent / "figures") as folder:
        for name, figure in figures.items():
            write_text(standalone(figure), folder / f"{name}.svg")
    write_text(_render(inputs, settings, figures), output)
    return output


def _render(inputs: ReportInputs, settings: Settings, figures: dict[str, Markup]) -> str:
    templates = resources.files("latentbeta.report") / "templates"
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(lambda name: (templates / name).read_text(encoding="utf-8")),
    )
    style = Markup((templates / "report.css").read_text(encoding="utf-8"))
    page = environment.get_template("report.html.j2")
    facts = _facts(inputs, settings)
    sections = contents(facts, figures)
    return page.render(style=style, figures=figures, contents=sections, **facts) + "\n"


def _facts(inputs: ReportInputs, settings: Settings) -> Facts:
    keys = compared_keys(inputs, settings)
    shown = production_key(inputs, settings)
    leading = leading_keys(inputs, settings, "long_short_sharpe")
    return {
        "verdict": verdict(inputs, settings),
        "shown": f"{name_of(shown.model)}, K = {shown.n_factors}" if shown else "",
        "n_factors": shown.n_factors if shown else 0,
        "draws": settings.evaluation.bootstrap_draws,
        "block": f"{settings.evaluation.bootstrap_block:g}",
        "settings": data_sections.setting_rows(settings),
        "hashes": inputs.hashes,
        **_model_facts(inputs, keys),
        **_evidence_facts(inputs, keys, leading),
        **_data_facts(inputs),
    }


def _model_facts(inputs: ReportInputs, keys: list[ModelKey]) -> Facts:
    metrics, left_out = inputs.metrics, inputs.left_out
    every = [key_of(record) for record in metrics]
    return {
        "by_factors": tables_by_factors(metrics, left_out, SHOWN),
        "by_factors_folded": tables_by_factors(metrics, left_out, FOLDED),
        "columns": (columns := model_sections.shown_columns(metrics)),
        "measures": {column.measure for column in columns},
        "groups": model_sections.column_groups(metrics),
        "models": model_sections.model_rows(metrics),
        "left_out": model_sections.left_out_rows(left_out),
        "coverage_differs": len({record["n_observations"] for record in metrics}) > 1,
        "intervals": any("total_r2_low" in record for record in metrics),
        "matrices": [
            model_sections.difference_matrix(inputs, keys, measure, title)
            for measure, title in COMPARED
            if len(keys) > 1 and not inputs.differences.empty
        ],
        "truth": model_sections.truth_rows(inputs.truth, keys),
        "truth_folded": model_sections.truth_rows(
            inputs.truth, [k for k in every if k not in keys]
        ),
        "oracle": percent(inputs.truth.get("oracle_total_r2"), 2),
    }


def _evidence_facts(inputs: ReportInputs, keys: list[ModelKey], leading: list[ModelKey]) -> Facts:
    every = [key_of(record) for record in inputs.metrics]
    return {
        "leaders": portfolio_sections.leaders_phrase(leading, every),
        "deciles": portfolio_sections.decile_tables(inputs, leading),
        "deciles_folded": portfolio_sections.decile_tables(inputs, every),
        "luck": portfolio_sections.luck_sentence(inputs.metrics),
        "pricing": pricing_sections.pricing_table(inputs, keys),
        "premia": pricing_sections.premia_table(inputs, keys),
        "null": pricing_sections.null_facts(inputs.null),
        "most": MOST_CHARACTERISTICS,
        "n_characteristics": len(shares(inputs, keys)),
    }


def _data_facts(inputs: ReportInputs) -> Facts:
    return {
        "folds": data_sections.fold_rows(inputs.folds),
        "data": data_sections.data_facts(inputs),
        "notes": (inputs.prices_summary or {}).get("notes", []) + inputs.history_notes,
        "flags": data_sections.flag_rows(inputs.prices_summary),
        "coverage": data_sections.coverage_rows(inputs.panel_summary),
        "gate": inputs.validation,
        "gate_rules": data_sections.gate_rows(inputs.validation),
    }
