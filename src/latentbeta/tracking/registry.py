"""The model registry: every night's model is a challenger, one at a time is the champion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from latentbeta.errors import TrackingError
from latentbeta.tracking.store import Store, open_store

NAME = "latentbeta"
CHAMPION, CHALLENGER = "champion", "challenger"
COPIED_TAGS = ("model.hash", "data.source", "data.last_date", "data.universe", "panel.hash")


@dataclass(frozen=True, kw_only=True)
class Version:
    """A registered model.

    Attributes
    ----------
    number : int
    run_id : str
        The model's run, which holds its forecasts and what it was given.
    model : str
    n_factors : int
    model_hash : str
        Of its weights.
    data_source : str
        ``data.path`` it was trained on.
    """

    number: int
    run_id: str
    model: str
    n_factors: int
    model_hash: str
    data_source: str

    @property
    def uri(self) -> str:
        """Address that MLflow loads it from."""
        return f"models:/{NAME}/{self.number}"

    def __str__(self) -> str:
        return f"version {self.number} ({self.model}, K={self.n_factors})"


def register_challenger(project: Path, run_id: str) -> tuple[Version, bool]:
    """Register the model of a run and give it the challenger alias.

    Returns
    -------
    (Version, bool)
        The second is False when a version with the same weights exists: then that one is the
        challenger and nothing new is registered.

    Raises
    ------
    TrackingError
        When the run has no model that can be loaded.
    """
    store = open_store(project)
    run = store.client.get_run(run_id)
    outputs = run.outputs.model_outputs if run.outputs else []
    if not outputs or "model.hash" not in run.data.tags:
        raise TrackingError(
            f"run {run_id} ({run.info.run_name}) has no fitted model to register: set"
            " nightly.model to ipca or to one of the conditional autoencoders"
        )
    _ensure_name(store)
    known = _with_hash(store, run.data.tags["model.hash"])
    version = known or _create(store, run, outputs[-1].model_id)
    store.client.set_registered_model_alias(NAME, CHALLENGER, str(version.number))
    return version, known is None


def promote(project: Path, number: int) -> Version:
    """Give a registered version the champion alias.

    Raises
    ------
    TrackingError
        When there is no such version.
    """
    from mlflow.exceptions import MlflowException

    store = open_store(project)
    try:
        store.client.set_registered_model_alias(NAME, CHAMPION, str(number))
    except MlflowException as error:
        raise TrackingError(f"the registry has no version {number}: {error}") from error
    return _version(store.client.get_model_version(NAME, str(number)))


def champion(project: Path) -> Version | None:
    """Return the version that publishes, None while there is none."""
    return _with_alias(open_store(project), CHAMPION)


def challenger(project: Path) -> Version | None:
    """Return the version registered last, None while there is none."""
    return _with_alias(open_store(project), CHALLENGER)


def _with_alias(store: Store, alias: str) -> Version | None:
    from mlflow.exceptions import MlflowException

    try:
        return _version(store.client.get_model_version_by_alias(NAME, alias))
    except MlflowException:
        return None


def _with_hash(store: Store, model_hash: str) -> Version | None:
    found = store.client.search_model_versions(
        f"name = '{NAME}' AND tags.`model.hash` = '{model_hash}'"
    )
    return max((_version(v) for v in found), key=lambda v: v.number, default=None)


def _create(store: Store, run: object, model_id: str) -> Version:
    tags = run.data.tags  # type: ignore[attr-defined]
    params = run.data.params  # type: ignore[attr-defined]
    kept = {name: tags[name] for name in COPIED_TAGS if name in tags}
    created = store.client.create_model_version(
        NAME,
        source=f"models:/{model_id}",
        run_id=run.info.run_id,  # type: ignore[attr-defined]
        model_id=model_id,
        tags=kept | {"model": params["model"], "n_factors": params["n_factors"]},
    )
    return _version(created)


def _ensure_name(store: Store) -> None:
    from mlflow.exceptions import MlflowException

    try:
        store.client.get_registered_model(NAME)
    except MlflowException:
        store.client.create_registered_model(
            NAME, description="Betas of next period from characteristics known before it"
        )


def _version(entity: object) -> Version:
    tags = entity.tags  # type: ignore[attr-defined]
    return Version(
        number=int(entity.version),  # type: ignore[attr-defined]
        run_id=str(entity.run_id),  # type: ignore[attr-defined]
        model=tags["model"],
        n_factors=int(tags["n_factors"]),
        model_hash=tags["model.hash"],
        data_source=tags.get("data.source", ""),
    )
