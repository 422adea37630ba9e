"""Characteristics of accounts: known from their publication on, and equal to plain loops."""

import dataclasses
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.plain_accounts import ITEMS as TAKEN
from tests.plain_accounts import plain_account

from latentbeta.characteristics.accounts import known_of_quoted
from latentbeta.characteristics.fundamental_rows import FUNDAMENTAL_ROWS
from latentbeta.characteristics.registry import REGISTRY, rows_of
from latentbeta.data.fundamentals import ITEMS, QUARTERLY_INCOME, Fundamentals

NAMES = [row.name for row in FUNDAMENTAL_ROWS]
every_characteristic = pytest.mark.parametrize("name", NAMES)


def month_of(text):
    return int(np.datetime64(text, "M").astype(int))


def fundamentals_of(publications, *, flow_months=12, stale=18):
    """From a list of (asset, fiscal month, day published, {item: value}), in any order."""
    ordered = sorted(publications, key=lambda row: row[2])
    return Fundamentals(
        asset=np.array([row[0] for row in ordered], dtype=np.int64),
        month=np.array([row[1] for row in ordered], dtype=np.int64),
        published=np.array([row[2] for row in ordered], dtype="datetime64[us]"),
        items={i: np.array([row[3].get(i, math.nan) for row in ordered]) for i in ITEMS},
        flow_months=flow_months,
        stale_months=stale,
    )


def year_end(year, published, **items):
    return (0, month_of(f"{year}-12"), np.datetime64(published, "us"), items)


@pytest.fixture
def market(steady_market):
    """1,500 days from 1970 on, 100,000 shares at 10: a market equity of a million."""
    return steady_market(1_500)


def values(name, market, publications, days, **options):
    source = fundamentals_of(publications, **options)
    formations = np.array(
        [int((np.datetime64(day) - np.datetime64("1970-01-01")).astype(int)) for day in days]
    )
    return REGISTRY[name].function(dataclasses.replace(market, fundamentals=source), formations)[
        :, 0
    ]


LAST, THIS = (
    year_end(
        1970, "1971-03-01", book_equity=4e5, total_assets=1e6, total_liabilities=5e5,
        net_income=4e4, sales=8e5, cost_of_goods_sold=5e5, cash=1e5,
    ),
    year_end(
        1971, "1972-03-01", book_equity=5e5, total_assets=1.2e6, total_liabilities=7e5,
        net_income=5e4, sales=9e5, cost_of_goods_sold=5e5, cash=3e5,
    ),
)  # fmt: skip
BY_HAND = {
    "bm": 0.5,  # 500,000 / 1,000,000
    "ep": 0.05,  # 50,000 / 1,000,000
    "sp": 0.9,  # 900,000 / 1,000,000
    "lev": 0.7,  # 700,000 / 1,000,000
    "agr": 0.2,  # 1.2 / 1.0 - 1
    "egr": 0.25,  # 5 / 4 - 1
    "lgr": 0.4,  # 7 / 5 - 1
    "sgr": 0.125,  # 9 / 8 - 1
    "gma": 0.4,  # (900,000 - 500,000) / 1,000,000
    "cash": 0.25,  # 3 / 12
}


def share_known(market, item, day):
    known, quoted = known_of_quoted(market, item, day)
    return known / max(quoted, 1)


@pytest.mark.parametrize("name", list(BY_HAND))
def test_worked_by_hand_from_years(name, market):
    value = values(name, market, [LAST, THIS], ["1972-04-28"])
    assert value[0] == pytest.approx(BY_HAND[name], rel=1e-12)


def test_worked_by_hand_from_quarters(market):
    """Income of 1, 2, 3, 4, then 5 over four quarters; assets of 100 and 125 before the last."""
    first = np.datetime64("1971-02-01", "us")
    quarters = [
        (
            0,
            month_of("1970-12") + 3 * q,
            first + np.timedelta64(91 * q, "D"),
            {
                "net_income": q + 1.0,
                "total_assets": 125.0 if q > 2 else 100.0,
                "book_equity": 50.0,
                "sales": 20.0 if q > 3 else 10.0,
            },
        )
        for q in range(8)
    ]
    now = ["1972-02-10"]  # the fifth is published on 31 January
    of = {"flow_months": 3, "stale": 9}
    assert values("roaq", market, quarters, now, **of)[0] == pytest.approx(5 / 125)
    assert values("roeq", market, quarters, now, **of)[0] == pytest.approx(5 / 50)
    assert values("ep", market, quarters, now, **of)[0] == pytest.approx((2 + 3 + 4 + 5) / 1e6)
    assert values("agr", market, quarters, now, **of)[0] == pytest.approx(0.25)
    assert math.isnan(values("sgr", market, quarters, now, **of)[0])  # needs eight
    # After the eighth: 20 + 20 + 20 + 20 against 10 · 4.
    assert values("sgr", market, quarters, ["1972-11-30"], **of)[0] == pytest.approx(1.0)


