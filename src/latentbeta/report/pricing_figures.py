"""What the models leave unexplained of the managed portfolios' mean returns."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes

from latentbeta.evaluation.ladder import ModelKey
from latentbeta.report.inputs import ReportInputs
from latentbeta.report.pricing_sections import LARGE
from latentbeta.report.svg import INK, LINE, new_figure, to_svg
from latentbeta.report.words import name_of

SMALL_COLOUR, LARGE_COLOUR = "#9fb3c8", "#c0392b"


def pricing_figure(inputs: ReportInputs, keys: list[ModelKey]) -> Markup | None:
    """Draw each portfolio's pricing error against its mean return, a panel a model."""
    found = {key: inputs.of_model("pricing_errors", key) for key in keys}
    found = {key: rows for key, rows in found.items() if not rows.empty}
    if not found:
        return None
    columns = min(len(found), 4)
    lines = -(-len(found) // columns)
    figure = new_figure(2.15 * lines + 0.3)
    panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    for axes, (key, rows) in zip(panels.flat, found.items(), strict=False):
        _pricing_panel(axes, rows)
        axes.set_title(f"{name_of(key.model)}, K = {key.n_factors}")
    for axes in panels.flat[len(found) :]:
        axes.set_visible(False)
    figure.supxlabel("mean return, % a period", size=8.5)
    figure.supylabel("pricing error, % a period", size=8.5)
    return to_svg(
        figure,
        name="pricing",
        description="Pricing errors against mean returns of the managed portfolios.",
    )


def _pricing_panel(axes: Axes, rows: pd.DataFrame) -> None:
    large = rows["alpha_t"].abs() > LARGE
    for marked, colour in ((rows[~large], SMALL_COLOUR), (rows[large], LARGE_COLOUR)):
        axes.plot(
            100 * marked["mean_return"], 100 * marked["alpha"], "o", markersize=3.2, color=colour
        )
    reach = 100 * float(rows["mean_return"].abs().max())
    axes.plot([-reach, reach], [-reach, reach], color=LINE, linewidth=1, zorder=0)
    axes.axhline(0, color=INK, linewidth=0.6, zorder=0)
