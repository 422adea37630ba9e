"""The Monte Carlo design of Gu, Kelly and Xiu (2021), section 4, at a size that tests can bear."""

from dataclasses import replace

import numpy as np
import pytest
from tests.simulated_panels import bent_betas, simulate, with_returns

from latentbeta.config import NetworkSettings
from latentbeta.models.conditional_autoencoder import HIDDEN_LAYERS, ConditionalAutoencoder
from latentbeta.models.ipca import InstrumentedPCA

SETTINGS = NetworkSettings(
    learning_rates=(0.01,), l1_penalties=(1e-3,), batch_size=200, epochs=40, patience=6
)
SIZE = {"n_dates": 120, "n_assets": 100, "n_characteristics": 10}
TRAINING_END, VALIDATION_END = 60, 90


def out_of_sample(model, panel):
    """Fit on the first dates; return fitted returns of the test rows, averaged over members."""
    training = panel.between(0, TRAINING_END)
    state = model.fit(training, panel.between(TRAINING_END, VALIDATION_END)).state
    test = panel.between(VALIDATION_END, panel.n_dates)
    betas, factors = model.betas(state, test), model.factors(state, test)
    return (betas * factors[:, test.date_index]).sum(axis=2).mean(axis=0)


def total_r_squared(panel, fitted):
    realised = panel.between(VALIDATION_END, panel.n_dates).R
    return 1 - ((realised - fitted) ** 2).sum() / (realised**2).sum()


def test_without_hidden_layers_it_comes_to_what_ipca_comes_to():
    panel = simulate(**SIZE, seed=1).panel
    ipca = out_of_sample(InstrumentedPCA(3), panel)
    ca0 = out_of_sample(ConditionalAutoencoder("ca0", 3, 2, SETTINGS, seed=5), panel)
    assert np.corrcoef(ipca, ca0)[0, 1] > 0.98
    assert total_r_squared(panel, ca0) == pytest.approx(total_r_squared(panel, ipca), abs=0.01)
    assert total_r_squared(panel, ipca) > 0.35  # of about 0.4 that anyone could reach


@pytest.mark.parametrize("seed", [1, 2])
def test_where_betas_bend_a_hidden_layer_beats_ipca(seed):
    panel = simulate(**SIZE, seed=seed, betas=bent_betas).panel
    ipca = total_r_squared(panel, out_of_sample(InstrumentedPCA(2), panel))
    model = ConditionalAutoencoder("ca1", 2, 2, SETTINGS, seed=5)
    ca1 = total_r_squared(panel, out_of_sample(model, panel))
    assert ca1 > ipca + 0.03


def test_depths_are_those_of_the_paper():
    assert HIDDEN_LAYERS == {"ca0": (), "ca1": (32,), "ca2": (32, 16), "ca3": (32, 16, 8)}


@pytest.fixture(scope="module", params=["ca0", "ca2"])
def small(request):
    """A model fitted for an epoch on an unbalanced panel with missing returns."""
    panel = simulate(
        n_dates=24, n_assets=20, n_characteristics=4, seed=80, absent=0.2, missing=0.1
    ).panel
    quick = SETTINGS.model_copy(update={"epochs": 1, "batch_size": 64})
    model = ConditionalAutoencoder(request.param, 2, 3, quick, seed=81)
    return model, model.fit(panel.between(0, 14), panel.between(14, 20)).state, panel


def test_betas_read_no_return_of_the_panel(small):
    model, state, panel = small
    betas = model.betas(state, panel)
    assert betas.shape == (3, panel.n_rows, 2)
    assert np.isfinite(betas).all()
    unknown = with_returns(panel, np.full(panel.n_rows, np.nan))
    np.testing.assert_array_equal(model.betas(state, unknown), betas)


def test_factors_are_linear_in_returns_and_unknown_without_any(small):
    model, state, panel = small
    R = np.where(panel.date_index == 9, np.nan, panel.R)
    factors = model.factors(state, with_returns(panel, R))
    doubled = model.factors(state, with_returns(panel, 2 * R))
    assert factors.shape == (3, 24, 2)
    np.testing.assert_allclose(doubled, 2 * factors, rtol=1e-9)
    np.testing.assert_array_equal(np.isnan(factors).all(axis=(0, 2)), np.arange(24) == 9)


def test_a_dates_estimates_do_not_depend_on_the_dates_around_it(small):
    model, state, panel = small
    betas, factors = model.betas(state, panel), model.factors(state, panel)
    for start, stop in ((0, 1), (0, 17), (5, 6), (3, 24)):
        window = panel.between(start, stop)
        rows = slice(int(panel.offsets[start]), int(panel.offsets[stop]))
        np.testing.assert_array_equal(model.betas(state, window), betas[:, rows])
        np.testing.assert_array_equal(model.factors(state, window), factors[:, start:stop])


def test_observed_factors_take_the_place_of_managed_portfolios():
    """Betas bend along c1·c2, which no linear managed portfolio spans; the true factors do."""

    def product_betas(Z):
        return np.column_stack([Z[:, 0] ** 2, 2 * Z[:, 0] * Z[:, 1]])

    simulated = simulate(**SIZE, seed=6, betas=product_betas)
    panel = replace(simulated.panel, factor_names=("f1", "f2"), F=simulated.factors)
    managed = ConditionalAutoencoder("ca1", 2, 2, SETTINGS, seed=7)
    observed = replace(managed, factor_inputs="observed")
    reached = [total_r_squared(panel, out_of_sample(m, panel)) for m in (managed, observed)]
    assert reached[1] > reached[0] + 0.05


def test_observed_factors_that_are_not_there_are_an_obstacle():
    panel = simulate(n_dates=4, n_assets=6, n_characteristics=2, seed=8).panel
    managed = ConditionalAutoencoder("ca0", 1, 1, SETTINGS, seed=9)
    observed = replace(managed, factor_inputs="observed")
    assert managed.obstacle(panel) is None
    assert "data.factors" in observed.obstacle(panel)
    with_factors = replace(panel, factor_names=("f",), F=np.zeros((4, 1)))
    assert observed.obstacle(with_factors) is None
    F = np.array([[0.01, np.nan], [np.nan, 0.02], [0.01, np.nan], [np.nan, 0.02]])
    never_together = replace(panel, factor_names=("f", "g"), F=F)
    assert "all of f, g are known on no date" in observed.obstacle(never_together)


def test_without_a_constant_ca0_gives_no_betas_where_all_characteristics_are_zero(tmp_path):
    panel = simulate(n_dates=12, n_assets=20, n_characteristics=4, seed=10).panel
    quick = SETTINGS.model_copy(update={"epochs": 1, "batch_size": 64})
    model = ConditionalAutoencoder("ca0", 2, 1, quick, seed=11, constant=False)
    state = model.fit(panel.between(0, 6), panel.between(6, 12)).state
    middling = replace(panel, Z=np.zeros_like(panel.Z))
    assert np.abs(model.betas(state, panel)).min() > 0
    np.testing.assert_array_equal(model.betas(state, middling), 0)

    model.export(state, np.eye(2)[None], np.ones((1, 2)), tmp_path)
    import keras

    network = keras.models.load_model(tmp_path / "beta_network.keras")
    published = network(panel.Z[:5], training=False)
    np.testing.assert_allclose(published, model.betas(state, panel)[0, :5], atol=1e-6)
