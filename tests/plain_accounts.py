"""Slow, plainly written forms of the characteristics of accounts: one asset, one date at a time.

`publications` is a list of (asset, fiscal month, day published, {item: value}).
"""

import math

from tests.plain_characteristics import finite


def known(publications, asset, day, item, month):
    """The value of an item for a fiscal month, of the latest publication up to a day."""
    value, latest = math.nan, None
    for who, period, published, items in publications:
        here = items.get(item, math.nan)
        same = who == asset and period == month and published <= day and math.isfinite(here)
        if same and (latest is None or published >= latest):
            value, latest = here, published
    return value


def newest(publications, asset, day, items, stale):
    """The last fiscal month of which every item is known, None where there is none or it is old."""
    months = {p for who, p, published, _ in publications if who == asset and published <= day}
    whole = [
        m
        for m in months
        if len(finite(known(publications, asset, day, i, m) for i in items)) == len(items)
    ]
    if not whole or day.astype("datetime64[M]").astype(int) - max(whole) > stale:
        return None
    return max(whole)


def total(publications, asset, day, item, month, months, flow_months):
    """The sum of a flow over some months that end with a fiscal month."""
    if months % flow_months:
        return math.nan
    ends = range(month, month - months, -flow_months)
    return math.fsum(known(publications, asset, day, item, end) for end in ends)


def over(numerator, denominator):
    return numerator / denominator if denominator > 0 else math.nan


def value_of(market, asset, day):
    """Price times shares, the latest of five days that has both."""
    for d in range(day, max(day - 5, -1), -1):
        value = float(market.close[d, asset] * market.shares[d, asset])
        if math.isfinite(value):
            return value
    return math.nan


def plain_account(name, market, publications, asset, formation, *, flow_months, stale):
    day = market.days[formation]
    items = ITEMS[name]
    month = newest(publications, asset, day, items, stale)
    if month is None:
        return math.nan

    def level(item, ago=0):
        return known(publications, asset, day, item, month - ago)

    def flow(item, months, ago=0):
        return total(publications, asset, day, item, month - ago, months, flow_months)

    worth = value_of(market, asset, formation)
    return {
        "bm": lambda: over(level("book_equity"), worth),
        "ep": lambda: over(flow("net_income", 12), worth),
        "sp": lambda: over(flow("sales", 12), worth),
        "lev": lambda: over(level("total_liabilities"), worth),
        "agr": lambda: over(level("total_assets"), level("total_assets", 12)) - 1,
        "egr": lambda: over(level("book_equity"), level("book_equity", 12)) - 1,
        "lgr": lambda: over(level("total_liabilities"), level("total_liabilities", 12)) - 1,
        "sgr": lambda: over(flow("sales", 12), flow("sales", 12, 12)) - 1,
        "gma": lambda: over(
            flow("sales", 12) - flow("cost_of_goods_sold", 12), level("total_assets", 12)
        ),
        "roaq": lambda: over(flow("net_income", 3), level("total_assets", 3)),
        "roeq": lambda: over(flow("net_income", 3), level("book_equity", 3)),
        "cash": lambda: over(level("cash"), level("total_assets")),
    }[name]()


ITEMS = {
    "bm": ("book_equity",),
    "ep": ("net_income",),
    "sp": ("sales",),
    "lev": ("total_liabilities",),
    "agr": ("total_assets",),
    "egr": ("book_equity",),
    "lgr": ("total_liabilities",),
    "sgr": ("sales",),
    "gma": ("sales", "cost_of_goods_sold", "total_assets"),
    "roaq": ("net_income", "total_assets"),
    "roeq": ("net_income", "book_equity"),
    "cash": ("cash", "total_assets"),
}
