import datetime as dt
import re
import shutil
from html.parser import HTMLParser
from xml.etree import ElementTree

import pandas as pd
import pytest

from latentbeta.data.snapshots import SnapshotStore
from latentbeta.data.snapshots.rows import VALUES
from latentbeta.errors import DataError
from latentbeta.report import build_report
from latentbeta.report.tables_by_factors import FOLDED, SHOWN
from latentbeta.storage import read_json, write_json

VOID = {"meta", "br", "hr", "img", "link", "input", "path", "use"}


class Outline(HTMLParser):
    """Collects sections, identifiers and text, and checks that what opens is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.sections, self.ids, self.text, self.attributes = [], [], [], [], []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.attributes += attributes
        if tag not in VOID:
            self.open.append(tag)
        if tag == "section":
            self.sections.append(found["id"])
        if "id" in found:
            self.ids.append(found["id"])

    def handle_startendtag(self, tag, attributes):
        self.attributes += attributes
        self.ids += [value for name, value in attributes if name == "id"]

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text.append(data)


def outline(page):
    parser = Outline()
    parser.feed(page.read_text(encoding="utf-8"))
    assert parser.open == []
    return parser


def text_of(page):
    return re.sub(r"\s+", " ", " ".join(outline(page).text))


@pytest.fixture(scope="module")
def page(evaluated, settings, tmp_path_factory):
    output = tmp_path_factory.mktemp("report") / "report.html"
    return build_report(data=evaluated, output=output, settings=settings)


def test_the_verdict_comes_first(page):
    text = page.read_text(encoding="utf-8")
    headline = "CA1 (K = 2) explains most; no predictive R² is clearly above zero."
    assert text.index(f"<h1>{headline}</h1>") < text.index("<table")
    assert f"<title>latentbeta: {headline}</title>" in text


SECTIONS = [
    "models",
    "differences",
    "truth",
    "portfolios",
    "tangency",
    "pricing",
    "characteristics",
    "betas",
    "attribution",
    "null",
    "folds",
    "losses",
    "data",
    "made",
]


def test_every_section_in_order(page):
    found = outline(page)
    assert found.sections == SECTIONS
    links = [value for name, value in found.attributes if name == "href"]
    gate = "../validation/docs/index.html"  # beside the report, in the project and in the run
    assert links == [*(f"#{name}" for name in SECTIONS), gate]


def test_nothing_is_fetched(page):
    text = page.read_text(encoding="utf-8")
    assert "http" not in text
    assert "<script" not in text
    assert "@import" not in text
    links = [value for name, value in outline(page).attributes if name in ("src", "xlink:href")]
    assert links
    assert all(value.startswith("#") for value in links)


def test_identifiers_are_unique_and_references_lead_to_them(page):
    found = outline(page)
    assert len(found.ids) == len(set(found.ids))
    text = page.read_text(encoding="utf-8")
    references = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', text))
    assert {one or other for one, other in references} <= set(found.ids)


def test_two_builds_give_the_same_bytes(page, evaluated, settings, tmp_path):
    again = build_report(data=evaluated, output=tmp_path / "again.html", settings=settings)
    assert again.read_bytes() == page.read_bytes()
    for file in (page.parent / "figures").iterdir():
        assert (again.parent / "figures" / file.name).read_bytes() == file.read_bytes()


def test_figures_are_kept_as_files_beside_the_page(page):
    files = sorted((page.parent / "figures").iterdir())
    assert len(files) == page.read_text(encoding="utf-8").count('<svg role="img"')
    assert {"measures.svg", "folds.svg", "cumulative.svg"} <= {file.name for file in files}
    for file in files:
        root = ElementTree.fromstring(file.read_text(encoding="utf-8"))
        assert root.tag == "{http://www.w3.org/2000/svg}svg"


def test_what_flatters_the_results_is_said_before_them(page):
    text = text_of(page)
    for label in ("Simulated market", "Survivors only", "Raw returns"):
        assert text.index(label) < text.index("months of test data")


def test_measures_are_those_of_the_file(page, evaluated):
    text = text_of(page)
    for record in read_json(evaluated / "results/metrics.json"):
        value = f"{100 * record['total_r2']:.2f}"
        assert f"{value} ± {100 * record['total_r2_se']:.2f}" in text


def test_facts_of_the_data(page):
    text = text_of(page)
    assert "123,456 rows of 40 assets, 2003-01-02 to 2018-12-31" in text
    assert "3 rules, 2 broken" in text
    assert "1,234 rows (1.00 %)" in text
    assert "left out: no shares outstanding" in text
    assert "zero volume 187" in text
    assert "1,520 daily returns are in quarantine" in text
    assert "stale price" not in text


@pytest.mark.parametrize(
    "absent",
    [
        {
            "results/folds.parquet": "folds",
            "evaluation/truth.json": "truth",
            "evaluation/differences.parquet": "differences",
            "evaluation/attribution.parquet": "attribution",
            "evaluation_null/null.json": "null",
        },
        {
            "training": "losses",
            "results/factors.parquet": "tangency",
            "results/betas.parquet": "betas",
            "evaluation/importance.parquet": "characteristics",
            "evaluation/portfolios.parquet": "portfolios",
            "evaluation/deciles.parquet": "portfolios",
            "evaluation/premia.parquet": "pricing",
            "evaluation/pricing_errors.parquet": "pricing",
        },
    ],
)
def test_a_section_without_input_is_left_out(data, settings, tmp_path, absent):
    for name in absent:
        path = data / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    page = build_report(data=data, output=tmp_path / "report.html", settings=settings)
    left = [name for name in SECTIONS if name not in absent.values()]
    assert outline(page).sections == left


def test_the_measures_alone_make_a_page(data, settings, tmp_path):
    for path in list(data.rglob("*")):
        if path.is_file() and path.name != "metrics.json":
            path.unlink()
    page = build_report(data=data, output=tmp_path / "report.html", settings=settings)
    assert outline(page).sections == ["models", "made"]


def test_without_measures_there_is_nothing_to_report(tmp_path, settings):
    with pytest.raises(DataError, match="run the stage evaluate first"):
        build_report(data=tmp_path, output=tmp_path / "report.html", settings=settings)


def test_nulls_are_dashes(data, settings, tmp_path):
    file = data / "results/metrics.json"
    metrics = read_json(file)
    silent = metrics[-1]
    for name in silent:
        if name not in ("model", "n_factors", "first_test_date", "last_test_date"):
            silent[name] = None
    write_json(metrics, file)
    page = build_report(data=data, output=tmp_path / "report.html", settings=settings)
    assert "IPCA (K = 2) explains most" in text_of(page)
    assert not re.search(r"\bnan\b", text_of(page).lower())


def test_history_that_was_restated_is_noted(data, settings, tmp_path):
    store = SnapshotStore(data / "snapshots", "data/simulated")
    rows = pd.DataFrame({"date": pd.date_range("2024-01-01", periods=4), "asset": "A"})
    rows = rows.assign(**dict.fromkeys(VALUES, 1.0))
    for split in (1.0, 2.0):
        rows.loc[0, "split"] = split
        store.commit(rows, fetched_at=dt.datetime(2024, 6, 3, tzinfo=dt.UTC))
    page = build_report(data=data, output=tmp_path / "report.html", settings=settings)
    said = "restated its history once since it was first read, last in snapshot 2: 1 row changed"
    assert said in text_of(page)


@pytest.fixture(scope="module")
def ladder_page(ladder, settings, tmp_path_factory):
    output = tmp_path_factory.mktemp("ladder_report") / "report.html"
    return build_report(data=ladder, output=output, settings=settings)


def test_sixty_models_stay_readable(ladder_page):
    assert ladder_page.stat().st_size < 3_000_000
    text = text_of(ladder_page)
    for caption in (*SHOWN.values(), *FOLDED.values()):
        assert caption in text
    assert "All 62 models with every measure" in text
    assert "by number of factors" in ladder_page.read_text(encoding="utf-8")


def test_models_that_could_not_be_made_are_named_with_the_reason(ladder_page):
    text = text_of(ladder_page)
    assert "RP-PCA, K = 1 to 3 and 5 not on this panel: 6 assets are too few" in text
    titles = [value for name, value in outline(ladder_page).attributes if name == "title"]
    # Four numbers of factors in each table.
    tables = len(SHOWN) + len(FOLDED)
    assert titles.count("6 assets are too few for 8 factors") == 4 * tables


def test_long_lists_are_folded(ladder_page):
    text = ladder_page.read_text(encoding="utf-8")
    assert text.count("<details>") == 4
    shown = re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)
    lines = text.count("<tr") - shown.count("<tr")
    assert lines > 3 * 62  # every measure, and the deciles in two weightings


def test_the_headings_say_which_number_of_factors_is_compared(ladder_page):
    assert "above the model of the column, at K = 2 where both have it" in text_of(ladder_page)


def test_text_from_outside_cannot_become_markup(data, settings, tmp_path):
    file = data / "prices/summary.json"
    write_json(read_json(file) | {"source": "<script>alert(1)</script>"}, file)
    file = data / "results/betas.parquet"
    betas = pd.read_parquet(file)
    betas.assign(asset="<b>$" + betas["asset"] + "$").to_parquet(file, index=False)
    page = build_report(data=data, output=tmp_path / "report.html", settings=settings)
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<b>" not in text
    assert "&lt;b&gt;$A" in text


def test_how_the_work_was_spread_is_not_in_the_page(page, evaluated, settings, tmp_path):
    spread = settings.model_copy(
        update={"execution": settings.execution.model_copy(update={"workers": 7})}
    )
    other = build_report(data=evaluated, output=tmp_path / "report.html", settings=spread)
    assert other.read_bytes() == page.read_bytes()
