from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latentbeta.data.snapshots.rows import (
    VALUES,
    content_of,
    frame_of,
    joined,
    read_rows,
    rows_of,
    write_rows,
)
from latentbeta.errors import DataError


def test_they_come_back_as_they_were_given(history, tmp_path: Path) -> None:
    given = history("2024-01-02", "2024-02-15")
    write_rows(rows_of(given), tmp_path / "rows.parquet")
    pd.testing.assert_frame_equal(frame_of(read_rows(tmp_path / "rows.parquet")), given)


def test_other_programs_read_the_file(history, tmp_path: Path) -> None:
    given = history("2024-01-02", "2024-01-12")
    write_rows(rows_of(given), tmp_path / "rows.parquet")
    read = pd.read_parquet(tmp_path / "rows.parquet")
    assert list(read) == ["asset", "date", *VALUES]
    pd.testing.assert_frame_equal(
        read.astype({"asset": "str"}), given.astype({"asset": "str"}), check_dtype=True
    )


def test_the_same_rows_have_one_hash_and_one_file(history, tmp_path: Path) -> None:
    given = history("2024-01-02", "2024-01-31")
    shuffled = given.sample(frac=1, random_state=1).astype({"asset": "str"})
    files = []
    for name, rows in (("one", rows_of(given)), ("other", rows_of(shuffled))):
        write_rows(rows, tmp_path / name)
        files.append((content_of(rows), (tmp_path / name).read_bytes()))
    assert files[0] == files[1]


def test_equal_values_have_one_hash(table) -> None:
    one = table(("A", "2024-01-02", 10.0), dividend=0.0, shares=np.nan)
    other = table(("A", "2024-01-02", 10.0), dividend=-0.0, shares=-np.nan)
    assert content_of(rows_of(one)) == content_of(rows_of(other))


@pytest.mark.parametrize("column", VALUES)
def test_each_value_is_in_the_hash(table, column: str) -> None:
    given = table(("A", "2024-01-02", 10.0), ("B", "2024-01-02", 11.0))
    changed = given.copy()
    changed.loc[1, column] = 7.25
    assert content_of(rows_of(given)) != content_of(rows_of(changed))


@pytest.mark.parametrize("row", [("C", "2024-01-02", 11.0), ("B", "2024-01-03", 11.0)])
def test_asset_and_date_are_in_the_hash(table, row: tuple[str, str, float]) -> None:
    given = table(("A", "2024-01-02", 10.0), ("B", "2024-01-02", 11.0))
    other = table(("A", "2024-01-02", 10.0), row)
    assert content_of(rows_of(given)) != content_of(rows_of(other))


def test_parts_put_together_are_the_whole(history) -> None:
    given = history("2024-01-02", "2024-03-29")
    odd = given["date"].dt.day % 2 == 1
    parts = [rows_of(given[odd]), rows_of(given[~odd & (given["asset"] != "A2")])]
    parts.append(rows_of(given[~odd & (given["asset"] == "A2")]))
    pd.testing.assert_frame_equal(frame_of(joined(parts)), given)


def test_categories_without_a_row_are_left_out(history) -> None:
    given = history("2024-01-02", "2024-01-12")
    rows = rows_of(given[given["asset"] != "A0"])
    assert rows.names.tolist() == ["A1", "A2", "A3", "A4"]


def test_an_asset_twice_on_a_day_is_refused(table) -> None:
    given = table(("B", "2024-01-03", 1.0), ("A", "2024-01-02", 2.0), ("B", "2024-01-03", 1.0))
    with pytest.raises(DataError, match="'B' has two rows on 2024-01-03"):
        rows_of(given)
