"""Figures of portfolios: by decile of the forecast, of the factors, and what moved them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes

from latentbeta.evaluation.ladder import ModelKey
from latentbeta.report.inputs import ReportInputs
from latentbeta.report.portfolio_sections import LONG_SHORT, WEIGHTINGS, decile_rows
from latentbeta.report.production_figures import FACTOR_COLOURS, factor_columns
from latentbeta.report.svg import INK, LINE, date_axis, label_ends, new_figure, thinned, to_svg
from latentbeta.report.words import colour_of, name_of

SPECIFIC_COLOUR = "#cbd2d9"
TITLES = {LONG_SHORT: "Long-short portfolio", "market": "Market"}


def deciles_figure(inputs: ReportInputs, keys: list[ModelKey]) -> Markup | None:
    """Draw the mean return of each portfolio of the sort, a panel a weighting, a line a model."""
    panels = {
        weighting: [
            (key, rows["mean"].drop(index=LONG_SHORT, errors="ignore"))
            for key in keys
            if (rows := decile_rows(inputs, key, weighting))["mean"].notna().any()
        ]
        for weighting in WEIGHTINGS
    }
    panels = {weighting: lines for weighting, lines in panels.items() if lines}
    if not panels:
        return None
    figure = new_figure(3.1)
    drawn = figure.subplots(1, len(panels), sharey=True, squeeze=False)
    for axes, (weighting, lines) in zip(drawn.flat, panels.items(), strict=True):
        ends = [_decile_line(axes, key, means) for key, means in lines]
        axes.set_title(WEIGHTINGS[weighting])
        axes.set_xlabel("portfolio, by forecast")
        axes.axhline(0, color=LINE, zorder=0)
        axes.grid(visible=False, axis="x")
        label_ends(axes, ends)
    drawn.flat[0].set_ylabel("mean return, % a year")
    return to_svg(
        figure, name="deciles", description="Mean return of portfolios sorted on the forecast."
    )


def _decile_line(axes: Axes, key: ModelKey, means: pd.Series) -> tuple[float, str, str]:
    colour, places = colour_of(key.model), np.arange(1, len(means) + 1)
    values = 100 * means.to_numpy(np.float64)
    axes.plot(places, values, "o-", markersize=3.5, color=colour)
    axes.set_xticks(places)
    return float(values[-1]), f"{name_of(key.model)}, K = {key.n_factors}", colour


def attribution_figure(attribution: pd.DataFrame, n_factors: int) -> Markup:
    """Draw what each factor and the rest added to a portfolio's running sum of returns."""
    portfolios = [name for name in TITLES if (attribution["portfolio"] == name).any()]
    figure = new_figure(3.3)
    panels = figure.subplots(1, len(portfolios), squeeze=False)
    for axes, name in zip(panels.flat, portfolios, strict=True):
        _attribution_panel(axes, attribution[attribution["portfolio"] == name], n_factors)
        axes.set_title(TITLES[name])
    panels.flat[0].set_ylabel("sum of returns, %")
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 8))
    return to_svg(
        figure, name="attribution", description="Returns split into the parts of each factor."
    )


def _attribution_panel(axes: Axes, rows: pd.DataFrame, n_factors: int) -> None:
    parts = [*factor_columns(n_factors), "specific"]
    sums = thinned(100 * rows.set_index("date")[[*parts, "total"]].fillna(0.0).cumsum())
    above, below = np.zeros(len(sums)), np.zeros(len(sums))
    for k, name in enumerate(parts):
        colour = FACTOR_COLOURS[k % len(FACTOR_COLOURS)] if k < n_factors else SPECIFIC_COLOUR
        label = f"factor {k + 1}" if k < n_factors else "specific"
        # Gains are piled up above zero and losses below it: together they make the total.
        gain, loss = sums[name].clip(lower=0).to_numpy(), sums[name].clip(upper=0).to_numpy()
        axes.fill_between(
            sums.index, above, above + gain, color=colour, alpha=0.75, lw=0, label=label
        )
        axes.fill_between(sums.index, below, below + loss, color=colour, alpha=0.75, lw=0)
        above, below = above + gain, below + loss
    axes.plot(sums.index, sums["total"], color=INK, label="total")
    axes.margins(x=0)
    date_axis(axes, rows["date"], most=5)
