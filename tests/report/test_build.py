import re
import shutil
from html.parser import HTMLParser
from xml.etree import ElementTree

import pandas as pd
import pytest
from tests.synthetic_results import monthly_settings

from latentbeta.errors import DataError
from latentbeta.report import build_report
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
    headline = "CA1 (K = 2) explains most and predicts best."
    assert text.index(f"<h1>{headline}</h1>") < text.index("<table")
    assert f"<title>latentbeta: {headline}</title>" in text


def test_every_section_in_order(page):
    assert outline(page).sections == [
        "models",
        "differences",
        "truth",
        "portfolios",
        "betas",
        "folds",
        "losses",
        "data",
        "made",
    ]


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


def test_figures_are_kept_as_files_beside_the_page(page, evaluated, settings, tmp_path):
    files = sorted((page.parent / "figures").iterdir())
    assert len(files) == page.read_text(encoding="utf-8").count('<svg role="img"')
    assert {"measures.svg", "folds.svg", "cumulative.svg"} <= {file.name for file in files}
    for file in files:
        root = ElementTree.fromstring(file.read_text(encoding="utf-8"))
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
    again = build_report(data=evaluated, output=tmp_path / "report.html", settings=settings)
    for file in files:
        assert (again.parent / "figures" / file.name).read_bytes() == file.read_bytes()


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
    assert "stale price" not in text


@pytest.mark.parametrize(
    ("absent", "section"),
    [
        ("results/folds.parquet", "folds"),
        ("training", "losses"),
        ("evaluation/truth.json", "truth"),
        ("evaluation/differences.parquet", "differences"),
        ("evaluation/portfolios.parquet", "portfolios"),
    ],
)
def test_a_section_without_input_is_left_out(data, settings, tmp_path, absent, section):
    path = data / absent
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    page = build_report(data=data, output=tmp_path / "report.html", settings=settings)
    assert section not in outline(page).sections
    assert "models" in outline(page).sections


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


def test_several_numbers_of_factors_get_a_figure(data, settings, tmp_path):
    file = data / "results/metrics.json"
    metrics = read_json(file)
    more = [record | {"n_factors": 3} for record in metrics]
    write_json(metrics + more, file)
    page = build_report(data=data, output=tmp_path / "report.html", settings=settings)
    assert "by number of factors" in page.read_text(encoding="utf-8")


def test_an_unpublished_production_model_gives_way_to_the_best(evaluated, tmp_path):
    page = build_report(
        data=evaluated,
        output=tmp_path / "report.html",
        settings=monthly_settings(model="ca3"),
    )
    assert "Betas and factors of CA1, K = 2" in text_of(page)


def test_text_from_outside_cannot_become_markup(data, settings, tmp_path):
    file = data / "prices/summary.json"
    write_json(read_json(file) | {"source": "<script>alert(1)</script>"}, file)
    page = build_report(data=data, output=tmp_path / "report.html", settings=settings)
    assert "<script" not in page.read_text(encoding="utf-8")


def test_asset_names_cannot_become_markup(data, settings, tmp_path):
    file = data / "results/betas.parquet"
    betas = pd.read_parquet(file)
    betas.assign(asset="<b>$" + betas["asset"] + "$").to_parquet(file, index=False)
    page = build_report(data=data, output=tmp_path / "report.html", settings=settings)
    text = page.read_text(encoding="utf-8")
    assert "<b>" not in text
    assert "&lt;b&gt;$A" in text
