import numpy as np
import pandas as pd
import pytest
from scipy import stats

from latentbeta.evaluation.importance import importance_of, jackknife_error
from latentbeta.evaluation.ladder import ModelKey

KEY = ModelKey("ca1", 5)


def sums(lost, error=(6.0, 8.0), scale=(10.0, 30.0)):
    """Rows of importance.parquet; `lost` by characteristic, one number a fold."""
    return pd.DataFrame(
        [
            (fold, name, error[fold], scale[fold], value)
            for name, values in lost.items()
            for fold, value in enumerate(values)
        ],
        columns=["fold", "characteristic", "error", "scale", "lost"],
    )


def test_pooled_over_folds_by_hand():
    table = importance_of(KEY, sums({"turn": [6, 9], "size": [9, 12], "beta": [5, 8]}))
    # Falls of (1, 7, -1) in 40, most important first; the negative one has no share.
    assert list(table["characteristic"]) == ["size", "turn", "beta"]
    np.testing.assert_allclose(table["fall"], [7 / 40, 1 / 40, -1 / 40])
    np.testing.assert_allclose(table["share"], [7 / 8, 1 / 8, 0])
    assert list(table["n_factors"]) == [5, 5, 5]


def test_the_fall_is_that_of_the_r_squared():
    table = importance_of(KEY, sums({"size": [9, 12]}))
    assert table["fall"][0] == pytest.approx((1 - 14 / 40) - (1 - 21 / 40))


def test_errors_by_hand_with_two_folds():
    table = importance_of(KEY, sums({"size": [9, 12], "turn": [7, 8]}))
    # Without each fold the fall of size is 4/30 and 3/10: half their distance.
    assert table["fall_se"][0] == pytest.approx((3 / 10 - 4 / 30) / 2)
    # Its shares are 4/4 and 3/4.
    assert table["share_se"][0] == pytest.approx(1 / 8)


def test_the_jackknife_of_a_mean_is_its_textbook_error():
    sample = np.random.default_rng(0).normal(size=12)
    without = np.array([np.delete(sample, i).mean() for i in range(12)])[:, None]
    assert jackknife_error(without)[0] == pytest.approx(stats.sem(sample))


def test_a_single_fold_has_no_error():
    one = sums({"size": [9, 12], "turn": [7, 8]}).query("fold == 0")
    table = importance_of(KEY, one)
    assert table["fall"][0] == pytest.approx(0.3)
    assert table[["fall_se", "share_se"]].isna().all(axis=None)


def test_the_last_bits_of_sums_are_no_importance():
    table = importance_of(KEY, sums({"size": [6 + 1e-13, 8], "turn": [6, 8]}))
    np.testing.assert_array_equal(table["fall"], 0)
    assert table["share"].isna().all()


def test_a_model_that_needs_nothing_has_no_shares():
    table = importance_of(KEY, sums({"size": [5, 8], "turn": [6, 7]}))
    assert table["share"].isna().all()
    assert (table["fall"] < 0).all()
