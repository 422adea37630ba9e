from dataclasses import dataclass

import pytest

from latentbeta.errors import ModelError
from latentbeta.models.ipca import InstrumentedPCA
from latentbeta.models.pca import PrincipalComponents
from latentbeta.walk_forward.obstacles import LeftOut, without_obstacles


@dataclass(frozen=True)
class _Hungry(InstrumentedPCA):
    """IPCA that wants more dates than there are."""

    def obstacle(self, panel):
        return f"wants 99 dates, there are {panel.n_dates}"


def test_a_model_with_an_obstacle_is_left_out_and_said_so(study, capsys):
    models = [PrincipalComponents(2), _Hungry(3), InstrumentedPCA(2)]
    kept, left_out = without_obstacles(models, study.panel)
    assert kept == [models[0], models[2]]
    assert left_out == [LeftOut("ipca", 3, "wants 99 dates, there are 42")]
    line = capsys.readouterr().out
    assert line == "ipca K=3 is left out: wants 99 dates, there are 42\n"


def test_with_none_left_every_reason_is_named(study):
    with pytest.raises(ModelError, match=r"ipca K=3: wants 99 dates.*; ipca K=4: wants"):
        without_obstacles([_Hungry(3), _Hungry(4)], study.panel)


def test_without_obstacles_nobody_is_left_out(study):
    models = [PrincipalComponents(2), InstrumentedPCA(2)]
    assert without_obstacles(models, study.panel) == (models, [])
