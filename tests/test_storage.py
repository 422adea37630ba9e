import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latentbeta.storage import (
    content_hash,
    folder_written_atomically,
    read_json,
    write_csv,
    write_json,
    write_parquet,
    write_text,
    written_atomically,
)


class _CrashError(Exception):
    """Stands for whatever ends a write halfway."""


def _crash_in(writing, write):
    with writing as temporary:
        write(temporary)
        raise _CrashError


def listed(folder):
    return sorted(p.name for p in folder.iterdir())


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "date": pd.date_range("2001-01-31", periods=3, freq="ME").astype("datetime64[us]"),
            "asset": pd.array(["A", "B", "Ü"], dtype="str"),
            "value": [0.1, np.nan, -3.0],
        }
    )


def test_a_file_appears_whole_and_alone(tmp_path):
    path = tmp_path / "deep" / "down" / "file.txt"
    with written_atomically(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        assert temporary.parent == path.parent  # a rename within one file system
        temporary.write_text("whole")
    assert path.read_text() == "whole"
    assert listed(path.parent) == ["file.txt"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_crash_while_writing_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file.txt"
    write_text("old", path)
    with pytest.raises(_CrashError):
        _crash_in(written_atomically(path), lambda file: file.write_text("ne"))
    assert path.read_text() == "old"
    assert listed(tmp_path) == ["file.txt"]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    folder = tmp_path / "results"
    for name in ("one", "two"):
        with folder_written_atomically(folder) as temporary:
            (temporary / name).write_text(name)
            assert listed(tmp_path) != ["results"]
    assert listed(folder) == ["two"]
    assert listed(tmp_path) == ["results"]


def test_a_crash_while_filling_a_folder_leaves_the_old_one(tmp_path):
    folder = tmp_path / "results"
    with folder_written_atomically(folder) as temporary:
        (temporary / "old").write_text("old")
    with pytest.raises(_CrashError):
        _crash_in(folder_written_atomically(folder), lambda new: (new / "new").write_text("ne"))
    assert listed(folder) == ["old"]
    assert listed(tmp_path) == ["results"]


def test_a_crash_between_the_two_renames_brings_the_old_folder_back(tmp_path, monkeypatch):
    folder = tmp_path / "results"
    with folder_written_atomically(folder) as temporary:
        (temporary / "old").write_text("old")
    rename, calls = Path.replace, []

    def second_fails(self, target):
        calls.append(target)
        if len(calls) == 2:
            raise _CrashError
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", second_fails)
    with pytest.raises(_CrashError), folder_written_atomically(folder) as temporary:
        (temporary / "new").write_text("new")
    assert listed(folder) == ["old"]
    assert listed(tmp_path) == ["results"]


@pytest.mark.parametrize("write", [write_parquet, write_csv])
def test_the_same_table_has_the_same_bytes(tmp_path, table, write):
    write(table, tmp_path / "one")
    write(table.copy(), tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_parquet_table_comes_back_as_it_was(tmp_path, table):
    write_parquet(table, tmp_path / "table.parquet")
    found = pd.read_parquet(tmp_path / "table.parquet")
    pd.testing.assert_frame_equal(found, table, check_exact=True)


def test_csv_lines_end_alike_everywhere(tmp_path):
    write_csv(pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_bytes() == b"a,b\n1,x\n2,y\n"


def test_json_keys_are_sorted_and_values_come_back(tmp_path):
    path = tmp_path / "value.json"
    write_json({"b": [1, None], "a": "ü"}, path)
    assert read_json(path) == {"a": "ü", "b": [1, None]}
    assert list(json.loads(path.read_text())) == ["a", "b"]
    assert path.read_text().endswith("}\n")


def test_json_refuses_what_is_not_json_and_keeps_the_old_file(tmp_path):
    path = tmp_path / "value.json"
    write_json({"r2": 0.5}, path)
    with pytest.raises(ValueError, match="Out of range float"):
        write_json({"r2": float("nan")}, path)
    assert read_json(path) == {"r2": 0.5}


def test_the_hash_of_a_folder_sees_names_and_content(tmp_path):
    def hashed(name, **files):
        for path, text in files.items():
            write_text(text, tmp_path / name / path)
        return content_hash(tmp_path / name)

    first = hashed("first", a="1", b="2")
    assert hashed("same", a="1", b="2") == first
    others = [
        hashed("content", a="1", b="3"),
        hashed("name", a="1", c="2"),
        hashed("exchanged", a="2", b="1"),
        hashed("fewer", a="1"),
        hashed("more", a="1", b="2", c=""),
    ]
    assert len({first, *others}) == 6


def test_the_hash_of_a_folder_sees_where_a_file_lies(tmp_path):
    write_text("1", tmp_path / "one" / "sub" / "a")
    write_text("1", tmp_path / "two" / "a")
    assert content_hash(tmp_path / "one") != content_hash(tmp_path / "two")


def test_the_hash_of_a_file_does_not_see_its_name(tmp_path):
    write_text("1", tmp_path / "a")
    write_text("1", tmp_path / "b")
    write_text("2", tmp_path / "c")
    assert content_hash(tmp_path / "a") == content_hash(tmp_path / "b")
    assert content_hash(tmp_path / "a") != content_hash(tmp_path / "c")


def test_the_hash_of_a_file_by_hand(tmp_path):
    write_text("text", tmp_path / "a")
    expected = hashlib.sha256(b"." + hashlib.sha256(b"text").digest()).hexdigest()
    assert content_hash(tmp_path / "a") == expected
