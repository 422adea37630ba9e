"""Figures of the one model that the nightly run publishes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from latentbeta.report.svg import LINE, SOFT, date_axis, label_ends, new_figure, thinned, to_svg

BAND, MIDDLE = "#c9d8e6", "#1f4e79"
ASSET_COLOURS = ("#c0392b", "#c9972b", "#3d8b6e")
FACTOR_COLOURS = ("#1f4e79", "#c0392b", "#c9972b", "#3d8b6e", "#5b3a86", "#52606d")
MOST_FOLDS_DRAWN = 12
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def factor_columns(n_factors: int) -> list[str]:
    """Return factor_1 … factor_K."""
    return [f"factor_{k}" for k in range(1, n_factors + 1)]


def chosen_assets(betas: pd.DataFrame, count: int = len(ASSET_COLOURS)) -> list[str]:
    """Pick assets present on most dates, from the lowest to the highest mean first beta."""
    by_asset = betas.groupby("asset")["factor_1"].agg(["size", "mean"])
    lasting = by_asset[by_asset["size"] >= by_asset["size"].quantile(0.75)]
    ordered = lasting.sort_values("mean", kind="stable").index
    places = np.unique(np.linspace(0, len(ordered) - 1, count).round().astype(int))
    return [str(ordered[place]) for place in places]


def betas_figure(betas: pd.DataFrame, n_factors: int) -> Markup:
    """Draw the spread of each factor's betas across assets through time, and a few assets."""
    columns = min(n_factors, 3)
    figure = new_figure(2.7 * -(-n_factors // columns) + 0.2)
    panels = figure.subplots(-(-n_factors // columns), columns, sharex=True, squeeze=False)
    assets = chosen_assets(betas)
    for axes, name in zip(panels.flat, factor_columns(n_factors), strict=False):
        _beta_panel(axes, betas, name, assets)
    for axes in panels.flat[n_factors:]:
        axes.set_visible(False)
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return to_svg(
        figure, name="betas", description="Betas through time: quantiles across assets, examples."
    )


def _beta_panel(axes: Axes, betas: pd.DataFrame, name: str, assets: list[str]) -> None:
    by_date = betas.groupby("date")[name]
    spread = thinned(pd.DataFrame({level: by_date.quantile(level) for level in QUANTILES}))
    axes.fill_between(
        spread.index,
        spread[0.05],
        spread[0.95],
        color=BAND,
        alpha=0.5,
        lw=0,
        label="5th to 95th percentile",
    )
    axes.fill_between(
        spread.index, spread[0.25], spread[0.75], color=BAND, lw=0, label="middle half"
    )
    axes.plot(spread.index, spread[0.5], color=MIDDLE, label="median")
    for asset, colour in zip(assets, ASSET_COLOURS, strict=False):
        rows = thinned(betas[betas["asset"] == asset])
        axes.plot(rows["date"], rows[name], color=colour, linewidth=0.9, label=asset)
    axes.set_title(name.replace("factor_", "Beta on factor "))
    axes.margins(x=0)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    date_axis(axes, betas["date"], most=4)


def factors_figure(factors: pd.DataFrame, n_factors: int) -> Markup:
    """Draw running sums of the factor returns."""
    figure = new_figure(3.1)
    axes = figure.subplots()
    ends = []
    for k, name in enumerate(factor_columns(n_factors)):
        total = thinned(100 * factors.set_index("date")[name].fillna(0.0).cumsum())
        colour = FACTOR_COLOURS[k % len(FACTOR_COLOURS)]
        axes.plot(total.index, total, color=colour)
        ends.append((float(total.iloc[-1]), f"Factor {k + 1}", colour))
    axes.axhline(0, color=LINE, zorder=0)
    axes.set_ylabel("sum of returns, %")
    axes.margins(x=0)
    date_axis(axes, factors["date"])
    label_ends(axes, ends)
    return to_svg(figure, name="factor-returns", description="Cumulative factor returns.")


def folds_figure(folds: pd.DataFrame) -> Markup:
    """Draw train, validation and test of every fold as bars on a line of time."""
    figure = new_figure(0.75 + 0.2 * len(folds))
    axes = figure.subplots()
    parts = (("train", BAND), ("validation", "#e3b75f"), ("test", "#c0392b"))
    for row, fold in enumerate(folds.to_dict("records")):
        for part, colour in parts:
            start, end = fold[f"{part}_start"], fold[f"{part}_end"]
            axes.barh(
                row,
                end - start,
                left=start,
                height=0.62,
                color=colour,
                linewidth=0,
                label=part if row == 0 else None,
            )
    axes.set_yticks(range(len(folds)), [f"Fold {fold}" for fold in folds["fold"]])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.01)
    date_axis(axes, pd.concat([folds["train_start"], folds["test_end"]]))
    figure.legend(loc="outside lower center", ncols=3)
    return to_svg(figure, name="folds", description="Train, validation and test dates by fold.")


def losses_figure(history: pd.DataFrame, selection: pd.DataFrame) -> Markup:
    """Draw validation and training loss by epoch, a panel a fold, a line a member."""
    folds = sorted(history["fold"].unique())[-MOST_FOLDS_DRAWN:]
    columns = min(len(folds), 4)
    rows = -(-len(folds) // columns)
    figure = new_figure(1.75 * rows + 0.5)
    panels = figure.subplots(rows, columns, squeeze=False)
    for axes, fold in zip(panels.flat, folds, strict=False):
        _loss_panel(axes, history[history["fold"] == fold], _rows_of_fold(selection, fold))
        axes.set_title(f"Fold {fold}")
        axes.set_xlim(0, history["epoch"].max() + 1)
    for axes in panels.flat[len(folds) :]:
        axes.set_visible(False)
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return to_svg(figure, name="losses", description="Loss curves with the chosen epochs.")


def _loss_panel(axes: Axes, history: pd.DataFrame, selection: pd.DataFrame) -> None:
    for place, (_, rows) in enumerate(history.groupby("member")):
        first: dict[str, Any] = {"label": None} if place else {}
        axes.plot(
            rows["epoch"],
            rows["training_loss"],
            color="#cbd2d9",
            linewidth=0.8,
            **({"label": "training"} | first),
        )
        axes.plot(
            rows["epoch"],
            rows["validation_loss"],
            color=MIDDLE,
            linewidth=0.9,
            alpha=0.7,
            **({"label": "validation"} | first),
        )
    if not selection.empty:
        axes.plot(
            selection["best_epoch"],
            selection["validation_loss"],
            "o",
            markersize=3.5,
            color="#c0392b",
            label="chosen epoch",
        )
    # The first epochs of training would flatten all the rest.
    axes.set_ylim(top=1.02 * history["validation_loss"].max())
    axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 2))
    axes.yaxis.get_offset_text().set(size=7, color=SOFT)


def _rows_of_fold(selection: pd.DataFrame, fold: Any) -> pd.DataFrame:
    return selection if selection.empty else selection[selection["fold"] == fold]
