"""Settings of the stages up to the panel and its validation."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from latentbeta.config.values import Count, Frozen, Names, Positive, Share


class SimulationSettings(Frozen):
    """The embedded market."""

    n_assets: Annotated[int, Field(ge=30)]
    n_sectors: Count
    start: dt.date
    end: dt.date
    idiosyncratic_volatility: Positive
    gap_rate: Share


class RequestSettings(Frozen):
    """How a server on the network is asked."""

    threads: Count
    per_second: Positive
    timeout: Positive
    attempts: Count
    first_wait: Positive
    longest_wait: Positive
    stop_after: Count


class SqlSettings(Frozen):
    """A query of daily prices; the address of the database is in the environment alone."""

    url_variable: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    query: str | None


class FetchSettings(Frozen):
    """What is fetched into data/fetched, and from where."""

    prices: Literal["yahoo", "sql"] | None
    assets: tuple[str, ...] | Path
    start: dt.date
    factors: tuple[str, ...]
    overlap: Annotated[int, Field(ge=1)]
    largest_failed_share: Share
    requests: RequestSettings
    sql: SqlSettings


class PanelSettings(Frozen):
    """How a user's own panel of returns and characteristics is to be read."""

    files: str
    returns: str | None
    returns_are: Literal["excess", "raw"]
    asset: tuple[str, ...]
    characteristics: Names
    required: tuple[str, ...]
    lag: Annotated[int, Field(ge=0)]


class FundamentalsSettings(Frozen):
    """Where companies' accounts are, and from when to when they count as known."""

    file: str | None
    months: Literal[12, 6, 3]
    lag: Annotated[int, Field(ge=0)]
    stale: Count
    columns: dict[str, tuple[str, ...]]


class DataSettings(Frozen):
    """Where the data come from and what their columns are called."""

    kind: Literal["prices", "panel"]
    path: Path
    as_of: dt.date | None
    calendar: str
    universe: Literal["point-in-time", "survivors"]
    membership: str | None
    preset: Literal["alphavantage", "stooq", "crsp"] | None
    prices: str
    sectors: str | None
    risk_free: str | None
    truth: str | None
    factors: str | None
    factor_columns: dict[str, tuple[str, ...]] | None
    panel: PanelSettings
    fundamentals: FundamentalsSettings
    columns: dict[str, tuple[str, ...]]


class MemberSettings(Frozen):
    """Who is in a cross-section, as known at its formation; None: no such rule."""

    minimum_price: Positive | None = None
    minimum_dollar_volume: Positive | None = None
    largest: Count | None = None


class CharacteristicsSettings(Frozen):
    """Which characteristics are made, and for whom."""

    names: Names
    minimum_history: Count
    members: MemberSettings = MemberSettings()
    minimum_coverage: Share


class QualitySettings(Frozen):
    """Bounds of the validation gate."""

    blocking_missing_returns: Share
    blocking_withheld: Share
    warning_coverage: Share
    newest_coverage: Share
    largest_daily_return: Positive
    largest_drift: Positive
    minimum_assets: Count
