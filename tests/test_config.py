import copy
import traceback
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from latentbeta.config import check_settings, read_settings
from latentbeta.errors import SettingsError

PROJECT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def _document():
    return YAML(typ="safe").load((PROJECT / "params.yaml").read_text())


@pytest.fixture
def document(_document):
    return copy.deepcopy(_document)


def set_key(document, key, value):
    *path, last = key.split(".")
    for part in path:
        document = document[part]
    document[last] = value


def message(document):
    with pytest.raises(SettingsError) as raised:
        check_settings(document, source="params.yaml")
    return str(raised.value)


def test_the_projects_own_settings_are_right():
    settings = read_settings(PROJECT / "params.yaml")
    assert (
        settings.periods_per_year
        == {"daily": 252, "weekly": 52, "monthly": 12}[settings.rebalancing]
    )
    with pytest.raises(ValueError, match="frozen"):
        settings.seed = 1


def test_an_address_in_the_place_of_a_variables_name_is_not_repeated(document):
    set_key(document, "fetch.sql.url_variable", "postgresql://me:hunter2@host")
    with pytest.raises(SettingsError) as raised:
        check_settings(document, source="params.yaml")
    assert "fetch.sql.url_variable: give the NAME of an environment variable" in str(raised.value)
    assert "hunter2" not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", "now"),
        ("rebalancing", "hourly"),
        ("simulation.n_assets", 29),
        ("simulation.start", "someday"),
        ("simulation.gap_rate", 1.01),
        ("simulation.idiosyncratic_volatility", 0),
        ("fetch.prices", "bloomberg"),
        ("fetch.start", "someday"),
        ("fetch.overlap", 0),
        ("fetch.largest_failed_share", 1.5),
        ("fetch.requests.per_second", 0),
        ("fetch.requests.attempts", 0),
        ("fetch.sql.url_variable", "postgresql://me:secret@host"),
        ("data.as_of", "yesterday"),
        ("data.universe", "everyone"),
        ("data.columns", ["date"]),
        ("data.columns.date", 3),
        ("characteristics.names", "mom1m"),
        ("characteristics.names", []),
        ("characteristics.minimum_history", 0),
        ("characteristics.minimum_coverage", -0.1),
        ("quality.blocking_missing_returns", 2),
        ("quality.largest_daily_return", 0),
        ("walk_forward.scheme", "sliding"),
        ("walk_forward.train", 0),
        ("walk_forward.train", 12.5),
        ("walk_forward.validation", 0),
        ("walk_forward.embargo", -1),
        ("walk_forward.refit_every", 0),
        ("models.names", []),
        ("models.n_factors", []),
        ("models.n_factors", [3, 0]),
        ("models.n_factors", 3),
        ("models.n_seeds", 0),
        ("models.networks.learning_rates", [0]),
        ("models.networks.learning_rates", [float("nan")]),
        ("models.networks.learning_rates", [float("inf")]),
        ("models.networks.l1_penalties", []),
        ("models.networks.l1_penalties", [-0.1, 0.1]),
        ("models.networks.batch_size", 0),
        ("models.networks.epochs", None),
        ("models.networks.patience", 0),
        ("models.lecture.hidden_units", 0),
        ("models.lecture.target", "behind"),
        ("evaluation.bootstrap_draws", 0),
        ("evaluation.quantile", 0.6),
        ("evaluation.cost", -0.1),
        ("nightly.n_factors", 0),
        ("nightly.tolerance", -0.1),
    ],
)
def test_a_wrong_value_is_named_with_its_key(document, key, value):
    set_key(document, key, value)
    said = message(document)
    assert key in said
    assert said.count("\n  ") == said.count(key)  # no other key is blamed


@pytest.mark.parametrize("key", ["seed", "walk_forward.embargo", "models.networks", "nightly"])
def test_a_missing_key_is_named(document, key):
    *path, last = key.split(".")
    section = document
    for part in path:
        section = section[part]
    del section[last]
    assert f"  {key}: Field required" in message(document)


@pytest.mark.parametrize("key", ["sede", "walk_forward.trian", "models.networks.l1_penalty"])
def test_a_misspelt_key_is_named(document, key):
    set_key(document, key, 1)
    assert f"  {key}: Extra inputs are not permitted (it is 1)" in message(document)


def test_all_that_is_wrong_is_said_at_once(document):
    set_key(document, "walk_forward.train", 0)
    set_key(document, "nightly.tolerance", -1)
    said = message(document)
    assert said.startswith("params.yaml: 2 setting(s) are wrong:")
    assert "walk_forward.train" in said
    assert "nightly.tolerance" in said
    assert "(it is -1)" in said


def test_a_missing_file_says_where_to_run(tmp_path):
    with pytest.raises(SettingsError, match=r"params\.yaml: no such file; run from"):
        read_settings(tmp_path / "params.yaml")


@pytest.mark.parametrize("text", ["seed: [1", "seed: 1\nseed: 2", "\tseed: 1"])
def test_a_file_that_is_not_yaml_says_so(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match="not valid YAML"):
        read_settings(path)


@pytest.mark.parametrize("content", [b"", b"- 1\n", b"seed: \xff\xfe\n"])
def test_a_file_that_holds_no_settings_says_so(tmp_path, content):
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"params\.yaml"):
        read_settings(path)
