"""How fits are spread over processes."""

import warnings
from dataclasses import dataclass

import pytest
from flows import fan_out
from tests.simulated_panels import simulate, write_panel_table

from latentbeta.config import ExecutionSettings
from latentbeta.errors import ConvergenceWarning
from latentbeta.models.pca import PrincipalComponents
from latentbeta.walk_forward.folds import Fold
from latentbeta.walk_forward.jobs import Job

JOBS = [Job(PrincipalComponents(k), ()) for k in range(1, 36)]
TWO = ExecutionSettings(workers=2, scheduler=None)


def test_processes_are_renewed_after_so_many_jobs_each(monkeypatch):
    monkeypatch.setattr(fan_out, "JOBS_PER_PROCESS", 8)
    found = fan_out.turns(JOBS, TWO)
    assert [len(turn) for turn in found] == [16, 16, 3]
    assert [job for turn in found for job in turn] == JOBS


def test_a_clusters_processes_are_left_alone():
    cluster = ExecutionSettings(workers=2, scheduler="tcp://host:8786")
    assert fan_out.turns(JOBS, cluster) == [JOBS]


@pytest.mark.parametrize(("seconds", "spread"), [(5.0, []), (60.0, JOBS)])
def test_fits_that_processes_cannot_speed_up_stay_in_the_stages_own(
    tmp_path, monkeypatch, seconds, spread
):
    panel = simulate(n_dates=20, n_assets=8, n_characteristics=2, seed=110).panel
    write_panel_table(panel, tmp_path)
    given: list[Job] = []
    monkeypatch.setattr(fan_out, "expected_seconds", lambda *_: seconds)
    monkeypatch.setattr(fan_out, "fit_side_by_side", lambda jobs, *_: given.extend(jobs))
    fit_ahead = fan_out.fitter(TWO, tmp_path, tmp_path / "store")
    assert fit_ahead is not None
    fit_ahead(JOBS)
    assert given == spread


def test_dask_pauses_no_process_for_its_memory():
    assert fan_out._runner(TWO).cluster_kwargs["memory_limit"] is None


@dataclass(frozen=True)
class _Restless(PrincipalComponents):
    def fit(self, training, validation):
        warnings.warn("PCA: still moving", ConvergenceWarning, stacklevel=2)
        return super().fit(training, validation)


@pytest.mark.filterwarnings("default::latentbeta.errors.ConvergenceWarning")
def test_a_warning_from_a_process_is_one_plain_line(tmp_path, capsys):
    panel = simulate(n_dates=20, n_assets=8, n_characteristics=2, seed=110).panel
    write_panel_table(panel, tmp_path / "panel")
    job = Job(_Restless(1), (Fold(0, 0, 10, 16, 17, 20),))
    assert fan_out.fit_job.fn(job, tmp_path / "panel", tmp_path / "store") == 1
    assert capsys.readouterr().out == "warning: PCA: still moving\n"
    assert len(list((tmp_path / "store").iterdir())) == 1
