"""Settings and data: valid, there, and readable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from latentbeta.config import Settings, read_settings
from latentbeta.doctor.findings import Finding
from latentbeta.errors import LatentBetaError

# What the stages leave behind: file, the stage that makes it.
TABLES = {
    "data/prices/prices.parquet": "ingest",
    "data/prices/given_panel.parquet": "ingest",
    "data/panel/panel.parquet": "characteristics",
    "data/results/predictions.parquet": "train",
}


def settings_of(project: Path) -> tuple[Settings | None, Finding]:
    """Return the settings, None where they are not valid, with what there is to say."""
    try:
        settings = read_settings(project / "params.yaml")
    except LatentBetaError as error:
        return None, Finding(
            area="settings",
            state="blocks",
            text=str(error),
            advice="correct params.yaml; its comments say what each setting is",
        )
    models = f"{len(settings.models.names)} models, K = {list(settings.models.n_factors)}"
    return settings, Finding(
        area="settings",
        state="well",
        text=f"params.yaml is valid: {settings.rebalancing}, {models}, data from"
        f" {settings.data.path}",
    )


def data(project: Path, settings: Settings) -> Iterator[Finding]:
    """Give findings about the source and about the tables that the stages made."""
    yield _source(project, settings)
    for name, stage in TABLES.items():
        if (project / name).is_file():
            yield _table(project / name, name, stage)


def _source(project: Path, settings: Settings) -> Finding:
    path = project / settings.data.path
    if path.exists():
        files = [path] if path.is_file() else [f for f in path.rglob("*") if f.is_file()]
        size = sum(file.stat().st_size for file in files) / 1e6
        text = f"{settings.data.path}: {len(files)} file(s), {size:,.1f} MB"
        if files:
            return Finding(area="data", state="well", text=text)
        advice = "put files of prices there, or set data.path in params.yaml"
        return Finding(area="data", state="blocks", text=text, advice=advice)
    if settings.data.path == Path("data/simulated"):
        return Finding(
            area="data",
            state="note",
            text="the simulated market is not made yet",
            advice="`latentbeta run` makes it",
        )
    if settings.data.path == Path("data/fetched"):
        return Finding(
            area="data",
            state="note",
            text="nothing has been fetched yet",
            advice="`latentbeta run` fetches it; docs/sources.md says from where",
        )
    return Finding(
        area="data",
        state="blocks",
        text=f"{settings.data.path} is not there",
        advice="set data.path in params.yaml, or give DATA= to `make run`",
    )


def _table(file: Path, name: str, stage: str) -> Finding:
    """Return rows and dates of a stage's table, read from the dates alone."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        dates = pq.read_table(file, columns=["date"])["date"].cast("timestamp[us]")
        ends = [pc.min_max(dates)[side].as_py() for side in ("min", "max")]
    except (OSError, ValueError, KeyError) as error:
        return Finding(
            area="data",
            state="blocks",
            text=f"{name} cannot be read ({error})",
            advice=f"make it again: `dvc repro --force {stage}`",
        )
    if None in ends:
        return Finding(
            area="data",
            state="blocks",
            text=f"{name} has {len(dates):,} rows and no date",
            advice=f"make it again: `dvc repro --force {stage}`",
        )
    first, last = (f"{end:%Y-%m-%d}" for end in ends)
    return Finding(
        area="data", state="well", text=f"{name}: {len(dates):,} rows, {first} to {last}"
    )
