"""Folds: train, validation and test dates, in that order, with an embargo before the test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.config import WalkForwardSettings
from latentbeta.errors import SettingsError


@dataclass(frozen=True)
class Fold:
    """Positions in the panel's dates, each end not included.

    Training is [train_start, validation_start), validation [validation_start, validation_end),
    the test [test_start, test_end); the `embargo` dates before the test belong to neither.
    """

    number: int
    train_start: int
    validation_start: int
    validation_end: int
    test_start: int
    test_end: int


def make_folds(n_dates: int, settings: WalkForwardSettings) -> list[Fold]:
    """Return the folds of a panel, tests back to back until the newest date.

    The first fold has `train` training periods; each next one begins its test `refit_every`
    later. Expanding training keeps its start, rolling training its length. Where a fold lies
    does not depend on how many dates follow it; only the last test may be cut short.

    Raises
    ------
    SettingsError
        When the panel is too short for one fold.
    """
    first_test = settings.train + settings.validation + settings.embargo
    if n_dates <= first_test:
        raise SettingsError(
            f"the panel has {n_dates} dates, but walk_forward needs more than {first_test}"
            f" (train {settings.train} + validation {settings.validation} + embargo"
            f" {settings.embargo}): shorten them or bring a longer history"
        )
    return [
        Fold(
            number=number,
            train_start=number * settings.refit_every if settings.scheme == "rolling" else 0,
            validation_start=test_start - settings.embargo - settings.validation,
            validation_end=test_start - settings.embargo,
            test_start=test_start,
            test_end=min(test_start + settings.refit_every, n_dates),
        )
        for number, test_start in enumerate(range(first_test, n_dates, settings.refit_every))
    ]


def fold_table(folds: list[Fold], dates: NDArray[np.datetime64], embargo: int) -> pd.DataFrame:
    """Return the folds with dates instead of positions, first and last of each sample."""
    return pd.DataFrame(
        {
            "fold": [f.number for f in folds],
            "train_start": dates[[f.train_start for f in folds]],
            "train_end": dates[[f.validation_start - 1 for f in folds]],
            "validation_start": dates[[f.validation_start for f in folds]],
            "validation_end": dates[[f.validation_end - 1 for f in folds]],
            "test_start": dates[[f.test_start for f in folds]],
            "test_end": dates[[f.test_end - 1 for f in folds]],
            "embargo": embargo,
        }
    )
