"""Every figure of the page by its name; one whose input is absent is left out."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from latentbeta.config import Settings
from latentbeta.evaluation.ladder import ModelKey
from latentbeta.report.characteristic_figures import (
    beta_functions_figure,
    importance_figure,
    shares,
)
from latentbeta.report.comparisons import factor_counts, key_of
from latentbeta.report.inputs import ReportInputs
from latentbeta.report.model_figures import (
    by_factors_figure,
    cumulative_figure,
    measures_figure,
    tangency_figure,
)
from latentbeta.report.portfolio_figures import (
    attribution_figure,
    deciles_figure,
)
from latentbeta.report.pricing_figures import pricing_figure
from latentbeta.report.production_figures import (
    betas_figure,
    factors_figure,
    folds_figure,
    losses_figure,
)
from latentbeta.report.shown import compared_keys, leading_keys, production_key

Named = tuple[str, Markup]


def every_figure(inputs: ReportInputs, settings: Settings) -> dict[str, Markup]:
    """Draw what there are results for."""
    keys = compared_keys(inputs, settings)
    figures = dict(_model_figures(inputs, keys))
    figures |= _made(
        deciles=deciles_figure(inputs, leading_keys(inputs, settings, "long_short_sharpe")),
        tangency=tangency_figure(inputs.factors, keys),
        pricing=pricing_figure(inputs, keys),
    )
    if not (table := shares(inputs, keys)).empty:
        figures["importance"] = importance_figure(table)
    key = production_key(inputs, settings)
    return figures if key is None else figures | dict(_production_figures(inputs, key))


def _model_figures(inputs: ReportInputs, keys: list[ModelKey]) -> Iterator[Named]:
    yield "measures", measures_figure([r for r in inputs.metrics if key_of(r) in keys])
    if len([count for count in factor_counts(inputs.metrics) if count > 1]) > 1:
        yield "by_factors", by_factors_figure(inputs.metrics)
    if not inputs.portfolios.empty and inputs.portfolios["long_short"].notna().any():
        yield "cumulative", cumulative_figure(inputs.portfolios, keys)
    if not inputs.folds.empty:
        yield "folds", folds_figure(inputs.folds)


def _production_figures(inputs: ReportInputs, key: ModelKey) -> Iterator[Named]:
    betas, factors = inputs.betas(key), inputs.of_model("factors", key)
    history, attribution = inputs.of_model("history", key), inputs.of_model("attribution", key)
    functions = inputs.of_model("beta_functions", key)
    if not betas.empty:
        yield "betas", betas_figure(betas, key.n_factors)
    if not factors.empty:
        yield "factors", factors_figure(factors, key.n_factors)
    if not functions.empty:
        importance = inputs.of_model("importance", key)
        yield "beta_functions", beta_functions_figure(functions, importance, key.n_factors)
    if not attribution.empty:
        yield "attribution", attribution_figure(attribution, key.n_factors)
    if not history.empty:
        yield "losses", losses_figure(history, inputs.of_model("selection", key))


def _made(**figures: Markup | None) -> dict[str, Markup]:
    return {name: figure for name, figure in figures.items() if figure is not None}