def test_every_one_has_a_number_and_a_plain_form():
    assert set(BY_HAND) | {"roaq", "roeq"} == set(NAMES) == set(TAKEN)


def test_what_years_cannot_tell_of_a_quarter_is_missing(market):
    source = fundamentals_of([LAST, THIS])
    whole = dataclasses.replace(market, fundamentals=source)
    assert share_known(whole, "net_income", 850) == 1.0
    assert share_known(whole, QUARTERLY_INCOME, 850) == 0.0
    for name in ("roaq", "roeq"):
        assert np.isnan(values(name, market, [LAST, THIS], ["1972-04-28"])).all()


def test_a_value_is_known_from_the_day_of_its_publication(market):
    days = ["1971-02-28", "1971-03-01", "1972-02-29", "1972-03-01"]
    known = values("bm", market, [LAST, THIS], days)
    np.testing.assert_allclose(known, [np.nan, 0.4, 0.4, 0.5])


def test_a_correction_counts_from_its_own_publication_and_moves_no_earlier_value(market):
    corrected = year_end(1971, "1972-09-01", book_equity=3e5)
    days = ["1972-03-01", "1972-08-31", "1972-09-01"]
    known = values("bm", market, [LAST, THIS, corrected], days)
    np.testing.assert_allclose(known, [0.5, 0.5, 0.3])


def test_a_late_correction_of_the_year_before_moves_growth_and_no_level(market):
    corrected = year_end(1970, "1972-09-01", book_equity=2.5e5)
    days = ["1972-08-31", "1972-09-01"]
    source = [LAST, THIS, corrected]
    np.testing.assert_allclose(values("egr", market, source, days), [0.25, 1.0])
    np.testing.assert_allclose(values("bm", market, source, days), [0.5, 0.5])


def test_an_item_that_follows_later_waits_for_its_own_publication(market):
    """Income first, the balance sheet two months after it: bm stays last year's till then."""
    early = year_end(1971, "1972-01-20", net_income=5e4)
    days = ["1972-01-31", "1972-03-01"]
    np.testing.assert_allclose(values("bm", market, [LAST, early, THIS], days), [0.4, 0.5])
    np.testing.assert_allclose(values("ep", market, [LAST, early, THIS], days), [0.05, 0.05])


def test_accounts_become_stale(market):
    days = ["1972-05-31", "1972-06-30", "1972-07-01"]
    known = values("bm", market, [LAST], days)  # of December 1970: good for 18 months
    np.testing.assert_allclose(known, [0.4, 0.4, np.nan])


def test_a_denominator_that_is_not_positive_gives_nothing(market):
    negative = year_end(1970, "1971-03-01", book_equity=-1e5)
    assert np.isnan(values("egr", market, [negative, THIS], ["1972-04-28"])).all()
    np.testing.assert_allclose(values("bm", market, [negative], ["1971-04-28"]), [-0.1])


def test_without_accounts_everything_is_missing(market):
    for name in NAMES:
        assert np.isnan(REGISTRY[name].function(market, np.array([900]))).all()
    empty = fundamentals_of([])
    assert np.isnan(
        REGISTRY["bm"].function(dataclasses.replace(market, fundamentals=empty), np.array([9]))
    ).all()


def test_the_share_known_counts_the_assets_quoted_on_the_day(steady_market):
    close = np.full((900, 4), 10.0)
    close[800:, 3] = np.nan
    row = LAST[1:]
    source = fundamentals_of([(0, *row), (3, *row)])
    market = dataclasses.replace(steady_market(900, 4, close=close), fundamentals=source)
    assert share_known(market, "book_equity", 850) == pytest.approx(1 / 3)
    assert share_known(market, "book_equity", 100) == 0.0


