import numpy as np
import pytest
from tests.simulated_panels import full_panel

from latentbeta.errors import ModelError
from latentbeta.models.constant_betas import (
    asset_regressions,
    constant_betas,
    export_constant_betas,
    spread_constant_betas,
)

NAN = np.nan
ASSETS = np.array(["A000", "A001", "A002"])


def test_regressions_by_hand():
    # On X = (1, x): the line through (1, 3), (2, 5); then one return alone, which is too few.
    X = np.array([[1.0, 1.0], [1.0, 2.0], [1.0, 7.0]])
    R = np.array([[3.0, NAN], [5.0, 4.0], [NAN, NAN]])
    np.testing.assert_allclose(asset_regressions(R, X), [[1.0, 2.0], [NAN, NAN]])


def test_betas_follow_their_asset_and_strangers_get_the_mean():
    state = constant_betas(ASSETS, np.array([[1.0, 10.0], [NAN, 2.0], [3.0, 30.0]]))
    np.testing.assert_array_equal(state["assets"], ["A000", "A002"])
    panel = full_panel(np.zeros((2, 3, 1)), np.zeros((2, 3)))
    rows = [[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]
    np.testing.assert_array_equal(spread_constant_betas(state, panel), [rows + rows])


def test_betas_are_found_by_name_not_by_place():
    state = constant_betas(np.array(["A001", "ZZZ"]), np.array([[5.0], [7.0]]))
    panel = full_panel(np.zeros((1, 3, 1)), np.zeros((1, 3)))
    np.testing.assert_array_equal(spread_constant_betas(state, panel)[0, :, 0], [6.0, 5.0, 6.0])


def test_no_betas_at_all_is_an_error():
    with pytest.raises(ModelError, match="12 returns"):
        constant_betas(ASSETS, np.full((3, 1), NAN))


def test_exported_betas_are_the_published_ones(tmp_path):
    state = constant_betas(ASSETS, np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    G = np.array([[0.0, 2.0], [-1.0, 0.0]])  # β G⁻ᵀ by hand: (β₁, β₂) → (β₁ / 2, -β₂) swapped
    export_constant_betas(state, G[None], tmp_path)
    with np.load(tmp_path / "loadings.npz", allow_pickle=False) as file:
        np.testing.assert_array_equal(file["assets"], ASSETS)
        np.testing.assert_allclose(file["betas"], [[-2.0, 0.5], [-4.0, 1.5], [-6.0, 2.5]])
