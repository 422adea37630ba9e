"""ranks.npy: mapped, not read; the panel's own or refused."""

import dataclasses
import os
import pickle

import numpy as np
import pandas as pd
import pytest

from latentbeta.config import CharacteristicsSettings
from latentbeta.errors import DataError
from latentbeta.panel import build_panel, files, read_panel, write_panel
from latentbeta.panel.ranks import fingerprint, write_ranks
from latentbeta.storage import content_hash, read_json, write_json

SETTINGS = CharacteristicsSettings(
    names=("mom1m", "retvol"), minimum_history=60, minimum_coverage=0.2
)


@pytest.fixture
def built(noisy_market):
    market = noisy_market("2020-01-02", "2020-12-31", 5)
    return build_panel(market, rebalancing="monthly", calendar="XNYS", settings=SETTINGS)


@pytest.fixture
def folder(built, tmp_path):
    write_panel(built, tmp_path / "panel")
    return tmp_path / "panel"


def test_ranks_are_mapped_and_slices_by_date_are_contiguous_views(built, folder):
    panel = read_panel(folder)
    assert isinstance(panel.Z, np.memmap)
    assert panel.Z.dtype == np.float32
    np.testing.assert_array_equal(panel.Z, built.panel.Z)
    piece = panel.between(2, 4).Z
    assert np.shares_memory(piece, panel.Z)
    assert piece.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        panel.Z[0, 0] = 0.0
    again = pickle.loads(pickle.dumps(panel.between(0, 2).Z))
    np.testing.assert_array_equal(again, built.panel.between(0, 2).Z)


def test_the_table_alone_gives_the_same_panel(folder):
    mapped = np.array(read_panel(folder).Z)
    (folder / "ranks.npy").unlink()
    panel = read_panel(folder)
    assert not isinstance(panel.Z, np.memmap)
    assert panel.Z.flags.c_contiguous
    assert panel.Z.tobytes() == mapped.tobytes()


def another_values(folder):
    Z = np.load(folder / "ranks.npy")
    Z[0, 0] += 0.5
    write_ranks(Z, folder / "ranks.npy")


def fewer_rows(folder):
    write_ranks(np.load(folder / "ranks.npy")[:-1], folder / "ranks.npy")


def double_precision(folder):
    np.save(folder / "ranks.npy", np.load(folder / "ranks.npy").astype(np.float64))


def other_order(folder):
    np.save(folder / "ranks.npy", np.asfortranarray(np.load(folder / "ranks.npy")))


def cut_off(folder):
    os.truncate(folder / "ranks.npy", 200)


def objects(folder):
    np.save(folder / "ranks.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)


def another_table(folder):
    table = pd.read_parquet(folder / "panel.parquet")
    table["mom1m"] *= 0.5
    table.to_parquet(folder / "panel.parquet", index=False)


def without_summary(folder):
    (folder / "summary.json").unlink()


def unrecorded(folder):
    summary = read_json(folder / "summary.json")
    del summary["ranks"]
    write_json(summary, folder / "summary.json")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (another_values, "does not belong"),
        (fewer_rows, "rows and 2 characteristics"),
        (double_precision, "float64 values"),
        (other_order, "rows and 2 characteristics"),
        (cut_off, "not a whole NumPy array"),
        (objects, "not a whole NumPy array"),
        (another_table, "does not belong"),
        (without_summary, "does not belong"),
        (unrecorded, "does not belong"),
    ],
)
def test_ranks_of_another_panel_are_refused(damage, message, folder):
    damage(folder)
    with pytest.raises(DataError, match=message) as error:
        read_panel(folder)
    assert "ranks.npy" in str(error.value)
    assert "delete" in str(error.value)


def test_a_file_is_the_same_as_numpy_writes_it(built, folder, tmp_path):
    np.save(tmp_path / "whole.npy", built.panel.Z)
    assert content_hash(tmp_path / "whole.npy") == content_hash(folder / "ranks.npy")


def test_a_large_file_is_told_apart_by_a_few_pieces(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    content = np.random.default_rng(0).bytes(2**24)
    one.write_bytes(content)
    two.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert fingerprint(one) != fingerprint(two)
    two.write_bytes(content[:-1])
    assert fingerprint(one) != fingerprint(two)
    two.write_bytes(content)
    assert fingerprint(one) == fingerprint(two)


def test_pieces_make_the_table_that_one_piece_makes(built, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "ROWS_AT_ONCE", 7)
    write_panel(built, tmp_path / "pieces")
    for name in ("panel.parquet", "raw.parquet"):
        whole, pieces = (pd.read_parquet(place / name) for place in (folder, tmp_path / "pieces"))
        pd.testing.assert_frame_equal(whole, pieces)
    np.testing.assert_array_equal(read_panel(tmp_path / "pieces").Z, built.panel.Z)


def test_a_sector_unknown_in_one_piece_keeps_its_type(built, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "ROWS_AT_ONCE", 5)
    panel = built.panel
    sector = np.where(panel.date_index == 0, -1, 0)
    changed = dataclasses.replace(panel, sector=sector, sector_names=("Toys",))
    write_panel(dataclasses.replace(built, panel=changed), tmp_path / "panel")
    table = pd.read_parquet(tmp_path / "panel/panel.parquet")
    assert table["sector"].dtype == "str"
    assert table["sector"].isna().sum() == (panel.date_index == 0).sum()
    np.testing.assert_array_equal(read_panel(tmp_path / "panel").sector, sector)
