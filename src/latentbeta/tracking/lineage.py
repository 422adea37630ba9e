"""Where a run came from: code, data, folds and settings, as tags and parameters."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from latentbeta.config import Settings
from latentbeta.storage import content_hash, read_json
from latentbeta.tracking.files import ProjectFiles

# What files call their columns, and how fits are spread over processes, changes no result. A query
# may hold a password, against all advice; what came of it is known by its hash.
UNTRACKED_SETTINGS: dict[str, Any] = {
    "data": {"columns"},
    "fetch": {"assets", "requests", "sql"},
    "execution": True,
}
SHARED = ("seed", "rebalancing", "walk_forward.", "characteristics.", "data.")
NETWORKS = ("models.networks.", "models.n_seeds")
CONDITIONAL = (*NETWORKS, "models.factor_inputs")
OWN = {
    "observed_factors": ("models.observed_factors.",),
    "observed_betas": ("models.observed_betas.",),
    "pca": ("models.principal_components.gaps",),
    "rp_pca": ("models.principal_components.risk_premium_weight",),
    "ipca": ("models.ipca.",),
    "autoencoder": NETWORKS,
    "cae_lecture": (*NETWORKS, "models.lecture."),
    **dict.fromkeys(("ca0", "ca1", "ca2", "ca3"), CONDITIONAL),
}


def lineage_tags(files: ProjectFiles, settings: Settings) -> dict[str, str]:
    """Return the tags that say which code and data a training rests on.

    A file that does not exist yet gives no tag.
    """
    hashed = {
        "data.hash": files.source,
        "panel.hash": files.panel / "panel.parquet",
        "folds.hash": files.results / "folds.parquet",
        "dvc.lock.hash": files.project / "dvc.lock",
    }
    tags = {name: content_hash(path) for name, path in hashed.items() if path.exists()}
    tags |= {
        "data.source": settings.data.path.as_posix(),
        "data.universe": settings.data.universe,
        "data.last_date": last_date(files),
        "data.members_priced": members_priced(files),
    }
    return {name: value for name, value in (tags | git_tags(files.project)).items() if value}


def last_date(files: ProjectFiles) -> str:
    """Return the last day that the stored source reaches, empty if there is none."""
    summary = files.prices / "summary.json"
    return str(read_json(summary)["last_date"])[:10] if summary.exists() else ""


def members_priced(files: ProjectFiles) -> str:
    """Return the share of the universe's members that have prices, empty without such a file."""
    summary = files.prices / "summary.json"
    found = read_json(summary).get("membership") if summary.exists() else None
    return f"{found['priced']:.1%}" if found else ""


def git_tags(project: Path) -> dict[str, str]:
    """Return the commit and whether files differ from it; nothing outside a git checkout."""
    commit = _git(project, "rev-parse", "HEAD")
    if not commit:
        return {}
    dirty = _git(project, "status", "--porcelain", "--untracked-files=no") != ""
    return {"mlflow.source.git.commit": commit, "git.dirty": str(dirty).lower()}


def flat_parameters(settings: Settings) -> dict[str, str]:
    """Return every setting that a result rests on as ``section.key``, lists as JSON."""
    document = settings.model_dump(mode="json", exclude=UNTRACKED_SETTINGS)
    return {name: _text(value) for name, value in _flat(document, "")}


def model_parameters(settings: Settings, model: str, n_factors: int) -> dict[str, str]:
    """Return the parameters of one model: the shared ones, and its own of `settings.models`."""
    kept = (*SHARED, *OWN.get(model, ()))
    read = {k: v for k, v in flat_parameters(settings).items() if k.startswith(kept)}
    return {"model": model, "n_factors": str(n_factors)} | read


def _git(project: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(project), *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:  # no git on this machine
        return ""
    return done.stdout.strip()


def _flat(value: Any, prefix: str) -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        return [(prefix, value)]
    dot = "." if prefix else ""
    return [pair for key, item in value.items() for pair in _flat(item, f"{prefix}{dot}{key}")]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
