import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latentbeta.config import Settings, read_settings
from latentbeta.storage import write_json, write_parquet, write_text
from latentbeta.tracking.files import ProjectFiles
from latentbeta.tracking.training import record_training, start_training

ROOT = Path(__file__).parents[2]
CHARACTERISTICS = ("mom1m", "mom12m", "mvel1", "beta")
MODELS = (("pca", 2), ("ipca", 2), ("ca1", 3))


@dataclass(frozen=True)
class Project:
    """A folder with saved results of three small models, recorded in its own MLflow store."""

    folder: Path
    settings: Settings
    runs: dict

    @property
    def files(self) -> ProjectFiles:
        return ProjectFiles(self.folder)

    def run_id(self, model: str) -> str:
        return next(c["run_id"] for c in self.runs["children"] if c["model"] == model)


@pytest.fixture(scope="package")
def project(tmp_path_factory):
    return recorded_project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def own_project(tmp_path):
    return recorded_project(tmp_path, models=(("ca1", 3),))


def recorded_project(folder, models=MODELS):
    settings = write_project(folder, models)
    parent = start_training(folder, settings, tags={"prefect.flow_run_id": "night-1"})
    runs = record_training(folder, settings, parent)
    write_json(runs, ProjectFiles(folder).runs)
    return Project(folder, settings, runs)


def write_project(folder, models):
    """Write the outputs of every stage, small, and return the settings."""
    shutil.copy(ROOT / "params.yaml", folder)
    files, rng = ProjectFiles(folder), np.random.default_rng(5)
    dates = pd.date_range("2010-01-31", periods=6, freq="ME").astype("datetime64[us]")
    rows = pd.MultiIndex.from_product([dates, [f"A{i}" for i in range(5)]], names=["date", "asset"])
    panel = rows.to_frame(index=False)
    panel["formation"] = panel["date"] - pd.Timedelta(days=30)
    panel["return"] = rng.normal(0, 0.1, len(panel))
    panel.loc[panel["date"] == dates[-1], "return"] = np.nan
    panel["market_equity"] = 1.0
    for name in CHARACTERISTICS:
        panel[name] = rng.uniform(-1, 1, len(panel)).astype(np.float32)
    write_parquet(panel, files.panel / "panel.parquet")
    write_json({"n_rows": len(panel)}, files.panel / "summary.json")
    write_parquet(panel[["date", "asset"]], files.prices / "prices.parquet")
    write_json({"last_date": "2010-06-15"}, files.prices / "summary.json")
    write_json({"rules": []}, files.validation / "result.json")
    write_text("<html></html>", files.validation / "docs/index.html")
    write_results(files, panel, rng, models)
    write_training(files, rng, models)
    write_evaluation(files, models)
    return read_settings(folder / "params.yaml")


def write_results(files, panel, rng, models):
    predictions, betas, factors = [], [], []
    for model, n_factors in models:
        base = {"model": model, "n_factors": n_factors}
        keys = panel[["date", "asset"]].assign(**base)
        keys["fold"] = np.where(panel["date"] < panel["date"].unique()[3], 0, 1)
        noise = rng.normal(0, 0.02, (2, len(panel)))
        predictions.append(
            keys.assign(
                realised=panel["return"],
                fitted=panel["return"] * 0.5 + noise[0],
                forecast=panel["return"].fillna(0) * 0.1 + noise[1],
            )
        )
        loadings = rng.normal(size=(len(panel), n_factors))
        betas.append(keys.assign(**{f"factor_{k + 1}": loadings[:, k] for k in range(n_factors)}))
        by_date = keys.drop_duplicates("date").drop(columns="asset")
        returns = rng.normal(size=(len(by_date), n_factors))
        columns = {f"factor_{k + 1}": returns[:, k] for k in range(n_factors)}
        premia = {f"premium_{k + 1}": 0.01 * (k + 1) for k in range(n_factors)}
        factors.append(by_date.assign(**columns, **premia))
    order = ["model", "n_factors", "fold", "date", "asset"]
    for name, tables in (("predictions", predictions), ("betas", betas), ("factors", factors)):
        table = pd.concat(tables, ignore_index=True)
        first = [column for column in order if column in table]
        table = table[first + [c for c in table if c not in order]]
        write_parquet(table, files.results / f"{name}.parquet")
    write_parquet(pd.DataFrame({"fold": [0, 1]}), files.results / "folds.parquet")


