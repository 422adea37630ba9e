"""All settings, and how params.yaml is read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import pydantic
from pydantic import Field
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML, YAMLError

from latentbeta.config.data import (
    CharacteristicsSettings,
    DataSettings,
    FetchSettings,
    QualitySettings,
    SimulationSettings,
)
from latentbeta.config.models import EvaluationSettings, ModelSettings, WalkForwardSettings
from latentbeta.config.values import Count, Frozen, Rebalancing
from latentbeta.errors import SettingsError

COUNTS = re.compile(r"[1-9]\d*(-[1-9]\d*)?(,[1-9]\d*(-[1-9]\d*)?)*")  # 3 or 1,3 or 1-6

PERIODS_PER_YEAR: dict[Rebalancing, int] = {"daily": 252, "weekly": 52, "monthly": 12}


class ExecutionSettings(Frozen):
    """How fits are spread over processes; no result depends on it."""

    workers: Count
    scheduler: str | None


class NightlySettings(Frozen):
    """What the nightly loop registers and publishes."""

    model: str
    n_factors: Count
    tolerance: Annotated[float, Field(ge=0)]


class Settings(Frozen):
    """All of params.yaml."""

    seed: int
    rebalancing: Rebalancing
    simulation: SimulationSettings
    fetch: FetchSettings
    data: DataSettings
    characteristics: CharacteristicsSettings
    quality: QualitySettings
    walk_forward: WalkForwardSettings
    models: ModelSettings
    evaluation: EvaluationSettings
    execution: ExecutionSettings
    nightly: NightlySettings

    @property
    def periods_per_year(self) -> int:
        """Return periods in a year at this rebalancing frequency."""
        return PERIODS_PER_YEAR[self.rebalancing]


def factor_counts(text: str) -> tuple[int, ...]:
    """Return the numbers of factors that a text such as 3, 1,3 or 1-6 names, ascending.

    Raises
    ------
    SettingsError
        When it names none.
    """
    ranges = [part.split("-") for part in text.split(",")] if COUNTS.fullmatch(text) else []
    counts = {k for part in ranges for k in range(int(part[0]), int(part[-1]) + 1)}
    if not counts:
        raise SettingsError(f"{text!r} names no numbers of factors; write 3, 1,3 or 1-6")
    return tuple(sorted(counts))


def read_settings(path: Path = Path("params.yaml")) -> Settings:
    """Read and check the settings.

    Raises
    ------
    SettingsError
        When the file is missing or not YAML, or a value is missing, unknown or out of range;
        the message lists each key with what is wrong about it.
    """
    try:
        document = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(f"{path}: no such file; run from the project's folder") from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid YAML: {error}") from error
    return check_settings(document, source=str(path))


def check_settings(document: Any, *, source: str) -> Settings:
    """Validate a settings document that was read from `source`."""
    try:
        return Settings.model_validate(document)
    except pydantic.ValidationError as error:
        lines = [_in_words(item) for item in error.errors()]
        raise SettingsError(
            f"{source}: {len(lines)} setting(s) are wrong:\n" + "\n".join(lines)
        ) from error


def _in_words(item: ErrorDetails) -> str:
    name = ".".join(str(part) for part in item["loc"])
    if item["type"] == "missing":
        return f"  {name}: {item['msg']}"
    if name.endswith("url_variable"):  # an address may have been put there, with a password in it
        return f"  {name}: give the NAME of an environment variable (what it is, is not shown)"
    return f"  {name}: {item['msg']} (it is {item['input']!r})"
