"""Frozen, validated settings: the only reader of params.yaml."""

from latentbeta.config.data import (
    CharacteristicsSettings,
    DataSettings,
    FetchSettings,
    FundamentalsSettings,
    MemberSettings,
    PanelSettings,
    QualitySettings,
    RequestSettings,
    SimulationSettings,
    SqlSettings,
)
from latentbeta.config.models import (
    EvaluationSettings,
    InstrumentedSettings,
    LectureSettings,
    ModelSettings,
    NetworkSettings,
    ObservedBetaSettings,
    ObservedFactorSettings,
    PrincipalComponentSettings,
    WalkForwardSettings,
)
from latentbeta.config.settings import (
    PERIODS_PER_YEAR,
    ExecutionSettings,
    NightlySettings,
    Settings,
    check_settings,
    factor_counts,
    read_settings,
)
from latentbeta.config.values import (
    Rebalancing,
)

__all__ = [
    "PERIODS_PER_YEAR",
    "CharacteristicsSettings",
    "DataSettings",
    "EvaluationSettings",
    "ExecutionSettings",
    "FetchSettings",
    "FundamentalsSettings",
    "InstrumentedSettings",
    "LectureSettings",
    "MemberSettings",
    "ModelSettings",
    "NetworkSettings",
    "NightlySettings",
    "ObservedBetaSettings",
    "ObservedFactorSettings",
    "PanelSettings",
    "PrincipalComponentSettings",
    "QualitySettings",
    "Rebalancing",
    "RequestSettings",
    "Settings",
    "SimulationSettings",
    "SqlSettings",
    "WalkForwardSettings",
    "check_settings",
    "factor_counts",
    "read_settings",
]
