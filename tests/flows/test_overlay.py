import datetime as dt
from pathlib import Path

import pytest
from flows.overlay import data_changes, merged_text, read_overlay, write_settings
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
    assert data_changes(Path("mine"), Path("data/mine"), tmp_path) == {"path": "data/mine"}


def test_other_data_are_read_to_their_end(tmp_path, monkeypatch):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    changes = data_changes(Path("elsewhere"), Path("data/simulated"), tmp_path / "project")
    assert changes == {"path": folder.as_posix(), "as_of": None}


def test_a_path_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(DataError, match="no such file or folder"):
        data_changes(tmp_path / "nowhere", Path("data/simulated"), tmp_path)


def test_the_schedule_in_the_project_reads_as_yaml():
    document = YAML(typ="safe").load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
    (schedule,) = document["deployments"][0]["schedules"]
    assert schedule["timezone"] == "America/New_York"
