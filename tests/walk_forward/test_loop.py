from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from tests.simulated_panels import simulate, with_returns

from latentbeta.config import NetworkSettings, WalkForwardSettings
from latentbeta.models.conditional_autoencoder import ConditionalAutoencoder
from latentbeta.models.ipca import InstrumentedPCA
from latentbeta.models.pca import PrincipalComponents
from latentbeta.models.protocol import Fit
from latentbeta.models.rotation import rotate_betas
from latentbeta.walk_forward.estimates import estimate_fold
from latentbeta.walk_forward.fold_store import FoldStore
from latentbeta.walk_forward.folds import make_folds
from latentbeta.walk_forward.loop import run_model

TABLES = ("predictions", "betas", "factors", "history", "selection", "importance")
QUICK = NetworkSettings(
    learning_rates=(0.01,), l1_penalties=(0.001,), batch_size=64, epochs=3, patience=2
)
CA0 = ConditionalAutoencoder("ca0", 2, 2, QUICK, seed=110)


def run(model, study, folder, **options):
    return run_model(model, study.panel, study.folds, FoldStore(folder), **options)


def assert_same_tables(one, other):
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)


class _KilledError(Exception):
    """Stands for the end of the process."""


def killed_after(n_folds):
    left = [n_folds]

    def on_fold():
        left[0] -= 1
        if left[0] == 0:
            raise _KilledError

    return on_fold


@pytest.mark.parametrize("model", [InstrumentedPCA(2), CA0], ids=lambda m: m.name)
def test_a_killed_run_fits_only_what_is_left_and_ends_the_same(study, tmp_path, model):
    whole = run(model, study, tmp_path / "whole")
    assert whole.n_fitted == len(study.folds) == 4
    with pytest.raises(_KilledError):
        run(model, study, tmp_path / "killed", on_fold=killed_after(2))
    again = run(model, study, tmp_path / "killed")
    assert again.n_fitted == 2
    assert_same_tables(again, whole)
    files = {p.name: p.read_bytes() for p in (tmp_path / "whole").iterdir()}
    assert files == {p.name: p.read_bytes() for p in (tmp_path / "killed").iterdir()}
    assert sorted(files) == sorted(f"{key}.npz" for key in again.keys)
    assert run(model, study, tmp_path / "killed").n_fitted == 0


def test_on_fold_is_called_once_a_fold(study, tmp_path):
    calls = []
    run(InstrumentedPCA(1), study, tmp_path, on_fold=lambda: calls.append(1))
    assert len(calls) == 4


def test_every_row_of_every_test_date_is_there_once(study, tmp_path):
    model_run = run(InstrumentedPCA(2), study, tmp_path)
    first = int(study.panel.offsets[study.folds[0].test_start])
    for table in (model_run.predictions, model_run.betas):
        np.testing.assert_array_equal(
            table["date"].to_numpy(), study.panel.dates[study.panel.date_index[first:]]
        )
        np.testing.assert_array_equal(
            table["asset"].to_numpy(), study.panel.assets[study.panel.asset_index[first:]]
        )
    np.testing.assert_array_equal(model_run.predictions["realised"], study.panel.R[first:])
    np.testing.assert_array_equal(model_run.factors["date"], study.panel.dates[23:])


def test_columns_are_those_of_the_architecture(study, tmp_path):
    model_run = run(CA0, study, tmp_path)
    label = ["model", "n_factors", "fold"]
    assert list(model_run.predictions) == [
        *label, "date", "asset", "realised", "fitted", "forecast",
    ]  # fmt: skip
    assert list(model_run.betas) == [*label, "date", "asset", "factor_1", "factor_2"]
    assert list(model_run.factors) == [
        *label, "date", "factor_1", "factor_2", "premium_1", "premium_2", "tangency",
    ]  # fmt: skip
    assert list(model_run.importance) == [*label, "characteristic", "error", "scale", "lost"]
    assert list(model_run.history) == [
        *label, "member", "epoch", "training_loss", "validation_loss",
    ]  # fmt: skip
    assert list(model_run.selection)[:6] == [*label, "member", "best_epoch", "validation_loss"]
    for name in TABLES:
        table = getattr(model_run, name)
        assert set(table["model"]) == {"ca0"}
        assert sorted(set(table["fold"])) == [0, 1, 2, 3]
        assert table.index.equals(pd.RangeIndex(len(table)))


