"""The past does not move: neither later days nor assets listed later change a single byte."""

import dataclasses

import numpy as np
import pytest

from latentbeta.characteristics.price_rows import PRICE_ROWS
from latentbeta.characteristics.registry import REGISTRY

CUT = 640
FORMATIONS = np.array([0, 30, 290, 415, 511, 620, 636, CUT])
BY_DAY = ("total_return", "close", "high", "low", "volume", "shares", "risk_free")

every_characteristic = pytest.mark.parametrize("name", [row.name for row in PRICE_ROWS])


def with_another_future(market):
    """Everything after the cut: prices half as high again, returns wild, some quotes gone."""
    rng = np.random.default_rng(99)
    changed = {}
    for field in BY_DAY:
        values = getattr(market, field).copy()
        values[CUT + 1 :] *= 1.5
        if field != "risk_free":
            values[CUT + 1 :][rng.random(values[CUT + 1 :].shape) < 0.3] = np.nan
        changed[field] = values
    return dataclasses.replace(market, **changed)


def with_a_later_listing(market):
    """One more asset, first in the order, of a known sector, first quoted after the cut."""
    added = {}
    for field in BY_DAY[:-1]:
        column = np.where(np.arange(market.shape[0]) > CUT, 1.0, np.nan)[:, None]
        added[field] = np.hstack([column, getattr(market, field)])
    return dataclasses.replace(
        market,
        assets=np.append("A", market.assets),
        sector=np.append(0, market.sector),
        **added,
    )


@every_characteristic
def test_later_days_may_change(name, random_market):
    market = random_market(5)
    function = REGISTRY[name].function
    before = function(market, FORMATIONS)
    assert np.isfinite(before).any() or name == "mom36m"
    assert function(with_another_future(market), FORMATIONS).tobytes() == before.tobytes()


@every_characteristic
def test_later_days_may_be_cut_off(name, random_market):
    market = random_market(5)
    function = REGISTRY[name].function
    before = function(market, FORMATIONS)
    assert function(market.between(0, CUT + 1), FORMATIONS).tobytes() == before.tobytes()


@every_characteristic
def test_an_asset_may_be_listed_later(name, random_market):
    market = random_market(5)
    function = REGISTRY[name].function
    after = np.ascontiguousarray(function(with_a_later_listing(market), FORMATIONS)[:, 1:])
    assert after.tobytes() == function(market, FORMATIONS).tobytes()


@every_characteristic
def test_other_formations_do_not_matter(name, random_market):
    market = random_market(5)
    function = REGISTRY[name].function
    together = function(market, np.array([415, 829]))
    assert function(market, np.array([829])).tobytes() == together[1:].tobytes()


@every_characteristic
def test_the_latest_days_that_it_leaves_out_do_not_matter(name, random_market):
    market = random_market(5)
    lag = REGISTRY[name].lag
    changed = {}
    for field in BY_DAY:
        values = getattr(market, field).copy()
        values[829 - lag + 1 :] *= 1.3
        changed[field] = values
    function, last = REGISTRY[name].function, np.array([829])
    after = function(dataclasses.replace(market, **changed), last)
    assert after.tobytes() == function(market, last).tobytes()
    if lag == 0:
        changed = {field: getattr(market, field).copy() for field in BY_DAY}
        changed["total_return"][827:] += 0.03
        for field in ("close", "volume", "high"):
            changed[field][827:] *= 1.3
        after = function(dataclasses.replace(market, **changed), last)
        assert after.tobytes() != function(market, last).tobytes()


@every_characteristic
def test_reads_its_declared_inputs_only(name, random_market):
    market = random_market(5)
    characteristic = REGISTRY[name]
    others = {
        field: np.full(market.shape, np.nan)
        for field in BY_DAY[:-1]
        if field not in characteristic.inputs
    }
    if "sector" not in characteristic.inputs:
        others["sector"] = np.full(market.shape[1], -1)
    before = characteristic.function(market, FORMATIONS)
    after = characteristic.function(dataclasses.replace(market, **others), FORMATIONS)
    assert after.tobytes() == before.tobytes()


@every_characteristic
def test_without_a_declared_input_it_is_missing(name, random_market):
    market = random_market(5)
    characteristic = REGISTRY[name]
    for field in characteristic.inputs:
        gone = np.full(market.shape[1], -1) if field == "sector" else np.full(market.shape, np.nan)
        value = characteristic.function(dataclasses.replace(market, **{field: gone}), FORMATIONS)
        # The close of a return-based characteristic only tells an unknown return from a gap.
        if (field, "total_return" in characteristic.inputs) != ("close", True):
            assert np.isnan(value).all()
