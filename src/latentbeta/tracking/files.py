"""Where a project's saved results lie: all that tracking ever reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ProjectFiles:
    """Paths of what the stages leave behind; see docs/architecture.md for their contents."""

    project: Path

    @property
    def data(self) -> Path:
        """Everything runs make."""
        return self.project / "data"

    @property
    def prices(self) -> Path:
        """Folder of the ingest stage."""
        return self.data / "prices"

    @property
    def source(self) -> Path:
        """What ingest stored: daily prices, or a panel that came without them."""
        given = self.prices / "given_panel.parquet"
        return given if given.exists() else self.prices / "prices.parquet"

    @property
    def panel(self) -> Path:
        """Folder of the characteristics stage."""
        return self.data / "panel"

    @property
    def validation(self) -> Path:
        """Folder of the validate stage."""
        return self.data / "validation"

    @property
    def results(self) -> Path:
        """Folder of the results that others rely on."""
        return self.data / "results"

    @property
    def training(self) -> Path:
        """Folder of what training leaves beside the results."""
        return self.data / "training"

    @property
    def runs(self) -> Path:
        """MLflow run ids of the results, kept with them."""
        return self.training / "runs.json"

    @property
    def evaluation(self) -> Path:
        """Folder of the evaluate stage."""
        return self.data / "evaluation"

    @property
    def report(self) -> Path:
        """Folder of the report stage."""
        return self.data / "report"

    @property
    def published(self) -> Path:
        """Folder of the nightly publications."""
        return self.data / "published"
