import numpy as np

from latentbeta.models.protocol import HISTORY_COLUMNS, SELECTION_COLUMNS, Fit, save_loadings


def test_a_solved_model_has_empty_tables_with_the_columns_of_a_trained_one():
    fit = Fit({"gamma": np.eye(2)})
    assert tuple(fit.history.columns) == HISTORY_COLUMNS
    assert tuple(fit.selection.columns) == SELECTION_COLUMNS
    assert fit.history.empty
    assert fit.selection.empty


def test_loadings_come_back_and_their_bytes_are_the_same_twice(tmp_path):
    gamma, assets = np.arange(6.0).reshape(3, 2), np.array(["A", "BB"])
    for folder in ("one", "two"):
        save_loadings(tmp_path / folder, gamma=gamma, assets=assets)
    first, second = (tmp_path / f / "loadings.npz" for f in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()
    with np.load(first, allow_pickle=False) as file:
        np.testing.assert_array_equal(file["gamma"], gamma)
        np.testing.assert_array_equal(file["assets"], assets)
