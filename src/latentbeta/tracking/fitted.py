"""Fitted models as MLflow models: characteristics of any number of assets in, betas out."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentbeta.errors import TrackingError
from latentbeta.storage import read_json
from latentbeta.tracking.store import Store

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

NETWORK = "beta_network.keras"
FORECAST_NETWORK = "forecast_network.keras"
LOADINGS = "loadings.npz"
ABOUT = "about.json"
FOLDER = "fitted"


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedModel:
    """A model read back from the store.

    Attributes
    ----------
    characteristics : tuple of P str
        Columns the model was given, in its order.
    premia : (K,)
        λ, the mean factor return up to the end of its training data.
    """

    model: str
    n_factors: int
    characteristics: tuple[str, ...]
    premia: NDArray[np.float64]
    _predict: Any
    _forecast: Any = None

    def betas(self, Z: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return (n, K) betas of (n, P) characteristics."""
        values = self._predict(np.ascontiguousarray(Z, dtype=np.float32))
        return np.asarray(values, dtype=np.float64)

    def forecasts(self, Z: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return (n,) forecasts: the mean of an ensemble's own, β·λ of a model without members."""
        if self._forecast is None:
            return self.betas(Z) @ self.premia
        values = self._forecast(np.ascontiguousarray(Z, dtype=np.float32))
        return np.asarray(values, dtype=np.float64)[:, 0]


def log_fitted(store: Store, run_id: str, folder: Path) -> None:
    """Put a model of the newest fold onto its run, as an MLflow model where it is one.

    Parameters
    ----------
    folder : Path
        ``about.json`` with model, n_factors, fold, characteristics, premia and hash, beside
        ``beta_network.keras`` or ``loadings.npz``. A model whose betas are no function of the
        characteristics (loadings without ``gamma``: observed factors, PCA) is kept as files alone.
    """
    about = read_json(folder / ABOUT)
    store.client.log_artifacts(run_id, str(folder), FOLDER)
    store.client.set_tag(run_id, "model.hash", about["hash"])
    signature = _signature(len(about["characteristics"]), int(about["n_factors"]))
    if (folder / NETWORK).exists():
        _log_network(store, run_id, folder / NETWORK, signature)
    elif (folder / LOADINGS).exists() and _is_linear(folder / LOADINGS):
        _log_linear(store, run_id, folder / LOADINGS, signature)


def learn_packages() -> None:
    """Have MLflow read what is installed: it does so once a process, for its first model."""
    from mlflow.utils.requirements_utils import warn_dependency_requirement_mismatches

    warn_dependency_requirement_mismatches(_requirements("numpy"))


def load_fitted(store: Store, run_id: str, model_uri: str) -> FittedModel:
    """Read a registered model and what is needed to forecast with it.

    Raises
    ------
    TrackingError
        When its files are gone.
    """
    mlflow = _quietly_imported()
    try:
        about = mlflow.artifacts.load_dict(_about_uri(store, run_id))
        loaded = mlflow.pyfunc.load_model(model_uri)
        if loaded.loader_module == "mlflow.keras":
            _hide_progress_of_keras()
        forecast = _forecast_network(store, run_id)
    except (mlflow.exceptions.MlflowException, OSError) as error:
        raise TrackingError(f"{model_uri} of run {run_id} cannot be read: {error}") from error
    return FittedModel(
        model=about["model"],
        n_factors=int(about["n_factors"]),
        characteristics=tuple(about["characteristics"]),
        premia=np.asarray(about["premia"], dtype=np.float64),
        _predict=loaded.predict,
        _forecast=forecast,
    )


def _forecast_network(store: Store, run_id: str) -> Any:
    """Load the ensemble's forecast network, None for a model that has none."""
    kept = {file.path for file in store.client.list_artifacts(run_id, FOLDER)}
    if f"{FOLDER}/{FORECAST_NETWORK}" not in kept:
        return None
    import keras

    path = store.client.download_artifacts(run_id, f"{FOLDER}/{FORECAST_NETWORK}")
    return keras.models.load_model(path, compile=False)


def _quietly_imported() -> Any:
    """Import MLflow's models without the warning it gives about a type hint of its own."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*inferred as AnyType", category=UserWarning)
        import mlflow.pyfunc

    return mlflow


def _hide_progress_of_keras() -> None:
    import keras

    keras.config.disable_interactive_logging()


def _about_uri(store: Store, run_id: str) -> str:
    return f"{store.client.get_run(run_id).info.artifact_uri}/{FOLDER}/{ABOUT}"


def _signature(n_characteristics: int, n_factors: int) -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    kind = np.dtype("float32")
    return ModelSignature(
        inputs=Schema([TensorSpec(kind, (-1, n_characteristics))]),
        outputs=Schema([TensorSpec(kind, (-1, n_factors))]),
    )


def _example(signature: ModelSignature) -> NDArray[np.float32]:
    """One average asset: MLflow runs the model on it once when it is logged."""
    return np.zeros((1, signature.inputs.inputs[0].shape[1]), dtype=np.float32)


def _is_linear(path: Path) -> bool:
    """Tell whether betas are [Z, 1] Γ: the loadings hold a Γ."""
    with np.load(path, allow_pickle=False) as file:
        return "gamma" in file.files


def _log_network(store: Store, run_id: str, path: Path, signature: ModelSignature) -> None:
    import keras

    _log_model(
        store,
        run_id,
        _quietly_imported().keras,
        model=keras.models.load_model(path, compile=False),
        signature=signature,
        pip_requirements=_requirements("keras", "tensorflow-cpu", "numpy"),
    )


def _log_linear(store: Store, run_id: str, path: Path, signature: ModelSignature) -> None:
    _log_model(
        store,
        run_id,
        _quietly_imported().pyfunc,
        loader_module="linear_betas",
        code_paths=[str(Path(__file__).with_name("linear_betas.py"))],
        data_path=str(path),
        signature=signature,
        input_example=_example(signature),
        pip_requirements=_requirements("numpy"),
    )


def _log_model(store: Store, run_id: str, flavor: Any, **described: Any) -> None:
    """Log a model onto a run that stays open: MLflow ends one that its `log_model` works in."""
    import mlflow
    from mlflow.models import Model

    mlflow.set_experiment(experiment_id=store.experiment_id)  # else the model is in another one
    Model.log(artifact_path=None, name="model", flavor=flavor, run_id=run_id, **described)


def _requirements(*packages: str) -> list[str]:
    """Pin the packages: MLflow's own inference of them takes half a minute a model."""
    return [f"{package}=={version(package)}" for package in packages]