def test_the_newest_date_without_returns_has_a_forecast_and_betas(study, tmp_path):
    model_run = run(InstrumentedPCA(2), study, tmp_path)
    newest = model_run.predictions[model_run.predictions["date"] == study.panel.dates[-1]]
    assert len(newest) > 10
    assert newest[["realised", "fitted"]].isna().all().all()
    assert newest["forecast"].notna().all()
    assert model_run.betas.notna().all().all()


def test_a_fold_is_fitted_on_its_training_and_validation_dates(study, tmp_path):
    @dataclass(frozen=True)
    class Recording(InstrumentedPCA):
        def fit(self, training, validation):
            seen.append((training.dates[[0, -1]], validation.dates[[0, -1]]))
            return super().fit(training, validation)

    seen = []
    run(Recording(1), study, tmp_path)
    expected = [
        (study.panel.dates[[0, end - 9]], study.panel.dates[[end - 8, end - 1]])
        for end in (22, 28, 34, 40)
    ]
    np.testing.assert_array_equal(seen, expected)


@dataclass(frozen=True)
class _Turned(InstrumentedPCA):
    """IPCA whose every other fold comes with axes exchanged and signs turned."""

    def fit(self, training, validation):
        gamma = super().fit(training, validation).state["gamma"]
        odd = training.n_dates // 6 % 2
        return Fit({"gamma": -np.roll(gamma, 1, axis=1) if odd else gamma})


def test_what_is_published_does_not_depend_on_the_basis_a_fit_happened_to_find(study, tmp_path):
    plain = run(InstrumentedPCA(3), study, tmp_path / "plain")
    turned = run(_Turned(3), study, tmp_path / "turned")
    for name, first in (("betas", "factor_1"), ("factors", "factor_1"), ("predictions", "fitted")):
        one, other = (getattr(r, name).loc[:, first:] for r in (plain, turned))
        np.testing.assert_allclose(one, other, atol=1e-8)


@pytest.fixture(scope="module")
def long_market():
    panel = simulate(n_dates=90, n_assets=60, n_characteristics=4, seed=111, noise=0.05).panel
    settings = WalkForwardSettings(
        scheme="expanding", train=50, validation=10, embargo=1, refit_every=6
    )
    return panel, make_folds(90, settings)


@pytest.mark.parametrize("model", [InstrumentedPCA(3), _Turned(3)], ids=["ipca", "turned"])
def test_betas_of_adjacent_folds_agree(long_market, model):
    panel, folds = long_market
    basis, previous = None, None
    for fold in folds:
        samples = (
            (fold.train_start, fold.validation_start),
            (
                fold.validation_start,
                fold.validation_end,
            ),
        )
        state = model.fit(*(panel.between(*ends) for ends in samples)).state
        estimates = estimate_fold(model, state, panel, fold, basis)
        if previous is not None:
            old_state, old_rotations = previous
            old = rotate_betas(model.betas(old_state, estimates.panel), old_rotations)[0]
            for k in range(3):
                assert np.corrcoef(old[:, k], estimates.betas[:, k])[0, 1] > 0.9
        basis, previous = estimates.basis, (state, estimates.rotations)


def test_without_the_alignment_they_would_not(long_market):
    """What makes the test above one that can fail."""
    panel, folds = long_market
    raw = []
    for fold in folds[:2]:
        validation = panel.between(fold.validation_start, fold.validation_end)
        fit = _Turned(3).fit(panel.between(0, fold.validation_start), validation)
        raw.append(_Turned(3).betas(fit.state, panel)[0])
    for k in range(3):
        assert np.corrcoef(raw[0][:, k], raw[1][:, k])[0, 1] < 0.5


def test_models_differ_in_the_store(study, tmp_path):
    first = run(InstrumentedPCA(2), study, tmp_path)
    second = run(PrincipalComponents(2), study, tmp_path)
    assert second.n_fitted == 4
    assert not set(first.keys) & set(second.keys)


def test_a_changed_return_refits_only_the_folds_that_hold_it(study, tmp_path):
    run(InstrumentedPCA(2), study, tmp_path)
    R = np.where(study.panel.date_index == 30, study.panel.R + 0.01, study.panel.R)
    changed = run_model(
        InstrumentedPCA(2), with_returns(study.panel, R), study.folds, FoldStore(tmp_path)
    )
    assert changed.n_fitted == 2  # fits end at 22, 28, 34 and 40
