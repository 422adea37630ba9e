import json

import numpy as np
import pandas as pd
import pytest

from latentbeta.config import CharacteristicsSettings
from latentbeta.errors import DataError
from latentbeta.panel import build_panel, read_panel, write_panel
from latentbeta.storage import content_hash

SETTINGS = CharacteristicsSettings(
    names=("mom1m", "retvol", "beta"), minimum_history=60, minimum_coverage=0.2
)
ARRAYS = ("dates", "assets", "offsets", "asset_index", "Z", "R", "market_equity")


@pytest.fixture
def result(noisy_market):
    market = noisy_market("2020-01-02", "2020-12-31", 5)
    return build_panel(market, rebalancing="monthly", calendar="XNYS", settings=SETTINGS)


def test_a_panel_comes_back_as_it_was(result, tmp_path):
    folder = tmp_path / "panel"
    write_panel(result, folder)
    for path in (folder, folder / "panel.parquet"):
        again = read_panel(path)
        assert again.characteristic_names == result.panel.characteristic_names
        for name in ARRAYS:
            array, expected = getattr(again, name), getattr(result.panel, name)
            assert array.dtype.kind == expected.dtype.kind
            np.testing.assert_array_equal(array, expected)
        assert again.Z.dtype == np.float32


def test_files_hold_the_agreed_columns(result, tmp_path):
    write_panel(result, tmp_path / "panel")
    table = pd.read_parquet(tmp_path / "panel" / "panel.parquet")
    leading = ["date", "formation", "asset", "return", "market_equity", "sector"]
    assert list(table.columns) == [*leading, "mom1m", "retvol", "beta"]
    assert table["date"].dtype == table["formation"].dtype == "datetime64[us]"
    assert table["asset"].dtype == "str"
    assert (table[["mom1m", "retvol", "beta"]].dtypes == "float32").all()
    assert (table["formation"] < table["date"]).all()
    raw = pd.read_parquet(tmp_path / "panel" / "raw.parquet")
    assert list(raw.columns) == ["date", "asset", "mom1m", "retvol", "beta"]
    pd.testing.assert_frame_equal(raw[["date", "asset"]], table[["date", "asset"]])


def test_the_summary_is_written_with_a_content_hash(result, tmp_path):
    write_panel(result, tmp_path / "panel")
    summary = json.loads((tmp_path / "panel" / "summary.json").read_text())
    assert summary["content_hash"] == content_hash(tmp_path / "panel" / "panel.parquet")
    assert summary["n_rows"] == result.panel.n_rows
    assert summary["characteristics"] == ["mom1m", "retvol", "beta"]
    assert summary["left_out"] == {}


def test_the_same_panel_gives_the_same_bytes(result, tmp_path):
    write_panel(result, tmp_path / "one")
    write_panel(result, tmp_path / "two")
    assert content_hash(tmp_path / "one") == content_hash(tmp_path / "two")


def test_a_missing_file_says_what_to_run(tmp_path):
    with pytest.raises(DataError, match="run the stage characteristics first"):
        read_panel(tmp_path / "panel.parquet")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns="return"), "column.*return missing"),
        (lambda table: table.iloc[::-1], "row 1 .* out of order"),
        (lambda table: table.iloc[[0, 1, 1, 2]], "row 2 .* there twice"),
    ],
)
def test_a_damaged_panel_is_refused(change, message, result, tmp_path):
    write_panel(result, tmp_path / "panel")
    path = tmp_path / "panel" / "panel.parquet"
    change(pd.read_parquet(path)).to_parquet(path)
    with pytest.raises(DataError, match=message):
        read_panel(path)
