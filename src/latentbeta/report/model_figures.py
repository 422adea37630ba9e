"""Figures that set models side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes

from latentbeta.evaluation.ladder import ModelKey
from latentbeta.report.svg import INK, LINE, date_axis, label_ends, new_figure, thinned, to_svg
from latentbeta.report.words import colour_of, is_known, name_of

PANELS = (("total_r2", "Total R², %"), ("predictive_r2", "Predictive R², %"))


def measures_figure(metrics: list[dict[str, Any]]) -> Markup:
    """Draw dots with two standard errors to each side, one row a model, a panel a measure."""
    figure = new_figure(0.75 + 0.27 * len(metrics))
    labels = [f"{name_of(r['model'])}, K = {r['n_factors']}" for r in metrics]
    for axes, (measure, title) in zip(figure.subplots(1, 2, sharey=True), PANELS, strict=True):
        for row, record in enumerate(metrics):
            _dot(axes, record, measure, row)
        axes.axvline(0, color=LINE, zorder=0)
        axes.set_title(title)
        axes.grid(visible=False, axis="y")
        axes.set_yticks(range(len(labels)), labels)
        axes.tick_params(axis="y", labelcolor=INK)
        axes.set_ylim(len(labels) - 0.4, -0.6)
    return to_svg(
        figure,
        name="measures",
        description="Total and predictive R² of every model with two standard errors.",
    )


def _dot(axes: Axes, record: dict[str, Any], measure: str, row: int) -> None:
    value, error = record.get(measure), record.get(f"{measure}_se")
    if value is None:
        return
    colour = colour_of(record["model"])
    if is_known(error):
        low, high = (100 * (value + side * 2 * float(error or 0)) for side in (-1, 1))
        axes.plot([low, high], [row, row], color=colour, alpha=0.45, solid_capstyle="round")
    axes.plot([100 * value], [row], "o", color=colour, markersize=5)


def by_factors_figure(metrics: list[dict[str, Any]]) -> Markup:
    """Draw total and predictive R² against the number of factors, one line a model."""
    figure = new_figure(3.3)
    table = pd.DataFrame(metrics)
    for axes, (measure, title) in zip(figure.subplots(1, 2), PANELS, strict=True):
        ends = []
        for model, rows in table.groupby("model", sort=False):
            values = 100 * pd.to_numeric(rows[measure]).to_numpy(np.float64)
            colour, name = colour_of(str(model)), name_of(str(model))
            axes.plot(rows["n_factors"], values, "o-", markersize=3.5, color=colour)
            if np.isfinite(values[-1]) and len(values) > 1:
                ends.append((float(values[-1]), name, colour))
        axes.set_title(title)
        axes.set_xlabel("number of factors")
        axes.set_xticks(sorted(table["n_factors"].unique()))
        axes.grid(visible=False, axis="x")
        label_ends(axes, ends)
    return to_svg(
        figure, name="factors", description="Total and predictive R² by number of factors."
    )


def cumulative_figure(portfolios: pd.DataFrame, keys: list[ModelKey]) -> Markup:
    """Draw running sums of the long-short returns, one line a model."""
    figure = new_figure(3.6)
    _running_sums(figure.subplots(), portfolios, "long_short", keys)
    return to_svg(
        figure,
        name="cumulative",
        description="Cumulative long-short returns of the models, equal-weighted.",
    )


def tangency_figure(factors: pd.DataFrame, keys: list[ModelKey]) -> Markup | None:
    """Draw running sums of the tangency portfolios' returns, one line a model."""
    if "tangency" not in factors or not factors["tangency"].notna().any():
        return None
    figure = new_figure(3.3)
    _running_sums(figure.subplots(), factors, "tangency", keys)
    return to_svg(
        figure, name="tangency", description="Cumulative returns of the tangency portfolios."
    )


def _running_sums(axes: Axes, table: pd.DataFrame, column: str, keys: list[ModelKey]) -> None:
    ends = []
    for key in keys:
        rows = table[(table["model"] == key.model) & (table["n_factors"] == key.n_factors)]
        if rows[column].notna().any():
            total = thinned(100 * rows.set_index("date")[column].fillna(0.0).cumsum())
            colour = colour_of(key.model)
            axes.plot(total.index, total, color=colour)
            ends.append((float(total.iloc[-1]), name_of(key.model), colour))
    axes.axhline(0, color=LINE, zorder=0)
    axes.set_ylabel("sum of returns, %")
    axes.margins(x=0)
    date_axis(axes, table["date"])
    label_ends(axes, ends)
