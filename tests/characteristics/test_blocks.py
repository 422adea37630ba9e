"""Some assets at a time, or all at once: the same bytes."""

import numpy as np
import pytest

from latentbeta.characteristics.registry import REGISTRY, rows_of
from latentbeta.characteristics.risk import regressions
from latentbeta.characteristics.weekly import Weekly
from latentbeta.characteristics.windows import (
    AcrossAssets,
    Daily,
    Window,
    deviation_over,
    largest_over,
    mean_over,
    over_last,
)
from latentbeta.data import market as market_module
from latentbeta.data.market import blocks

FORMATIONS = np.array([0, 3, 25, 62, 290, 415, 511, 636, 790, 829])


def in_blocks(function, market, width):
    """The function's value, `width` assets at a time."""
    parts = []
    for start in range(0, market.shape[1], width):
        block = market.columns(start, min(start + width, market.shape[1]))
        parts.append(function(block, FORMATIONS))
    return np.hstack(parts)


@pytest.mark.parametrize("width", [1, 2, 3, 6])
@pytest.mark.parametrize("name", [*REGISTRY, "mom1m_ia"])
def test_a_value_does_not_depend_on_the_block(name, width, random_market, monkeypatch):
    function = rows_of([name])[name].function
    whole = function(random_market(5), FORMATIONS)
    monkeypatch.setattr(market_module, "BLOCK_CELLS", 830 * width)
    assert in_blocks(function, random_market(5), width).tobytes() == whole.tobytes()


def test_a_value_does_not_depend_on_how_its_matrices_lie_in_memory(random_market):
    market = random_market(5)
    turned = {name: np.asfortranarray(getattr(market, name)) for name in market_module.MATRICES}
    again = market_module.replace(market, **turned)
    for name, row in REGISTRY.items():
        expected = row.function(market, FORMATIONS)
        assert row.function(again, FORMATIONS).tobytes() == expected.tobytes(), name


def test_blocks_cover_the_assets_in_order(random_market, monkeypatch):
    market = random_market(5)
    monkeypatch.setattr(market_module, "BLOCK_CELLS", 830 * 3)
    found = list(blocks(market))
    assert [columns for columns, _ in found] == [slice(0, 3), slice(3, 6), slice(6, 7)]
    assert np.concatenate([block.assets for _, block in found]).tolist() == list(market.assets)
    assert all(block.whole is market for _, block in found)
    assert found[0][1].columns(1, 2).whole is market


def test_one_asset_needs_no_other(random_market):
    """A market of one asset: its weekly returns are the market's."""
    alone = market_module.replace(random_market(5).columns(6, 7), whole=None)
    beta = REGISTRY["beta"].function(alone, FORMATIONS)
    np.testing.assert_allclose(beta[np.isfinite(beta)], 1.0)
    idiovol = REGISTRY["idiovol"].function(alone, FORMATIONS)
    np.testing.assert_allclose(idiovol[np.isfinite(idiovol)], 0.0, atol=1e-15)


def test_what_is_remembered_belongs_to_one_market(random_market):
    market = random_market(5)
    assert market.remembered("key", lambda: 1) == 1
    assert market.remembered("key", lambda: 2) == 1
    assert market.between(0, 830).remembered("key", lambda: 3) == 3
    assert market.columns(0, 7).remembered("key", lambda: 4) == 4


@pytest.mark.parametrize("length", [1, 2, 5, 21, 63])
def test_over_last_equals_a_loop(length):
    daily = np.random.default_rng(0).normal(1.0, 0.1, (40, 3))
    expected = [np.prod(daily[max(d - length + 1, 0) : d + 1], axis=0) for d in range(40)]
    np.testing.assert_allclose(over_last(daily, length, np.multiply), expected, rtol=1e-13)
    known = daily > 1.0
    counts = [known[max(d - length + 1, 0) : d + 1].sum(axis=0) for d in range(40)]
    counted = over_last(known.view(np.uint8), length, np.add)
    np.testing.assert_array_equal(counted, counts)
    assert counted.dtype == np.uint8


def test_windows_worked_by_hand():
    daily = np.array([[1.0, np.nan], [2.0, 5.0], [6.0, np.inf], [np.nan, 7.0]])
    window = Window(np.array([1, 2, 3]), length=3)
    np.testing.assert_array_equal(mean_over(Daily.of(daily), window)[:, 0], [1.5, 3.0, 4.0])
    np.testing.assert_array_equal(mean_over(Daily.of(daily), window)[:, 1], [np.nan, np.nan, 6.0])
    np.testing.assert_allclose(
        deviation_over(Daily.of(daily), window)[:, 0], [np.sqrt(0.5), np.sqrt(7.0), np.sqrt(8.0)]
    )
    np.testing.assert_array_equal(largest_over(Daily.of(daily), window)[:, 0], [2.0, 6.0, 6.0])
    late = Window(np.array([0, 3]), length=2, skip=1)
    np.testing.assert_array_equal(mean_over(Daily.of(daily), late)[:, 0], [np.nan, 4.0])


def test_sums_across_assets_do_not_depend_on_the_pieces():
    values = np.random.default_rng(0).normal(size=(5, 9))
    values[1, 3] = values[2] = np.nan
    whole = AcrossAssets().with_assets(values).mean()
    pieces = AcrossAssets()
    for start in (0, 1, 4):
        pieces = pieces.with_assets(values[:, start : {0: 1, 1: 4, 4: 9}[start]])
    assert pieces.mean().tobytes() == whole.tobytes()
    assert np.isnan(whole[2])
    np.testing.assert_allclose(whole[[0, 1]], np.nanmean(values[:2], axis=1))


@pytest.mark.parametrize("noise", [0.0, 1e-9, 1e-5, 1e-3, 0.1])
@pytest.mark.parametrize("level", [0.0, 10.0])
def test_residuals_of_any_size_are_had_in_full(noise, level):
    """Little left, or a level far above what varies: still what least squares finds."""
    rng = np.random.default_rng(1)
    x = rng.normal(0.002, 0.02, 156)
    y = np.column_stack([1.3 * x, 0.4 * x, -x]) + level + noise * rng.normal(size=(156, 3))
    known = rng.random((156, 3)) > 0.2
    followed, values, weeks = np.zeros(780), np.zeros((780, 3)), np.zeros((780, 3), dtype=bool)
    followed[4::5], values[4::5], weeks[4::5] = x, np.where(known, y, 0.0), known
    found = regressions(followed, Weekly(values, weeks), np.array([779]))
    slope, deviation = found.slope[0], found.residual_deviation[0]
    for n in range(3):
        rows = known[:, n]
        design = np.column_stack([np.ones(rows.sum()), x[rows]])
        coefficients = np.linalg.lstsq(design, y[rows, n])[0]
        left = y[rows, n] - design @ coefficients
        np.testing.assert_allclose(slope[n], coefficients[1], rtol=1e-10 if level == 0 else 1e-9)
        expected = np.sqrt(left @ left / (rows.sum() - 1))
        np.testing.assert_allclose(deviation[n], expected, rtol=1e-9, atol=1e-14 * (1 + level))
