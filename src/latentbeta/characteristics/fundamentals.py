"""Characteristics of companies' accounts, and of accounts against the market's value.

Prices are those of the formation, as in Asness and Frazzini (2013), and not of the fiscal year's
end; accounts are the newest that were published by then. Amounts of accounts may stand in
thousands or millions, all alike: a rank does not see the unit.
"""

from __future__ import annotations

from collections.abc import Callable

from latentbeta.characteristics.accounts import Accounts, at_formations
from latentbeta.characteristics.size import market_equity
from latentbeta.characteristics.windows import Formations, ratio
from latentbeta.data.fundamentals import QUARTERLY_INCOME
from latentbeta.data.market import DailyMarket, Matrix

YEAR, QUARTER = 12, 3  # months


def bm(market: DailyMarket, formations: Formations) -> Matrix:
    """Book-to-market.

    Notes
    -----
    ``book equity / market equity``. Rosenberg, Reid and Lanstein (1985); GHZ bm.
    """
    return _to_market(market, formations, "book_equity", _level("book_equity"))


def ep(market: DailyMarket, formations: Formations) -> Matrix:
    """Earnings to price.

    Notes
    -----
    ``net income of 12 months / market equity``. Basu (1977); GHZ ep.
    """
    return _to_market(market, formations, "net_income", _year("net_income"))


def sp(market: DailyMarket, formations: Formations) -> Matrix:
    """Sales to price.

    Notes
    -----
    ``sales of 12 months / market equity``. Barbee, Mukherji and Raines (1996); GHZ sp.
    """
    return _to_market(market, formations, "sales", _year("sales"))


def lev(market: DailyMarket, formations: Formations) -> Matrix:
    """Leverage.

    Notes
    -----
    ``total liabilities / market equity``. Bhandari (1988); GHZ lev.
    """
    return _to_market(market, formations, "total_liabilities", _level("total_liabilities"))


def agr(market: DailyMarket, formations: Formations) -> Matrix:
    """Asset growth.

    Notes
    -----
    ``total assets / total assets a year before - 1``. Cooper, Gulen and Schill (2008); GHZ agr.
    """
    return _growth(market, formations, "total_assets", lambda a, ago: a.level("total_assets", ago))


def egr(market: DailyMarket, formations: Formations) -> Matrix:
    """Growth of book equity.

    Notes
    -----
    ``book equity / book equity a year before - 1``. Richardson, Sloan, Soliman and Tuna (2005);
    GHZ egr.
    """
    return _growth(market, formations, "book_equity", lambda a, ago: a.level("book_equity", ago))


def lgr(market: DailyMarket, formations: Formations) -> Matrix:
    """Growth of liabilities.

    Notes
    -----
    ``total liabilities / total liabilities a year before - 1``. Richardson, Sloan, Soliman and
    Tuna (2005); GHZ lgr.
    """
    item = "total_liabilities"
    return _growth(market, formations, item, lambda a, ago: a.level(item, ago))


def sgr(market: DailyMarket, formations: Formations) -> Matrix:
    """Sales growth.

    Notes
    -----
    ``sales of 12 months / sales of the 12 months before - 1``. Lakonishok, Shleifer and Vishny
    (1994); GHZ sgr.
    """
    return _growth(market, formations, "sales", lambda a, ago: a.flow("sales", YEAR, ago))


def gma(market: DailyMarket, formations: Formations) -> Matrix:
    """Gross profitability.

    Notes
    -----
    ``(sales - cost of goods sold) of 12 months / total assets a year before``. Novy-Marx (2013);
    GHZ gma.
    """

    def profitability(known: Accounts) -> Matrix:
        profit = known.flow("sales", YEAR) - known.flow("cost_of_goods_sold", YEAR)
        return ratio(profit, known.level("total_assets", YEAR))

    items = ("sales", "cost_of_goods_sold", "total_assets")
    return at_formations(market, formations, items, profitability)


def roaq(market: DailyMarket, formations: Formations) -> Matrix:
    """Return on assets of the quarter.

    Notes
    -----
    ``net income of the quarter / total assets a quarter before``. Balakrishnan, Bartov and Faurel
    (2010); GHZ roaq. Only where accounts cover quarters.
    """
    return _quarterly_return(market, formations, "total_assets")


def roeq(market: DailyMarket, formations: Formations) -> Matrix:
    """Return on equity of the quarter.

    Notes
    -----
    ``net income of the quarter / book equity a quarter before``. Hou, Xue and Zhang (2015); GHZ
    roeq. Only where accounts cover quarters.
    """
    return _quarterly_return(market, formations, "book_equity")


def cash(market: DailyMarket, formations: Formations) -> Matrix:
    """Cash holdings.

    Notes
    -----
    ``cash / total assets``. Palazzo (2012); GHZ cash.
    """
    return at_formations(
        market,
        formations,
        ("cash", "total_assets"),
        lambda known: ratio(known.level("cash"), known.level("total_assets")),
    )


def _level(item: str) -> Callable[[Accounts], Matrix]:
    return lambda known: known.level(item)


def _year(item: str) -> Callable[[Accounts], Matrix]:
    return lambda known: known.flow(item, YEAR)


def _to_market(
    market: DailyMarket,
    formations: Formations,
    item: str,
    statistic: Callable[[Accounts], Matrix],
) -> Matrix:
    value = at_formations(market, formations, (item,), statistic)
    return ratio(value, market_equity(market, formations))


def _growth(
    market: DailyMarket,
    formations: Formations,
    item: str,
    amount: Callable[[Accounts, int], Matrix],
) -> Matrix:
    """Return the amount over that of a year before, less one, where that was positive."""
    return at_formations(
        market,
        formations,
        (item,),
        lambda known: ratio(amount(known, 0), amount(known, YEAR)) - 1.0,
    )


def _quarterly_return(market: DailyMarket, formations: Formations, base: str) -> Matrix:
    return at_formations(
        market,
        formations,
        (QUARTERLY_INCOME, base),
        lambda known: ratio(known.level(QUARTERLY_INCOME), known.level(base, QUARTER)),
    )
