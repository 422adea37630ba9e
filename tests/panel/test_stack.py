import numpy as np

from latentbeta.panel.stack import _joined


def test_rows_that_follow_each_other_in_memory_are_not_copied(tmp_path):
    rows = np.arange(30, dtype=np.float32).reshape(10, 3)
    np.save(tmp_path / "Z.npy", rows)
    for whole in (rows, np.load(tmp_path / "Z.npy", mmap_mode="r")):
        joined = _joined(whole[2:5], whole[5:9])
        assert np.shares_memory(joined, whole)
        np.testing.assert_array_equal(joined, rows[2:9])


def test_rows_from_elsewhere_are_copied():
    rows = np.arange(30, dtype=np.float32).reshape(10, 3)
    for first, second in (
        (rows[:4], rows[5:]),  # a gap
        (rows[4:], rows[:4]),
        (rows[:4], rows[4:].copy()),
        (rows[:4, :2], rows[4:, :2]),
        (rows[:0], rows),
    ):
        joined = _joined(first, second)
        np.testing.assert_array_equal(joined, np.concatenate([first, second]))
        assert not np.shares_memory(joined, rows)


def test_a_view_outlives_what_it_was_made_of():
    rows = np.arange(30, dtype=np.float32).reshape(10, 3).copy()
    expected = rows.copy()
    joined = _joined(rows[:4], rows[4:])
    del rows
    np.testing.assert_array_equal(joined, expected)
