"""Whether more processes pay."""

from pathlib import Path

import pytest
from tests.simulated_panels import simulate

from latentbeta.config import read_settings
from latentbeta.models.ladder import ladder
from latentbeta.models.pca import PrincipalComponents
from latentbeta.walk_forward.effort import expected_seconds
from latentbeta.walk_forward.folds import Fold
from latentbeta.walk_forward.jobs import Job

FOLD = Fold(0, 0, 10, 16, 17, 20)  # ten dates of training
ROOT = Path(__file__).parents[2]


def test_networks_count_seeds_pairs_and_half_of_the_epochs_others_ten_epochs():
    panel = simulate(n_dates=20, n_assets=8, n_characteristics=2, seed=110).panel
    rows = panel.between(0, 10).Z.shape[0]
    settings = read_settings(ROOT / "params.yaml").models
    networks = {"epochs": 30, "learning_rates": (0.1, 0.2), "l1_penalties": (0.0, 1e-3, 1e-2)}
    chosen = settings.model_copy(
        update={
            "names": ["ca1"],
            "n_seeds": 4,
            "networks": settings.networks.model_copy(update=networks),
        }
    )
    (ca1,) = ladder(chosen, 1)
    one = 1e-7 * 4 * 6 * 15 * rows
    assert expected_seconds([Job(ca1, (FOLD,))], panel) == pytest.approx(one)
    solved = Job(PrincipalComponents(1), (FOLD, FOLD))
    both = [Job(ca1, (FOLD,)), solved]
    assert expected_seconds(both, panel) == pytest.approx(one + 2 * 1e-7 * 10 * rows)
