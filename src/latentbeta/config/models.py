"""Settings of folds, models and their evaluation."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from latentbeta.config.values import Count, Frozen, Names, Positive, Share


class WalkForwardSettings(Frozen):
    """Lengths of the samples of a fold, in periods."""

    scheme: Literal["expanding", "rolling"]
    train: Count
    validation: Count
    embargo: Annotated[int, Field(ge=0)]
    refit_every: Count


class NetworkSettings(Frozen):
    """Optimisation of the networks; lists are searched, the best on validation is kept."""

    learning_rates: Annotated[tuple[Positive, ...], Field(min_length=1)]
    l1_penalties: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=1)]
    batch_size: Count
    epochs: Count
    patience: Count


class LectureSettings(Frozen):
    """The lecture's form of the conditional autoencoder."""

    hidden_units: Count
    target: Literal["same", "ahead"]


class ObservedFactorSettings(Frozen):
    """Time-series regression on observed factors: a model with K factors takes the first K."""

    names: Names
    window: Literal["full", "rolling", "exponential"]
    length: Annotated[int, Field(ge=12)]


class ObservedBetaSettings(Frozen):
    """Cross-sectional regression on exposures: a constant, then the first K - 1 exposures."""

    exposures: tuple[str, ...]
    industries: bool
    regression: Literal["ordinary", "value-weighted", "robust"]


class PrincipalComponentSettings(Frozen):
    """How PCA meets gaps, and what weight RP-PCA gives to mean returns."""

    gaps: Literal["second-moments", "expectation-maximisation"]
    risk_premium_weight: Annotated[float, Field(ge=-1)]


class InstrumentedSettings(Frozen):
    """IPCA's intercept, and the observed factors that stand beside the latent ones."""

    intercept: bool
    observed: tuple[str, ...]


class ModelSettings(Frozen):
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


class EvaluationSettings(Frozen):
    """Inference and portfolios."""

    bootstrap_draws: Count
    bootstrap_block: Positive
    quantile: Annotated[float, Field(gt=0, le=0.5)]
    cost: Share
