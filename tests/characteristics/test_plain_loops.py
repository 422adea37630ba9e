"""Every characteristic against a slow computation for one asset and one date at a time."""

import numpy as np
import pytest
from tests.plain_characteristics import PLAIN, WEEKLY

from latentbeta.characteristics.price_rows import PRICE_ROWS
from latentbeta.characteristics.registry import REGISTRY

FORMATIONS = np.array([0, 3, 25, 41, 62, 140, 272, 300, 345, 512, 616, 703, 790, 812, 819, 829])


def test_every_characteristic_has_a_plain_form():
    assert set(PLAIN) == {row.name for row in PRICE_ROWS}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", sorted(set(PLAIN) - WEEKLY))
def test_equals_plain_loops(name, seed, random_market):
    market = random_market(seed)
    fast = REGISTRY[name].function(market, FORMATIONS)
    slow = [[PLAIN[name](market, n, t) for n in range(market.shape[1])] for t in FORMATIONS]
    assert fast.shape == (len(FORMATIONS), market.shape[1])
    assert np.isfinite(fast).mean() > 0.1
    np.testing.assert_allclose(fast, slow, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("name", sorted(WEEKLY))
def test_weekly_characteristics_equal_plain_loops(name, random_market):
    market = random_market(3)
    formations = np.array([3, 262, 281, 520, 829])
    assets = [0, 2, 3, 4]
    fast = REGISTRY[name].function(market, formations)[:, assets]
    slow = [[PLAIN[name](market, n, t) for n in assets] for t in formations]
    assert np.isfinite(fast).mean() > 0.3
    np.testing.assert_allclose(fast, slow, rtol=1e-10, atol=1e-13)