@st.composite
def cases(draw):
    """Publications at random: late, corrected, partly empty, out of the order of their periods."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    flow_months = draw(st.sampled_from([12, 6, 3]))
    n_assets = draw(st.integers(1, 4))
    empty = draw(st.sampled_from([0.0, 0.1, 0.3]))
    publications = []
    for asset in range(n_assets):
        first = int(rng.integers(-40, 20))
        for month in range(first, 48, flow_months):
            if rng.random() < empty:
                continue
            for _ in range(rng.choice([1, 2, 3], p=[0.7, 0.2, 0.1])):
                day = np.datetime64("1970-01-31") + np.timedelta64(
                    30 * month + int(rng.integers(0, 300)), "D"
                )
                items = {i: rng.normal(3e5, 2e5) for i in ITEMS if rng.random() >= empty}
                publications.append((asset, month, day.astype("datetime64[us]"), items))
    return publications, n_assets, flow_months, draw(st.sampled_from([6, 15, 24])), rng


def random_market(steady_market, n_assets, rng):
    close = rng.uniform(5.0, 50.0, (1_500, n_assets))
    close[rng.random(close.shape) < 0.1] = np.nan
    shares = np.where(rng.random(close.shape) < 0.1, np.nan, 1e5)
    return steady_market(1_500, n_assets, close=close, shares=shares)


def test_equal_plain_loops_on_random_publications(steady_market):
    known = Counter()

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(cases())
    def on_one(case):
        publications, n_assets, flow_months, stale, rng = case
        source = fundamentals_of(publications, flow_months=flow_months, stale=stale)
        market = random_market(steady_market, n_assets, rng)
        market = dataclasses.replace(market, fundamentals=source)
        formations = np.sort(rng.integers(0, 1_500, 5))
        publications = sorted(publications, key=lambda row: row[2])
        for name in NAMES:
            fast = REGISTRY[name].function(market, formations)
            slow = [
                [
                    plain_account(
                        name, market, publications, n, t, flow_months=flow_months, stale=stale
                    )
                    for n in range(n_assets)
                ]
                for t in formations
            ]
            np.testing.assert_allclose(fast, slow, rtol=1e-10, atol=1e-12, err_msg=name)
            known[name] += int(np.isfinite(fast).sum())

    on_one()
    assert min(known[name] for name in NAMES) > 50, known


CUT = 1_000  # 27 September 1972


@pytest.fixture(scope="module")
def past_and_future(steady_market):
    """A market of quarterly accounts, and the same with every later publication changed."""
    rng = np.random.default_rng(8)
    publications = [
        (asset, month, np.datetime64("1970-02-20", "us") + np.timedelta64(30 * month + lag, "D"),
         {item: float(rng.uniform(1e5, 9e5)) for item in ITEMS})
        for asset in range(5)
        for month in range(-24, 48, 3)
        for lag in (0, 200)
    ]  # fmt: skip
    market = random_market(steady_market, 5, rng)
    day = market.days[CUT]
    later = [
        (asset, month - 3, when, {item: 7.0 * value for item, value in items.items()})
        if when > day
        else (asset, month, when, items)
        for asset, month, when, items in publications
    ]
    wild = (0, 90, day + np.timedelta64(1, "D"), dict.fromkeys(ITEMS, 1e30))
    wild_past = (0, -90, day + np.timedelta64(1, "D"), dict.fromkeys(ITEMS, 1e30))
    of = {"flow_months": 3, "stale": 12}
    before = fundamentals_of(publications, **of)
    after = fundamentals_of([*later, wild, wild_past], **of)
    gone = fundamentals_of([row for row in publications if row[2] <= day], **of)
    return [dataclasses.replace(market, fundamentals=source) for source in (before, after, gone)]


@every_characteristic
def test_later_publications_move_no_byte_of_the_past(name, past_and_future):
    before, after, gone = past_and_future
    formations = np.array([300, 640, 999, CUT])
    for function in (REGISTRY[name].function, rows_of([f"{name}_ia"])[f"{name}_ia"].function):
        expected = function(before, formations)
        assert np.isfinite(expected).any()
        for other in (after, gone, after.between(0, CUT + 1)):
            assert function(other, formations).tobytes() == expected.tobytes()
        newest = np.array([CUT + 1])
        assert function(before, newest).tobytes() != function(after, newest).tobytes()


@every_characteristic
def test_other_formations_and_their_order_do_not_matter(name, past_and_future):
    function, market = REGISTRY[name].function, past_and_future[0]
    together = function(market, np.array([999, 300, 640]))
    for row, formation in enumerate([999, 300, 640]):
        alone = function(market, np.array([formation]))
        assert alone[0].tobytes() == together[row].tobytes()


@every_characteristic
def test_reads_its_declared_inputs_only(name, past_and_future):
    market, row, formations = past_and_future[0], REGISTRY[name], np.array([640, 999])
    expected = row.function(market, formations)
    inputs = {"net_income" if field == QUARTERLY_INCOME else field for field in row.inputs}
    gone = np.full(market.shape, np.nan)
    others = {
        field: gone
        for field in ("total_return", "close", "high", "low", "volume", "shares")
        if field not in inputs
    }
    source = dataclasses.replace(
        market.fundamentals,
        items={i: v for i, v in market.fundamentals.items.items() if i in inputs},
    )
    less = dataclasses.replace(market, fundamentals=source, **others)
    assert row.function(less, formations).tobytes() == expected.tobytes()
    for field in inputs:
        if field in ITEMS:
            without = dataclasses.replace(
                source, items={i: v for i, v in source.items.items() if i != field}
            )
            lacking = dataclasses.replace(less, fundamentals=without)
        else:
            lacking = dataclasses.replace(less, **{field: gone})
        assert np.isnan(row.function(lacking, formations)).all()
