"""How long fits will take, roughly: enough to tell whether more processes pay."""

from __future__ import annotations

from latentbeta.config import NetworkSettings
from latentbeta.models.protocol import FactorModel
from latentbeta.panel.panel import Panel
from latentbeta.walk_forward.jobs import Job

# Measured with 30 characteristics on one thread, for CA1; docs/scaling.md has others.
SECONDS_A_ROW = 1e-7  # of one network and epoch
EPOCHS_RUN = 0.5  # of those allowed, until early stopping
SOLVED = 10.0  # what is solved rather than trained costs about so many epochs of one network


def expected_seconds(jobs: list[Job], panel: Panel) -> float:
    """Return about how many seconds one process of one thread will fit for.

    Parameters
    ----------
    panel : Panel
        Which the jobs' folds are of; only its dates' numbers of rows are read.
    """
    return SECONDS_A_ROW * sum(
        network_epochs(job.model)
        * float(panel.offsets[fold.validation_start] - panel.offsets[fold.train_start])
        for job in jobs
        for fold in job.folds
    )


def network_epochs(model: FactorModel) -> float:
    """Return how often a fit goes over its training rows, times the networks that it trains."""
    settings = getattr(model, "settings", None)
    if not isinstance(settings, NetworkSettings):
        return SOLVED
    pairs = len(settings.learning_rates) * len(settings.l1_penalties)
    n_seeds: int = getattr(model, "n_seeds", 1)
    return n_seeds * pairs * settings.epochs * EPOCHS_RUN
