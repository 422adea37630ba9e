"""The ladder of models by name, from nothing estimated to nothing given."""

from __future__ import annotations

from collections.abc import Callable

from latentbeta.config import ModelSettings
from latentbeta.errors import SettingsError
from latentbeta.models.conditional_autoencoder import HIDDEN_LAYERS, ConditionalAutoencoder
from latentbeta.models.ipca import InstrumentedPCA
from latentbeta.models.lecture_autoencoder import LectureAutoencoder
from latentbeta.models.observed_betas import ObservedBetas
from latentbeta.models.observed_factors import ObservedFactors
from latentbeta.models.pca import PrincipalComponents
from latentbeta.models.protocol import FactorModel
from latentbeta.models.return_autoencoder import ReturnAutoencoder
from latentbeta.models.rp_pca import RiskPremiumPCA


def _conditional(name: str) -> Callable[[int, ModelSettings, int], FactorModel]:
    def make(n_factors: int, settings: ModelSettings, seed: int) -> FactorModel:
        return ConditionalAutoencoder(
            name, n_factors, settings.n_seeds, settings.networks, seed, settings.factor_inputs
        )

    return make


def _lecture(n_factors: int, settings: ModelSettings, seed: int) -> FactorModel:
    lecture = settings.lecture
    return LectureAutoencoder(
        n_factors,
        settings.n_seeds,
        lecture.hidden_units,
        lecture.target,
        settings.networks,
        seed,
    )


_MAKERS: dict[str, Callable[[int, ModelSettings, int], FactorModel]] = {
    "observed_factors": lambda n_factors, settings, _: ObservedFactors(
        n_factors, settings.observed_factors
    ),
    "observed_betas": lambda n_factors, settings, _: ObservedBetas(
        n_factors, settings.observed_betas
    ),
    "pca": lambda n_factors, settings, _: PrincipalComponents(
        n_factors, settings.principal_components.gaps
    ),
    "rp_pca": lambda n_factors, settings, _: RiskPremiumPCA(
        n_factors, settings.principal_components.risk_premium_weight
    ),
    "ipca": lambda n_factors, settings, _: InstrumentedPCA(
        n_factors, settings.ipca.intercept, settings.ipca.observed
    ),
    "autoencoder": lambda n_factors, settings, seed: ReturnAutoencoder(
        n_factors, settings.n_seeds, settings.networks, seed
    ),
    "cae_lecture": _lecture,
    **{name: _conditional(name) for name in HIDDEN_LAYERS},
}

LADDER = tuple(_MAKERS)


def ladder(settings: ModelSettings, seed: int) -> list[FactorModel]:
    """Return every model the settings ask for, once for each number of factors.

    Raises
    ------
    SettingsError
        When models.names holds a name that is not on the ladder.
    """
    unknown = [name for name in settings.names if name not in _MAKERS]
    if unknown:
        raise SettingsError(
            f"models.names: no model is called {', '.join(unknown)}; there are {', '.join(LADDER)}"
        )
    models = [
        _MAKERS[name](n_factors, settings, seed)
        for name in settings.names
        for n_factors in settings.n_factors
    ]
    # A number of factors that is asked for twice is one model.
    return list({(model.name, model.n_factors): model for model in models}.values())
