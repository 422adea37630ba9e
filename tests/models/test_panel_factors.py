from dataclasses import replace

import numpy as np
import pytest
from tests.simulated_panels import full_panel, simulate

from latentbeta.models.panel_factors import (
    factor_obstacle,
    industry_factors,
    market_factor,
    observed_factors,
    sorted_factor,
)

NAN = np.nan
NAMES = ("mvel1", "mom12m", "retvol")
SECTORS = ("Energy", "Health", "Utilities")


def with_sectors(panel, sector, names=SECTORS):
    return replace(panel, sector=np.asarray(sector), sector_names=names)


@pytest.fixture(scope="module")
def panel():
    """Three characteristics, three sectors with strangers, two factors from a file."""
    panel = simulate(
        n_dates=30, n_assets=16, n_characteristics=3, seed=9, absent=0.1, missing=0.1
    ).panel
    rng = np.random.default_rng(10)
    F = rng.normal(0, 0.05, (30, 2))
    F[:2, 1] = NAN
    return replace(
        with_sectors(panel, panel.asset_index % 4 - 1),
        characteristic_names=NAMES,
        factor_names=("MktRF", "MOM"),
        F=F,
    )


def test_the_market_by_hand():
    R = np.array([[0.1, 0.3, NAN], [NAN, NAN, NAN], [0.0, -0.3, 0.6]])
    market = market_factor(full_panel(np.zeros((3, 3, 1)), R))
    np.testing.assert_allclose(market, [[0.2], [NAN], [0.1]])


def test_a_sorted_factor_by_hand():
    # Ranks ±0.6, ±0.2: the long side is 3/4 of the first and 1/4 of the second, and so the short.
    Z = np.tile(np.array([-0.6, -0.2, 0.2, 0.6])[:, None], (4, 1, 1))
    R = np.array(
        [
            [0.0, 0.4, 0.8, 0.2],  # -0 - 0.1 + 0.2 + 0.15
            [0.1, 0.5, 0.8, NAN],  # of three ranks the middle one is out: 0.8 - 0.1
            [NAN, NAN, 0.3, NAN],  # one asset is no spread
            [NAN, NAN, NAN, NAN],
        ]
    )
    panel = replace(full_panel(Z, R), characteristic_names=("mom12m",))
    expected = np.array([0.25, 0.7, NAN, NAN])[:, None]
    np.testing.assert_allclose(sorted_factor(panel, "mom12m", 1.0), expected, rtol=1e-6)
    np.testing.assert_allclose(sorted_factor(panel, "mom12m", -1.0), -expected, rtol=1e-6)


def test_a_characteristic_that_is_missing_for_all_has_no_factor():
    panel = replace(
        full_panel(np.full((2, 3, 1), 0.3), np.ones((2, 3))), characteristic_names=("mvel1",)
    )
    assert np.isnan(sorted_factor(panel, "mvel1", 1.0)).all()


def test_industries_by_hand():
    R = np.array([[0.1, 0.3, 0.2, -0.2, 0.6], [0.1, NAN, NAN, 0.3, NAN]])
    panel = with_sectors(full_panel(np.zeros((2, 5, 1)), R), [0, 0, 1, 2, -1] * 2)
    # Markets 0.2 and 0.2; the last sector's is left out, an asset without one is market alone.
    np.testing.assert_allclose(industry_factors(panel), [[0.0, 0.0], [-0.1, NAN]], atol=1e-15)


def test_all_as_slow_loops_over_rows_say(panel):
    names = ("market", "size", "momentum", "volatility", "industries", "MOM")
    found = observed_factors(panel, names, 7)
    for t, rows in enumerate(panel.blocks()):
        assets = [i for i in range(rows.start, rows.stop) if np.isfinite(panel.R[i])]
        r = panel.R[assets]
        expected = [r.mean()]
        for column, sign in ((0, -1), (1, 1), (2, -1)):
            apart = sign * (panel.Z[assets, column] - panel.Z[assets, column].astype(float).mean())
            longs, shorts = apart.clip(min=0), (-apart).clip(min=0)
            expected.append(r @ longs / longs.sum() - r @ shorts / shorts.sum())
        for sector in (0, 1):
            expected.append(r[panel.sector[assets] == sector].mean() - r.mean())
        np.testing.assert_allclose(found[t, :6], expected, rtol=1e-7)
    np.testing.assert_array_equal(found[:, 6], panel.F[:, 1])


def test_the_first_k_are_the_first_of_the_list(panel):
    names = ("MOM", "volatility", "market", "industries")
    widest = observed_factors(panel, names, 5)
    for n_factors in (1, 2, 3, 5):
        found = observed_factors(panel, names, n_factors)
        np.testing.assert_array_equal(found, widest[:, :n_factors])


@pytest.mark.parametrize("n_dates", [1, 13, 29])
def test_a_dates_factors_do_not_depend_on_later_dates(panel, n_dates):
    names = ("market", "size", "momentum", "volatility", "industries", "MktRF")
    then = observed_factors(panel.between(0, n_dates), names, 7)
    now = observed_factors(panel, names, 7)[:n_dates]
    assert then.tobytes() == now.tobytes()


def test_nor_on_their_contents(panel):
    later = panel.date_index >= 20
    other = replace(
        panel,
        R=np.where(later, -panel.R, panel.R),
        Z=np.where(later[:, None], panel.Z[::-1], panel.Z),
    )
    names = ("market", "size", "momentum", "volatility", "industries")
    before, after = (observed_factors(p, names, 6) for p in (panel, other))
    assert before[:20].tobytes() == after[:20].tobytes()
    assert not np.isclose(before[20:], after[20:]).any()


@pytest.mark.parametrize(
    ("names", "n_factors", "words"),
    [
        (("market", "RMW"), 2, r"called RMW.*market, size.*file: MktRF, MOM"),
        (("market", "size"), 3, r"3 factors, but market, size are 2"),
        (("market", "industries"), 2, r"2 factors would cut the industries.* 3"),
        (("industries",), 1, r"1 factors would cut the industries.* 2"),
        (("market", "MOM", "market"), 3, r"twice"),
    ],
)
def test_what_cannot_be_is_said(panel, names, n_factors, words):
    with pytest.raises(ValueError, match=words):
        raise ValueError(factor_obstacle(panel, names, n_factors))


def test_what_a_panel_lacks_is_said():
    bare = simulate(n_dates=2, n_assets=5, n_characteristics=2, seed=1).panel
    assert factor_obstacle(bare, ("market",), 1) is None
    assert "sorted on mvel1" in factor_obstacle(bare, ("size",), 1)
    assert "c1, c2" in factor_obstacle(bare, ("size",), 1)
    assert "two sectors; the panel has 0" in factor_obstacle(bare, ("industries",), 1)
    assert "from a file: none" in factor_obstacle(bare, ("HML",), 1)


def test_names_beyond_k_are_not_asked_for(panel):
    names = ("market", "MOM", "no such factor")
    assert factor_obstacle(panel, names, 2) is None
    assert factor_obstacle(panel, names, 3) is not None
