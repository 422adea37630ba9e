"""Frozen, validated settings: the only reader of params.yaml."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML, YAMLError

from latentbeta.errors import SettingsError

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
Names = Annotated[tuple[str, ...], Field(min_length=1)]
Rebalancing = Literal["daily", "weekly", "monthly"]

COUNTS = re.compile(r"[1-9]\d*(-[1-9]\d*)?(,[1-9]\d*(-[1-9]\d*)?)*")  # 3 or 1,3 or 1-6

PERIODS_PER_YEAR: dict[Rebalancing, int] = {"daily": 252, "weekly": 52, "monthly": 12}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SimulationSettings(_Frozen):
    """The embedded market."""

    n_assets: Annotated[int, Field(ge=30)]
    n_sectors: Count
    start: dt.date
    end: dt.date
    idiosyncratic_volatility: Positive
    gap_rate: Share


class RequestSettings(_Frozen):
    """How a server on the network is asked."""

    threads: Count
    per_second: Positive
    timeout: Positive
    attempts: Count
    first_wait: Positive
    longest_wait: Positive
    stop_after: Count


class SqlSettings(_Frozen):
    """A query of daily prices; the address of the database is in the environment alone."""

    url_variable: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    query: str | None


class FetchSettings(_Frozen):
    """What is fetched into data/fetched, and from where."""

    prices: Literal["yahoo", "sql"] | None
    assets: tuple[str, ...] | Path
    start: dt.date
    factors: tuple[str, ...]
    overlap: Annotated[int, Field(ge=1)]
    largest_failed_share: Share
    requests: RequestSettings
    sql: SqlSettings


class PanelSettings(_Frozen):
    """How a user's own panel of returns and characteristics is to be read."""

    files: str
    returns: str | None
    returns_are: Literal["excess", "raw"]
    asset: tuple[str, ...]
    characteristics: Names
    required: tuple[str, ...]
    lag: Annotated[int, Field(ge=0)]


class FundamentalsSettings(_Frozen):
    """Where companies' accounts are, and from when to when they count as known."""

    file: str | None
    months: Literal[12, 6, 3]
    lag: Annotated[int, Field(ge=0)]
    stale: Count
    columns: dict[str, tuple[str, ...]]


class DataSettings(_Frozen):
    """Where the data come from and what their columns are called."""

    kind: Literal["prices", "panel"]
    path: Path
    as_of: dt.date | None
    calendar: str
    universe: Literal["point-in-time", "survivors"]
    membership: str | None
    prices: str
    sectors: str | None
    risk_free: str | None
    truth: str | None
    factors: str | None
    factor_columns: dict[str, tuple[str, ...]] | None
    panel: PanelSettings
    fundamentals: FundamentalsSettings
    columns: dict[str, tuple[str, ...]]


class MemberSettings(_Frozen):
    """Who is in a cross-section, as known at its formation; None: no such rule."""

    minimum_price: Positive | None = None
    minimum_dollar_volume: Positive | None = None
    largest: Count | None = None


class CharacteristicsSettings(_Frozen):
    """Which characteristics are made, and for whom."""

    names: Names
    minimum_history: Count
    members: MemberSettings = MemberSettings()
    minimum_coverage: Share


class QualitySettings(_Frozen):
    """Bounds of the validation gate."""

    blocking_missing_returns: Share
    blocking_withheld: Share
    warning_coverage: Share
    newest_coverage: Share
    largest_daily_return: Positive
    largest_drift: Positive
    minimum_assets: Count


class WalkForwardSettings(_Frozen):
    """Lengths of the samples of a fold, in periods."""

    scheme: Literal["expanding", "rolling"]
    train: Count
    validation: Count
    embargo: Annotated[int, Field(ge=0)]
    refit_every: Count


class NetworkSettings(_Frozen):
    """Optimisation of the networks; lists are searched, the best on validation is kept."""

    learning_rates: Annotated[tuple[Positive, ...], Field(min_length=1)]
    l1_penalties: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=1)]
    batch_size: Count
    epochs: Count
    patience: Count


class LectureSettings(_Frozen):
    """The lecture's form of the conditional autoencoder."""

    hidden_units: Count
    target: Literal["same", "ahead"]


class ObservedFactorSettings(_Frozen):
    """Time-series regression on observed factors: a model with K factors takes the first K."""

    names: Names
    window: Literal["full", "rolling", "exponential"]
    length: Annotated[int, Field(ge=12)]


class ObservedBetaSettings(_Frozen):
    """Cross-sectional regression on exposures: a constant, then the first K - 1 exposures."""

    exposures: tuple[str, ...]
    industries: bool
    regression: Literal["ordinary", "value-weighted", "robust"]


class PrincipalComponentSettings(_Frozen):
    """How PCA meets gaps, and what weight RP-PCA gives to mean returns."""

    gaps: Literal["second-moments", "expectation-maximisation"]
    risk_premium_weight: Annotated[float, Field(ge=-1)]


class InstrumentedSettings(_Frozen):
    """IPCA's intercept, and the observed factors that stand beside the latent ones."""

    intercept: bool
    observed: tuple[str, ...]


class ModelSettings(_Frozen):
    """Which models are trained, with how many factors and members."""

    names: Names
    n_factors: Annotated[tuple[Count, ...], Field(min_length=1)]
    n_seeds: Count
    factor_inputs: Literal["managed", "observed"]
    networks: NetworkSettings
    lecture: LectureSettings
    observed_factors: ObservedFactorSettings
    observed_betas: ObservedBetaSettings
    principal_components: PrincipalComponentSettings
    ipca: InstrumentedSettings


class EvaluationSettings(_Frozen):
    """Inference and portfolios."""

    bootstrap_draws: Count
    bootstrap_block: Positive
    quantile: Annotated[float, Field(gt=0, le=0.5)]
    cost: Share


class ExecutionSettings(_Frozen):
    """How fits are spread over processes; no result depends on it."""

    workers: Count
    scheduler: str | None


class NightlySettings(_Frozen):
    """What the nightly loop registers and publishes."""

    model: str
    n_factors: Count
    tolerance: Annotated[float, Field(ge=0)]


class Settings(_Frozen):
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
        lines = [
            f"  {'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            + ("" if item["type"] == "missing" else f" (it is {item['input']!r})")
            for item in error.errors()
        ]
        raise SettingsError(
            f"{source}: {len(lines)} setting(s) are wrong:\n" + "\n".join(lines)
        ) from error
