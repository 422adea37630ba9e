"""MLflow: the only room that imports it. Everything is recorded from saved files."""

from latentbeta.tracking.evaluation import ensure_recorded, record_evaluation, record_report
from latentbeta.tracking.fitted import learn_packages
from latentbeta.tracking.model_runs import lay_out, record_models
from latentbeta.tracking.publication import publish
from latentbeta.tracking.registry import champion, promote, register_challenger
from latentbeta.tracking.store import initialise
from latentbeta.tracking.succession import settle
from latentbeta.tracking.training import (
    fail_training,
    finish_training,
    record_training,
    start_training,
)

__all__ = [
    "champion",
    "ensure_recorded",
    "fail_training",
    "finish_training",
    "initialise",
    "lay_out",
    "learn_packages",
    "promote",
    "publish",
    "record_evaluation",
    "record_models",
    "record_report",
    "record_training",
    "register_challenger",
    "settle",
    "start_training",
]
