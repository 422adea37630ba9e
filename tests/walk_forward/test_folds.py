from dataclasses import astuple

import numpy as np
import pytest
from tests.simulated_panels import month_ends

from latentbeta.config import WalkForwardSettings
from latentbeta.errors import SettingsError
from latentbeta.walk_forward.folds import fold_table, make_folds


def settings(scheme="expanding", train=4, validation=2, embargo=1, refit_every=3):
    return WalkForwardSettings(
        scheme=scheme,
        train=train,
        validation=validation,
        embargo=embargo,
        refit_every=refit_every,
    )


def positions(n_dates, chosen):
    return [astuple(fold) for fold in make_folds(n_dates, chosen)]


def test_expanding_by_hand():
    # number, train start, validation start, validation end, test start, test end
    assert positions(14, settings()) == [
        (0, 0, 4, 6, 7, 10),
        (1, 0, 7, 9, 10, 13),
        (2, 0, 10, 12, 13, 14),
    ]


def test_rolling_by_hand():
    assert positions(14, settings("rolling")) == [
        (0, 0, 4, 6, 7, 10),
        (1, 3, 7, 9, 10, 13),
        (2, 6, 10, 12, 13, 14),
    ]


@pytest.mark.parametrize("embargo", [0, 1, 4])
def test_embargoed_dates_belong_to_no_sample(embargo):
    for fold in make_folds(30, settings(embargo=embargo)):
        assert fold.test_start - fold.validation_end == embargo
        assert fold.validation_end - fold.validation_start == 2


@pytest.mark.parametrize("scheme", ["expanding", "rolling"])
@pytest.mark.parametrize("refit_every", [1, 3, 50])
def test_tests_lie_back_to_back_to_the_newest_date(scheme, refit_every):
    folds = make_folds(23, settings(scheme, refit_every=refit_every))
    tested = [t for fold in folds for t in range(fold.test_start, fold.test_end)]
    assert tested == list(range(7, 23))
    assert all(f.train_start < f.validation_start < f.validation_end for f in folds)


def test_rolling_training_keeps_its_length_and_expanding_its_start():
    assert {f.validation_start - f.train_start for f in make_folds(40, settings("rolling"))} == {4}
    assert {f.train_start for f in make_folds(40, settings())} == {0}


@pytest.mark.parametrize("scheme", ["expanding", "rolling"])
def test_folds_of_the_first_dates_are_those_of_all_but_for_the_last_cut(scheme):
    every = positions(30, settings(scheme))
    for n_dates in range(8, 30):
        *whole, cut = positions(n_dates, settings(scheme))
        assert whole == every[: len(whole)]
        assert cut[:-1] == every[len(whole)][:-1]
        assert cut[-1] == n_dates


def test_one_date_more_than_the_samples_is_enough_and_one_less_says_what_is_needed():
    assert len(make_folds(8, settings())) == 1
    with pytest.raises(SettingsError) as raised:
        make_folds(7, settings())
    message = str(raised.value)
    assert "has 7 dates" in message
    assert "more than 7 (train 4 + validation 2 + embargo 1)" in message


def test_the_table_names_first_and_last_dates():
    dates = month_ends(14)
    table = fold_table(make_folds(14, settings()), dates, 1)
    assert list(table) == [
        *("fold", "train_start", "train_end", "validation_start", "validation_end"),
        *("test_start", "test_end", "embargo"),
    ]
    row = table.iloc[1]
    expected = {"train_start": 0, "train_end": 6, "validation_start": 7, "validation_end": 8}
    expected |= {"test_start": 10, "test_end": 12}
    for name, place in expected.items():
        assert row[name].to_datetime64() == dates[place], name
    assert table["train_start"].dtype == np.dtype("datetime64[us]")
    assert (row["fold"], row["embargo"]) == (1, 1)
