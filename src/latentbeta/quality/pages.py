"""The gate's HTML pages, made to be read without a network."""

from __future__ import annotations

import re
import shutil
from collections.abc import Hashable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from latentbeta.quality.advice import ADVICE
from latentbeta.quality.rows import Failure
from latentbeta.quality.rules import Outcome
from latentbeta.quality.suite import Suite
from latentbeta.storage import write_text

ROWS_SHOWN = 5

_REMOTE = re.compile(
    r'<link\b[^>]*>|<script\b[^>]*>.*?</script>|<img\b[^>]*src="https?:[^>]*>', re.DOTALL
)
# The clock and a random name: without them the same findings are the same page.
_LOAD_TIME = re.compile(r"\d{8}T\d{6}\.\d{6}Z(?=</)")
_RANDOM_NAME = re.compile(r"(?<=-collapse-body)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAMELESS = re.compile(r"\s*Data asset: None<br>")  # the tables are no data assets of its own
LEAST_SHARE = 0.0001  # that is told in figures
_FILTER = """<script>
function showBroken(only) {
  document.querySelectorAll(".hide-succeeded-validation-target-child").forEach(
    (cell) => { cell.parentElement.hidden = only; });
  document.querySelectorAll(".hide-succeeded-validations-column-section-target-child").forEach(
    (part) => { part.closest(".ge-section").hidden = only; });
}
function showAllValidations() { showBroken(false); }
function hideSucceededValidations() { showBroken(true); }
document.addEventListener("DOMContentLoaded", () => {
  if (location.hash !== "#failed") return;
  document.getElementById("option2").checked = true;
  showBroken(true);
});
</script>"""


def finish_pages(
    docs: Path, outcomes: Sequence[Outcome], failures: Sequence[Failure], suite: Suite
) -> None:
    """Make the pages that Great Expectations built readable, and put a landing page on top.

    Its pages load style, icons and scripts from the web, and its index is drawn by such a
    script: without a network it is empty. Here each page gets one small style of its own, and
    the index becomes a page that leads with the verdict and the rules that failed.

    Parameters
    ----------
    docs : Path
        Folder of the pages.
    outcomes : sequence of Outcome
        Of every rule.
    failures : sequence of Failure
        Of the rules that do not hold.
    suite : Suite
        What was checked.
    """
    shutil.rmtree(docs / "static")
    style = _text_of("pages.css")
    for page in sorted(docs.rglob("*.html")):
        write_text(_readable(page.read_text(encoding="utf-8"), style), page)
    pages = {
        page.relative_to(docs).parts[1]: page.relative_to(docs).as_posix()
        for page in sorted(docs.glob("validations/**/*.html"))
    }
    landing = jinja2.Environment(
        autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined
    ).from_string(_text_of("landing.html.j2"))
    write_text(
        landing.render(
            style=style,
            data_date=suite.data_date,
            about=suite.about,
            quarantined=suite.quarantined,
            newest=_shown(suite.quarantined.iloc[::-1]),
            outcomes=outcomes,
            blocking=[failure for failure in failures if failure.outcome.blocks],
            warnings=[failure for failure in failures if failure.outcome.warns],
            pages=pages,
            advice=ADVICE,
            found=found,
            shown=_shown,
        ),
        docs / "index.html",
    )


def found(outcome: Outcome) -> str:
    """Return what a rule found, in words."""
    if not outcome.evaluated:
        return f"it could not be evaluated ({outcome.observed})"
    if not outcome.n_checked:
        return outcome.observed
    share = f"{outcome.share:.2%}" if outcome.share >= LEAST_SHARE else f"below {LEAST_SHARE:.2%}"
    return f"{outcome.n_unexpected:,} of {outcome.n_checked:,} rows break it ({share})"


def _readable(page: str, style: str) -> str:
    """Return a page without what it loads from the web or says about the clock."""
    local = _NAMELESS.sub("", _REMOTE.sub("", page))
    stable = _RANDOM_NAME.sub("", _LOAD_TIME.sub("left out", local))
    return stable.replace("</head>", f"<style>{style}</style>{_FILTER}</head>", 1)


def _shown(rows: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """Return the first rows as the landing page prints them."""
    shown = rows.head(ROWS_SHOWN).copy()
    shown["date"] = shown["date"].dt.strftime("%Y-%m-%d")
    return shown.fillna("").to_dict("records")


def _text_of(name: str) -> str:
    return files("latentbeta.quality").joinpath(name).read_text(encoding="utf-8")
