import numpy as np
import pytest
from tests.simulated_panels import simulate, write_panel_table
from tests.walk_forward.test_train import read, settings_for, train_in

from latentbeta.models.ipca import InstrumentedPCA
from latentbeta.models.pca import PrincipalComponents
from latentbeta.walk_forward.fold_store import FoldStore
from latentbeta.walk_forward.jobs import fit_or_find, open_jobs, run_job
from latentbeta.walk_forward.train import train

MODELS = [PrincipalComponents(2), InstrumentedPCA(2)]


def fits(jobs):
    return [(job.model.name, fold.number) for job in jobs for fold in job.folds]


@pytest.mark.parametrize("n_workers", [1, 2, 9])
def test_jobs_hold_every_open_fit_once(study, tmp_path, n_workers):
    jobs = open_jobs(MODELS, study.panel, study.folds, FoldStore(tmp_path), n_workers)
    wanted = {(model.name, fold.number) for model in MODELS for fold in study.folds}
    assert len(fits(jobs)) == len(wanted)
    assert set(fits(jobs)) == wanted
    assert len(jobs) >= min(n_workers, len(wanted))


def test_finished_fits_are_left_out(study, tmp_path):
    store = FoldStore(tmp_path)
    for fold in study.folds[:-1]:
        fit_or_find(MODELS[1], study.panel, fold, store)
    jobs = open_jobs(MODELS[1:], study.panel, study.folds, store, 1)
    assert fits(jobs) == [("ipca", study.folds[-1].number)]


def test_a_job_sees_a_panel_that_was_replaced(study, tmp_path):
    """A worker lives on from run to run; the panel it has read must not."""
    model, fold = MODELS[0], study.folds[0]
    job = open_jobs([model], study.panel, [fold], FoldStore(tmp_path / "store"), 1)[0]
    other = simulate(n_dates=50, n_assets=30, n_characteristics=4, seed=99).panel
    for panel in (study.panel, other):
        write_panel_table(panel, tmp_path / "panel")
        run_job(job, tmp_path / "panel", tmp_path / "store")
    assert len(list((tmp_path / "store").iterdir())) == 2


def test_results_are_the_same_bytes_when_jobs_ran_ahead(study, tmp_path):
    train_in(tmp_path / "alone", study)
    ahead = tmp_path / "ahead"
    write_panel_table(study.panel, ahead / "panel")
    runs = train(
        settings=settings_for(study),
        panel_folder=ahead / "panel",
        store=ahead / "store",
        results=ahead / "results",
        training=ahead / "training",
        fit_ahead=lambda jobs: [run_job(job, ahead / "panel", ahead / "store") for job in jobs],
    )
    assert sum(run.n_fitted for run in runs) == 0
    for name in ("predictions", "betas", "factors"):
        one, two = (read(tmp_path / place / "results", name) for place in ("alone", "ahead"))
        assert np.array_equal(one.columns, two.columns)
        files = [tmp_path / place / "results" / f"{name}.parquet" for place in ("alone", "ahead")]
        assert files[0].read_bytes() == files[1].read_bytes()


def test_the_longest_jobs_come_first(study, tmp_path):
    jobs = open_jobs(MODELS, study.panel, study.folds, FoldStore(tmp_path), 9)
    assert [job.model for job in jobs] == sorted([j.model for j in jobs], key=MODELS.index)[::-1]
    mine = [job.folds[0].number for job in jobs if job.model == MODELS[0]]
    assert mine == sorted(mine, reverse=True)
    assert len(mine) > 1
