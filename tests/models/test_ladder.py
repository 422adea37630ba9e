from pathlib import Path

import pytest

from latentbeta.config import ModelSettings, read_settings
from latentbeta.errors import SettingsError
from latentbeta.models.ladder import LADDER, ladder

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def settings() -> ModelSettings:
    return read_settings(PROJECT / "params.yaml").models


def asked(settings, **changes):
    return settings.model_copy(update=changes)


def test_every_name_on_the_ladder_makes_a_model_of_that_name(settings):
    models = ladder(asked(settings, names=LADDER, n_factors=(2,)), seed=1)
    assert tuple(model.name for model in models) == LADDER


def test_one_model_for_each_number_of_factors(settings):
    names = ("observed_factors", "pca", "ca1")
    models = ladder(asked(settings, names=names, n_factors=(1, 4, 1)), seed=1)
    made = [(model.name, model.n_factors) for model in models]
    assert made == [(name, n_factors) for name in names for n_factors in (1, 4)]


def test_settings_and_seed_reach_the_networks(settings):
    ca2, lecture = ladder(asked(settings, names=("ca2", "cae_lecture"), n_seeds=7), seed=42)
    assert (ca2.seed, ca2.n_seeds, ca2.settings) == (42, 7, settings.networks)
    assert (lecture.seed, lecture.hidden_units, lecture.target) == (42, 8, "same")


def test_settings_reach_the_observed_models(settings):
    names = ("observed_factors", "observed_betas")
    factors, betas = ladder(asked(settings, names=names, n_factors=(2,)), seed=1)
    assert factors.settings == settings.observed_factors
    assert betas.settings == settings.observed_betas


def test_only_the_day_ahead_target_leads(settings):
    ahead = settings.lecture.model_copy(update={"target": "ahead"})
    models = ladder(asked(settings, names=LADDER, lecture=ahead), seed=1)
    assert [model.name for model in models if model.leads] == ["cae_lecture"]
    assert not any(model.leads for model in ladder(asked(settings, names=LADDER), seed=1))


def test_an_unknown_name_is_named_with_those_there_are(settings):
    with pytest.raises(SettingsError, match=r"models\.names.*ca9.*ipca"):
        ladder(asked(settings, names=("ca1", "ca9")), seed=1)


def test_the_text_of_a_model_tells_every_setting_apart(settings):
    """The fold store's key is made of it."""

    def texts(**changes):
        return [repr(model) for model in ladder(asked(settings, names=LADDER, **changes), seed=1)]

    quick = settings.networks.model_copy(update={"learning_rates": (0.5,)})
    networks = slice(LADDER.index("cae_lecture"), None)
    for changed in (texts(n_seeds=9), texts(networks=quick)):
        pairs = zip(changed[networks], texts()[networks], strict=True)
        assert all(one != other for one, other in pairs)
    assert texts() == texts()
