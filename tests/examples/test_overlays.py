from pathlib import Path

import pytest
from flows.overlay import merged_text, read_overlay
from ruamel.yaml import YAML

from latentbeta.config import check_settings
from latentbeta.models.ladder import ladder

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))


def test_there_is_an_example():
    assert EXAMPLES


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_changes_params_into_valid_settings(path):
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    changes = read_overlay(path)
    document = YAML(typ="safe").load(merged_text(text, changes))
    settings = check_settings(document, source=path.name)
    assert set(document) == set(YAML(typ="safe").load(text))
    chosen = {(model.name, model.n_factors) for model in ladder(settings.models, settings.seed)}
    assert (settings.nightly.model, settings.nightly.n_factors) in chosen  # `make nightly` works


def test_the_stocks_of_the_sp500_are_said_to_be_survivors():
    assert read_overlay(ROOT / "examples/sp500_daily.yaml")["data"]["universe"] == "survivors"
