"""Figures as inline SVG: the same figure gives the same bytes, and nothing is fetched."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.dates import DateFormatter, DayLocator, MonthLocator, YearLocator
from matplotlib.figure import Figure
from numpy.typing import NDArray

Rows = TypeVar("Rows", pd.Series, pd.DataFrame)
INK, SOFT, LINE = "#1f2933", "#616e7c", "#d9e2ec"
WIDTH = 9.4  # inches: about 680 points, shown at the page's width
MOST_DATES = 400  # of a line or an area: about one a point of the page's width
STYLE = {
    "svg.fonttype": "none",  # text stays text: it can be read aloud, searched and copied
    "svg.hashsalt": "latentbeta",
    "font.family": "sans-serif",
    "font.size": 8.5,
    "text.parse_math": False,  # an asset may be called $A
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#eef2f6",
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "lines.linewidth": 1.5,
    "legend.frameon": False,
}
_NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


def new_figure(height: float) -> Figure:
    """Return an empty figure of the page's width; `height` in inches."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasSVG(figure)
    return figure


def to_svg(figure: Figure, *, name: str, description: str) -> Markup:
    """Return the figure as an SVG element.

    Parameters
    ----------
    name : str
        Makes the identifiers inside the element differ from those of other figures on the page.
    description : str
        Read aloud in place of the picture.
    """
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata=_NO_METADATA, transparent=True)
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{name}-", text)
    opening = re.match(r"<svg[^>]*>", text)
    view = re.search(r'viewBox="([^"]*)"', text)
    if opening is None or view is None:
        raise ValueError("matplotlib wrote an SVG without an opening element")
    label = Markup.escape(description)
    head = f'<svg role="img" aria-label="{label}" viewBox="{view.group(1)}">'
    return Markup(head + text[opening.end() :].rstrip())


def standalone(figure: Markup) -> str:
    """Return an inline figure as the text of an SVG file, which must name its vocabularies."""
    return str(figure).replace("<svg ", f"<svg {_NAMESPACES} ", 1) + "\n"


def thinned(rows: Rows) -> Rows:
    """Keep evenly spaced rows, the last among them: more would not be seen, only be stored."""
    step = max(1, -(-len(rows) // MOST_DATES))
    return rows.iloc[(len(rows) - 1) % step :: step]


def date_axis(axes: Axes, dates: pd.Series, *, most: int = 8) -> None:
    """Mark whole years, months or days along the bottom, evenly and at most about `most`."""
    days = (dates.max() - dates.min()).days
    if days > 3 * 365:
        axes.xaxis.set_major_locator(YearLocator(base=-(-days // (365 * most))))
        axes.xaxis.set_major_formatter(DateFormatter("%Y"))
    elif days > 60:
        axes.xaxis.set_major_locator(MonthLocator(interval=max(1, -(-days // (30 * most)))))
        axes.xaxis.set_major_formatter(DateFormatter("%Y-%m"))
    else:
        axes.xaxis.set_major_locator(DayLocator(interval=max(1, -(-days // most))))
        axes.xaxis.set_major_formatter(DateFormatter("%m-%d"))
    axes.grid(visible=False, axis="x")


def label_ends(axes: Axes, ends: Sequence[tuple[float, str, str]]) -> None:
    """Write each line's name at its right end, moved apart where they would overlap.

    Parameters
    ----------
    ends : sequence of (y, text, colour)
        Where each line ends, in data units.
    """
    if not ends:
        return
    low, high = axes.get_ylim()
    figure = axes.get_figure(root=True)
    height = figure.get_size_inches()[1] if figure else 1.0
    gap = 0.16 / (0.8 * height)  # the axes take about four fifths of the figure
    ordered = sorted(ends)
    wanted = np.array([(y - low) / (high - low) for y, *_ in ordered])
    for place, (_, text, colour) in zip(spread(wanted, gap), ordered, strict=True):
        axes.annotate(
            text,
            xy=(1.01, place),
            xycoords="axes fraction",
            color=colour,
            va="center",
            annotation_clip=False,
        )


def spread(places: NDArray[np.float64], gap: float) -> NDArray[np.float64]:
    """Move ascending places apart until neighbours are `gap` from each other, moving least.

    Parameters
    ----------
    places : (n,)
        Ascending, in [0, 1]; they stay there as long as there is room.

    Notes
    -----
    Pool adjacent violators on the places less their rank times the gap (isotonic regression).
    """
    steps = gap * np.arange(len(places))
    groups: list[list[float]] = []
    for value in places - steps:
        groups.append([value])
        while len(groups) > 1 and np.mean(groups[-2]) > np.mean(groups[-1]):
            groups[-2:] = [groups[-2] + groups[-1]]
    level = np.concatenate([np.full(len(group), np.mean(group)) for group in groups])
    return np.maximum(np.minimum(level + steps, 1 - steps[::-1]), steps)
