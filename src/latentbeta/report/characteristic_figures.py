"""Figures of what characteristics do: how important they are, and how betas follow them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes

from latentbeta.evaluation.ladder import ModelKey
from latentbeta.report.inputs import ReportInputs
from latentbeta.report.production_figures import FACTOR_COLOURS, factor_columns
from latentbeta.report.svg import INK, LINE, new_figure, to_svg
from latentbeta.report.words import name_of

MOST_CHARACTERISTICS, MOST_FUNCTIONS = 30, 6
SHADES = "Blues"


def shares(inputs: ReportInputs, keys: list[ModelKey]) -> pd.DataFrame:
    """Return the share of importance of each characteristic (rows) in each model (columns).

    The most important on average over the models come first; empty where no model has any.
    """
    found = {}
    for key in keys:
        rows = inputs.of_model("importance", key)
        if not rows.empty and rows["share"].notna().any():
            found[name_of(key.model)] = rows.set_index("characteristic")["share"]
    if not found:
        return pd.DataFrame()
    table = pd.DataFrame(found)
    order = table.mean(axis=1).sort_values(ascending=False, kind="stable").index
    return table.loc[order]


def importance_figure(table: pd.DataFrame) -> Markup:
    """Draw the shares as a map of shades, a row a characteristic, a column a model."""
    shown = 100 * table.iloc[:MOST_CHARACTERISTICS]
    figure = new_figure(0.7 + 0.2 * len(shown))
    axes = figure.subplots()
    values = np.nan_to_num(shown.to_numpy(np.float64))
    top = max(float(values.max()), 1.0)
    axes.pcolormesh(values, cmap=SHADES, vmin=0, vmax=top, edgecolors="white", linewidth=1)
    for (row, column), value in np.ndenumerate(values):
        ink = "white" if value > 0.6 * top else INK
        axes.text(
            column + 0.5, row + 0.5, f"{value:.0f}", ha="center", va="center", color=ink, fontsize=7
        )
    axes.set_yticks(np.arange(len(shown)) + 0.5, list(shown.index))
    axes.set_xticks(np.arange(shown.shape[1]) + 0.5, list(shown.columns))
    axes.tick_params(labelcolor=INK)
    axes.xaxis.tick_top()
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    return to_svg(
        figure, name="importance", description="Importance of each characteristic in each model."
    )


def beta_functions_figure(
    functions: pd.DataFrame, importance: pd.DataFrame, n_factors: int
) -> Markup:
    """Draw how betas follow the most important characteristics, a panel each, a line a factor.

    Without importances the characteristics that move the betas most are drawn.
    """
    names = leading(functions, importance, n_factors)
    columns = min(len(names), 3)
    rows = -(-len(names) // columns)
    figure = new_figure(2.1 * rows + 0.4)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes, name in zip(panels.flat, names, strict=False):
        _function_panel(axes, functions[functions["characteristic"] == name], n_factors)
        axes.set_title(name)
    for axes in panels.flat[len(names) :]:
        axes.set_visible(False)
    figure.supxlabel("rank of the characteristic, from lowest (-1) to highest (1)", size=8.5)
    figure.supylabel("beta", size=8.5)
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=len(labels))
    return to_svg(
        figure, name="beta-functions", description="Betas as functions of characteristics."
    )


def leading(functions: pd.DataFrame, importance: pd.DataFrame, n_factors: int) -> list[str]:
    """Return the characteristics to draw: those without which R² falls most."""
    by_name = functions.groupby("characteristic", sort=False)[factor_columns(n_factors)]
    weight = (by_name.max() - by_name.min()).max(axis=1)
    if not importance.empty:
        weight = importance.set_index("characteristic")["fall"].reindex(weight.index).fillna(0.0)
    ordered = weight.sort_values(ascending=False, kind="stable").index
    return [str(name) for name in ordered[:MOST_FUNCTIONS]]


def _function_panel(axes: Axes, rows: pd.DataFrame, n_factors: int) -> None:
    for k, name in enumerate(factor_columns(n_factors)):
        colour = FACTOR_COLOURS[k % len(FACTOR_COLOURS)]
        axes.plot(rows["value"], rows[name], color=colour, label=f"factor {k + 1}")
    axes.axhline(0, color=LINE, zorder=0)
    axes.set_xlim(-1, 1)
