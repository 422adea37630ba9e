"""One number of each price characteristic that can be checked on paper.

The market stands still unless said otherwise: returns of zero, a price of 10, 1,000 of 100,000
shares traded a day. d counts days back from the formation, which is the last of 800 days.
"""

import math

import numpy as np
import pytest
from tests.plain_characteristics import PLAIN

from latentbeta.characteristics.registry import REGISTRY

N_DAYS = 800


def on(usual, **days_back):
    """A column (800, 1) of the usual value but for the given days back."""
    column = np.full((N_DAYS, 1), usual)
    for day, value in days_back.items():
        column[N_DAYS - int(day[1:])] = value
    return column


def at_week_ends(weekly):
    """Daily returns (800, N) that fall on the last day of each of 160 weeks."""
    daily = np.zeros((N_DAYS, weekly.shape[1]))
    daily[4::5] = weekly
    return daily


CYCLE = 0.02 * np.tile([1.0, 1.0, -1.0, -1.0], 40)  # of four weeks; mean zero
BEFORE = np.append(0.0, CYCLE[:-1])  # a week before: uncorrelated with the cycle
OTHER = 0.03 * np.tile([1.0, -1.0, -1.0, 1.0], 40)  # uncorrelated with it as well
# The mean of the two assets, the market, is the cycle in each of these.
HALF = {"total_return": at_week_ends(np.column_stack([0.5 * CYCLE, 1.5 * CYCLE]))}
NOISY = {"total_return": at_week_ends(np.column_stack([CYCLE + OTHER, CYCLE - OTHER]))}
LATE = {
    "total_return": at_week_ends(
        np.column_stack([0.3 * CYCLE + 0.4 * BEFORE, 1.7 * CYCLE - 0.4 * BEFORE])
    )
}
TWO = {"total_return": np.hstack([on(0.0, d100=0.1), on(0.0, d100=0.3)])}

# name: (what moves, the value of the first asset)
CASES = {
    # 1.1 · 0.8 - 1
    "mom1m": ({"total_return": on(0.0, d1=0.1, d21=-0.2, d22=9.0)}, -0.12),
    # 1.5 · 0.6 - 1
    "mom6m": ({"total_return": on(0.0, d21=9.0, d22=0.5, d126=-0.4, d127=9.0)}, -0.1),
    # 1.25 · 1.2 - 1
    "mom12m": ({"total_return": on(0.0, d21=9.0, d22=0.25, d252=0.2, d253=9.0)}, 0.5),
    # 1.5 · 2 - 1
    "mom36m": ({"total_return": on(0.0, d252=9.0, d253=0.5, d756=1.0, d757=9.0)}, 2.0),
    # 1.1 - 1.3
    "chmom": ({"total_return": on(0.0, d1=0.1, d127=0.3, d253=9.0)}, -0.2),
    # (0.1 + 0.3) / 2
    "indmom": (TWO, 0.2),
    "maxret": ({"total_return": on(0.01, d21=0.04, d22=0.9)}, 0.04),
    # (62 · 0.01 + 0.64) / 63
    "turn": ({"volume": on(1e3, d63=64e3, d64=9e9)}, 0.02),
    # mean 0.02: √((0.20² + 20 · 0.01²) / 20) = √0.0021
    "std_turn": ({"volume": on(1e3, d21=22e3, d22=9e9)}, 0.045825756949558405),
    # ln(10 · 100,000)
    "mvel1": ({}, 13.815510557964274),
    # (20 · 10,000 + 220,000) / 21 = 20,000, and ln of it
    "dolvol": ({"volume": on(1e3, d21=9e9, d22=22e3, d43=9e9)}, 9.903487552536127),
    # one log lies 2.1 above the others, mean 0.1: √((2.0² + 20 · 0.1²) / 20) = √0.21
    "std_dolvol": ({"volume": on(1e3, d21=1e3 * math.exp(2.1))}, 0.458257569495584),
    # mean |r| (20 · 0.02 + 0.44) / 21 = 0.04, over 10,000
    "ill": ({"total_return": on(-0.02, d1=0.44, d22=9.0)}, 4e-6),
    # mean 0.01: √((0.20² + 20 · 0.01²) / 20) = √0.0021
    "retvol": ({"total_return": on(0.0, d21=0.21, d22=9.0)}, 0.045825756949558405),
    # 0.5 · var(m) / var(m)
    "beta": (HALF, 0.5),
    "betasq": (HALF, 0.25),
    # residuals of ±0.03 in 156 weeks: 0.03 · √(156 / 155)
    "idiovol": (NOISY, 0.03 * math.sqrt(156 / 155)),
    # 3 days, and 1 / (480,000 · 18 · 0.01) = 1 / 86,400
    "zerotrade": ({"volume": on(1e3, d1=0.0, d2=0.0, d21=0.0, d22=0.0)}, 3 + 1 / 86_400),
    # (11 - 9) / 10
    "baspread": ({"high": on(11.0, d22=99.0), "low": on(9.0)}, 0.2),
    # R² on m is 0.09 / (0.09 + 0.16), with its lags one: 1 - 0.36
    "pricedelay": (LATE, 0.64),
}


@pytest.mark.parametrize("name", list(CASES))
def test_worked_by_hand(name, steady_market):
    fields, expected = CASES[name]
    n_assets = next(iter(fields.values())).shape[1] if fields else 1
    value = REGISTRY[name].function(steady_market(N_DAYS, n_assets, **fields), np.array([799]))
    assert value[0, 0] == pytest.approx(expected, rel=1e-10)


def test_every_price_characteristic_has_a_number():
    assert set(CASES) == set(PLAIN)
