"""Next period's betas and forecasts of the champion, as dated files that are whole or absent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from latentbeta.config import Settings
from latentbeta.errors import TrackingError
from latentbeta.storage import (
    content_hash,
    folder_written_atomically,
    read_json,
    write_json,
    write_parquet,
)
from latentbeta.tracking.files import ProjectFiles
from latentbeta.tracking.fitted import FittedModel, load_fitted
from latentbeta.tracking.lineage import last_date
from latentbeta.tracking.registry import Version
from latentbeta.tracking.store import open_store
from latentbeta.tracking.succession import Succession

LATEST = "latest.json"


@dataclass(frozen=True, kw_only=True, eq=False)
class NextPeriod:
    """What is published.

    Attributes
    ----------
    betas : DataFrame
        date, asset, factor_1 … factor_K.
    forecasts : DataFrame
        date, asset, forecast: excess return of the period, decimal.
    """

    betas: pd.DataFrame
    forecasts: pd.DataFrame


def publish(project: Path, settings: Settings, succession: Succession) -> Path:
    """Write the champion's next period to ``data/published/<as_of>`` and return that folder.

    The same data and champion give the same bytes, so a night that is run again changes nothing.
    ``latest.json`` names the newest night, and never moves back.
    """
    files, version = ProjectFiles(project), succession.champion
    if version == succession.challenger:
        period = from_results(files, version)
    else:
        model = load_fitted(open_store(project), version.run_id, version.uri)
        period = scored(model, pd.read_parquet(files.panel / "panel.parquet"))
    as_of = last_date(files)
    target = files.published / as_of
    with folder_written_atomically(target) as folder:
        write_parquet(period.betas, folder / "betas.parquet")
        write_parquet(period.forecasts, folder / "forecasts.parquet")
        manifest = _manifest(files, settings, version, period, folder)
        write_json(manifest | {"as_of": as_of}, folder / "manifest.json")
    _point_to_newest(files)
    return target


def from_results(files: ProjectFiles, version: Version) -> NextPeriod:
    """Take the newest date's rows of a model out of tonight's results."""
    mine = [("model", "==", version.model), ("n_factors", "==", version.n_factors)]
    predictions = pd.read_parquet(files.results / "predictions.parquet", filters=mine)
    betas = pd.read_parquet(files.results / "betas.parquet", filters=mine)
    newest = predictions["date"].max()
    factors = [f"factor_{k + 1}" for k in range(version.n_factors)]
    rows = betas.loc[betas["date"] == newest, ["date", "asset", *factors]]
    forecasts = predictions.loc[predictions["date"] == newest, ["date", "asset", "forecast"]]
    return NextPeriod(betas=_sorted(rows), forecasts=_sorted(forecasts))


def scored(model: FittedModel, panel: pd.DataFrame) -> NextPeriod:
    """Apply a model to the newest date's characteristics.

    Parameters
    ----------
    panel : DataFrame
        As in panel.parquet.

    Raises
    ------
    TrackingError
        When the panel lacks a characteristic that the model was given.
    """
    missing = [name for name in model.characteristics if name not in panel.columns]
    if missing:
        raise TrackingError(
            f"the champion ({model.model}, K={model.n_factors}) needs characteristics that"
            f" tonight's panel lacks: {', '.join(missing)}; add them to characteristics.names in"
            " params.yaml, or promote another version with `latentbeta promote`"
        )
    rows = panel[panel["date"] == panel["date"].max()].sort_values("asset", ignore_index=True)
    Z = rows[list(model.characteristics)].to_numpy(np.float32)
    betas = model.betas(Z)
    keys = rows[["date", "asset"]]
    columns = {f"factor_{k + 1}": betas[:, k] for k in range(model.n_factors)}
    return NextPeriod(
        betas=keys.assign(**columns), forecasts=keys.assign(forecast=model.forecasts(Z))
    )


def _manifest(
    files: ProjectFiles, settings: Settings, version: Version, period: NextPeriod, folder: Path
) -> dict[str, Any]:
    return {
        "period_end": str(period.forecasts["date"].iloc[0])[:10],
        "rebalancing": settings.rebalancing,
        "n_assets": len(period.forecasts),
        "model": version.model,
        "n_factors": version.n_factors,
        "version": version.number,
        "run_id": version.run_id,
        "model_hash": version.model_hash,
        "data_source": settings.data.path.as_posix(),
        "universe": settings.data.universe,
        "panel_hash": content_hash(files.panel / "panel.parquet"),
        "files": {path.name: content_hash(path) for path in sorted(folder.glob("*.parquet"))},
    }


def _point_to_newest(files: ProjectFiles) -> None:
    nights = sorted(path.parent for path in files.published.glob("[0-9]*/manifest.json"))
    manifest = read_json(nights[-1] / "manifest.json")
    write_json({"folder": nights[-1].name} | manifest, files.published / LATEST)


def _sorted(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values(["date", "asset"], ignore_index=True)
