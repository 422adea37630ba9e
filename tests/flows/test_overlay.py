import datetime as dt
from pathlib import Path

import pytest
from flows.overlay import (
    merged_text,
    named_path,
    read_overlay,
    without_former_data,
    write_settings,
)
from ruamel.yaml import YAML

from latentbeta.config import read_settings
from latentbeta.errors import DataError, SettingsError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def params(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    return path


def test_merging_nothing_changes_no_byte(params):
    text = params.read_text(encoding="utf-8")
    assert merged_text(text, {}) == text


def test_only_the_named_keys_change_and_comments_stay():
    text = (
        "# top\n"
        "data: # where prices come from\n"
        "  path: here # a folder\n"
        "  as_of: null # the last date\n"
        "names: [a, b] # which\n"
    )
    changes = {"data": {"as_of": dt.date(2019, 1, 2)}, "names": ["c"]}
    assert merged_text(text, changes) == (
        "# top\n"
        "data: # where prices come from\n"
        "  path: here # a folder\n"
        '  as_of: "2019-01-02" # the last date\n'
        "names: [c]    # which\n"
    )


def test_dates_are_written_as_text_because_dvc_reads_no_others():
    assert merged_text("a:\n  start: 2003-01-02 # day\n", {}) == 'a:\n  start: "2003-01-02" # day\n'


def test_changes_are_in_the_settings_and_the_former_text_comes_back(params):
    former = params.read_text(encoding="utf-8")
    returned = write_settings(params, {"models": {"n_seeds": 2}}, source="overlay")
    assert returned == former
    assert read_settings(params).models.n_seeds == 2
    before, after = former.splitlines(), params.read_text(encoding="utf-8").splitlines()
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"models": {"n_seeds": 0}}, "models.n_seeds"),
        ({"modles": {"n_seeds": 2}}, "modles"),
        ({"data": {"universe": "everything"}}, "data.universe"),
    ],
)
def test_settings_that_are_wrong_are_named_and_not_written(params, changes, named):
    former = params.read_text(encoding="utf-8")
    with pytest.raises(SettingsError, match=f"(?s)mine.yaml.*{named}"):
        write_settings(params, changes, source="mine.yaml")
    assert params.read_text(encoding="utf-8") == former


@pytest.mark.parametrize("text", ["a: [1", "- 1\n", ""])
def test_an_overlay_that_holds_no_settings_is_an_error(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"mine\.yaml"):
        read_overlay(path)
    with pytest.raises(SettingsError, match=r"nowhere\.yaml"):
        read_overlay(tmp_path / "nowhere.yaml")


def test_a_path_inside_the_project_is_kept_relative_to_it(tmp_path, monkeypatch):
    (tmp_path / "data/mine").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "data")
    assert named_path(Path("mine"), tmp_path) == "data/mine"
    assert named_path(Path("mine"), tmp_path / "other") == (tmp_path / "data/mine").as_posix()


def test_a_path_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(DataError, match="no such file or folder"):
        named_path(tmp_path / "nowhere", tmp_path)


@pytest.fixture
def of_former_data(params):
    said = {"membership": "/elsewhere/spells.csv", "preset": "crsp", "calendar": "XLON"}
    accounts = {"file": "accounts.csv", "lag": 4}
    former = said | {"as_of": dt.date(2018, 1, 2), "fundamentals": accounts}
    write_settings(params, {"data": former}, source="mine.yaml")
    return params


def test_what_was_said_of_the_former_data_is_not_said_of_others(of_former_data):
    changes = without_former_data({"data": {"path": "mine"}}, Path("data/simulated"))
    write_settings(of_former_data, changes, source="DATA=")
    data = read_settings(of_former_data).data
    assert data.path == Path("mine")
    assert (data.as_of, data.membership, data.preset, data.fundamentals.file) == (None,) * 4
    assert (data.calendar, data.fundamentals.lag) == ("XLON", 4)


def test_what_comes_with_other_data_holds(of_former_data):
    said = {"path": "mine", "membership": "spells*", "fundamentals": {"lag": 3}}
    changes = without_former_data({"seed": 3, "data": said}, Path("data/simulated"))
    write_settings(of_former_data, changes, source="DATA=")
    settings = read_settings(of_former_data)
    assert (settings.seed, settings.data.membership, settings.data.preset) == (3, "spells*", None)
    assert (settings.data.fundamentals.file, settings.data.fundamentals.lag) == (None, 3)


@pytest.mark.parametrize(
    "changes", [{}, {"seed": 3}, {"data": {"as_of": None}}, {"data": {"path": "data/simulated"}}]
)
def test_the_same_data_keep_what_was_said_of_them(changes):
    assert without_former_data(changes, Path("data/simulated")) == changes


def test_the_schedule_in_the_project_reads_as_yaml():
    document = YAML(typ="safe").load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
    (schedule,) = document["deployments"][0]["schedules"]
    assert schedule["timezone"] == "America/New_York"
