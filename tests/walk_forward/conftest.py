from dataclasses import dataclass, replace

import numpy as np
import pytest
from tests.simulated_panels import simulate, with_returns

from latentbeta.config import WalkForwardSettings
from latentbeta.panel.panel import Panel
from latentbeta.walk_forward.folds import Fold, make_folds


@dataclass(frozen=True)
class Study:
    """A panel with gaps whose newest date has no return yet, and its folds.

    Its characteristics have the names that observed factors and exposures go by.
    """

    panel: Panel
    settings: WalkForwardSettings
    folds: list[Fold]


@pytest.fixture(scope="session")
def study() -> Study:
    panel = simulate(
        n_dates=42, n_assets=20, n_characteristics=4, seed=100, noise=0.03, absent=0.1, missing=0.05
    ).panel
    panel = replace(panel, characteristic_names=("mvel1", "mom12m", "retvol", "beta"))
    panel = with_returns(panel, np.where(panel.date_index == 41, np.nan, panel.R))
    settings = WalkForwardSettings(
        scheme="expanding", train=14, validation=8, embargo=1, refit_every=6
    )
    return Study(panel, settings, make_folds(42, settings))