def write_training(files, rng, models):
    history = pd.DataFrame(
        [
            ("ca1", 3, 0, 0, 0, 4.0, 5.0),
            ("ca1", 3, 0, 0, 1, 2.0, 3.0),
            ("ca1", 3, 0, 1, 0, 6.0, 9.0),
            ("ca1", 3, 1, 0, 0, 1.0, 1.5),
        ],
        columns=[
            "model",
            "n_factors",
            "fold",
            "member",
            "epoch",
            "training_loss",
            "validation_loss",
        ],
    )
    write_parquet(history, files.training / "history.parquet")
    selection = pd.DataFrame(
        [("ca1", 3, 0, 0, 1, 3.0), ("ca1", 3, 0, 1, 0, 9.0), ("ca1", 3, 1, 0, 0, 1.5)],
        columns=["model", "n_factors", "fold", "member", "best_epoch", "validation_loss"],
    ).assign(l1_penalty=0.001, learning_rate=0.02)
    write_parquet(selection, files.training / "selection.parquet")
    write_json([{"model": "rp_pca", "n_factors": 2}], files.training / "left_out.json")
    write_parquet(pd.DataFrame({"value": [0.0]}), files.training / "beta_functions.parquet")
    for model, n_factors in models:
        write_model(files.training / "models" / f"{model}_{n_factors}", model, n_factors, rng)


def write_model(folder, model, n_factors, rng):
    folder.mkdir(parents=True)
    about = {
        "model": model,
        "n_factors": n_factors,
        "fold": 1,
        "characteristics": list(CHARACTERISTICS),
        "premia": [0.01 * (k + 1) for k in range(n_factors)],
        "hash": f"weights of {model}",
    }
    write_json(about, folder / "about.json")
    if model == "ipca":
        gamma = rng.normal(size=(len(CHARACTERISTICS) + 1, n_factors))
        np.savez(folder / "loadings.npz", gamma=gamma)
    if model == "pca":
        np.savez(folder / "loadings.npz", assets=["A"], betas=rng.normal(size=(1, n_factors)))
    if model == "ca1":
        import keras

        keras.utils.set_random_seed(3)
        layers = [
            keras.Input((len(CHARACTERISTICS),)),
            keras.layers.Dense(4, activation="relu"),
            keras.layers.Dense(n_factors),
        ]
        keras.Sequential(layers).save(folder / "beta_network.keras")
        # Not the betas times the premia: an ensemble's forecast is its members' own mean.
        own = [keras.Input((len(CHARACTERISTICS),)), keras.layers.Dense(1)]
        keras.Sequential(own).save(folder / "forecast_network.keras")


def write_evaluation(files, models):
    metrics, folds = [], []
    for place, (model, n_factors) in enumerate(models):
        base = {"model": model, "n_factors": n_factors}
        metrics.append(
            base
            | {"total_r2": 0.1 + place, "total_r2_se": 0.01, "ic": None, "n_dates": 5}
            | {"total_r2_low": 0.0, "total_r2_high": 9.0}
            | {"predictive_r2": 0.5 - place, "first_test_date": "2010-01-31"}
        )
        folds += [
            base
            | {"fold": fold, "first_date": "2010-01-31", "last_date": "2010-03-31"}
            | {"total_r2": 0.2 * (fold + 1), "ic": np.nan if fold else 0.05}
            for fold in (0, 1)
        ]
    write_json(metrics, files.results / "metrics.json")
    write_parquet(pd.DataFrame(folds), files.evaluation / "fold_metrics.parquet")
    files.report.mkdir(parents=True)
    (files.report / "report.html").write_text("<h1>verdict</h1>")
