"""From challenger to champion: registering tonight's model and letting the gate decide."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from latentbeta.config import NightlySettings
from latentbeta.errors import TrackingError
from latentbeta.tracking import gate
from latentbeta.tracking.files import ProjectFiles
from latentbeta.tracking.registry import (
    NAME,
    Version,
    champion,
    promote,
    register_challenger,
)
from latentbeta.tracking.replay import Runs
from latentbeta.tracking.store import Store, open_store


@dataclass(frozen=True, kw_only=True)
class Succession:
    """What the registry holds after the gate.

    Attributes
    ----------
    challenger, champion : Version
        Equal when the challenger was accepted, or was the champion already.
    registered : bool
        False when a version with the challenger's weights existed.
    decision : Decision
    """

    challenger: Version
    champion: Version
    registered: bool
    decision: gate.Decision


def settle(project: Path, settings: NightlySettings, runs: Runs) -> Succession:
    """Register tonight's model as challenger and promote it if it is no worse.

    Parameters
    ----------
    runs : Runs
        Of the results that lie in the project.

    Raises
    ------
    TrackingError
        When the model that the night publishes was not trained, or cannot be loaded.
    """
    key = settings.model, settings.n_factors
    if key not in runs.children:
        raise TrackingError(
            f"nightly.model {key[0]} with {key[1]} factors was not trained: name it in"
            " models.names and models.n_factors, or change nightly in params.yaml"
        )
    version, registered = register_challenger(project, runs.children[key])
    incumbent = champion(project)
    decision = _decide(project, settings, version, incumbent)
    chosen = promote(project, version.number) if decision.accepted else incumbent
    store = open_store(project)
    store.client.set_model_version_tag(NAME, str(version.number), "gate", decision.reason)
    return Succession(
        challenger=version,
        champion=chosen or version,
        registered=registered,
        decision=decision,
    )


def _decide(
    project: Path, settings: NightlySettings, version: Version, incumbent: Version | None
) -> gate.Decision:
    if incumbent is None:
        return gate.without_comparison(accepted=True, reason="there was no champion")
    if incumbent.number == version.number:
        return gate.without_comparison(accepted=True, reason="it is the champion already")
    decision = gate.decide(
        _tonight(project, settings.model, settings.n_factors),
        _predictions_of(open_store(project), incumbent),
        tolerance=settings.tolerance,
    )
    if decision.n_pairs == 0 and incumbent.data_source != version.data_source:
        reason = f"the champion was trained on other data ({incumbent.data_source})"
        return gate.without_comparison(accepted=True, reason=reason)
    return decision


def _tonight(project: Path, model: str, n_factors: int) -> pd.DataFrame:
    path = ProjectFiles(project).results / "predictions.parquet"
    return pd.read_parquet(path, filters=[("model", "==", model), ("n_factors", "==", n_factors)])


def _predictions_of(store: Store, version: Version) -> pd.DataFrame:
    """Read the out-of-sample predictions that a version's own run recorded."""
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    try:
        uri = store.client.get_run(version.run_id).info.artifact_uri
        return pd.read_parquet(download_artifacts(f"{uri}/tables/predictions.parquet"))
    except (MlflowException, OSError) as error:
        raise TrackingError(
            f"the predictions of the champion, {version}, cannot be read from its run"
            f" {version.run_id}: {error}; promote another version with `latentbeta promote`"
        ) from error
