"""What a fault is, and how those of daily prices are planted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from tests.faults.source import QUOTES, Source

Outcome = Literal[
    "error", "withheld", "marked", "left out", "noted", "blocking", "warning", "harmless"
]
Plant = Callable[[Source], Source]


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes
    ----------
    what : str
        What is wrong, in the words of docs/quality.md.
    outcome : str
        How the run answers: see docs/quality.md.
    rule : str
        The rule that catches it; of an error or a note, part of its text; empty when harmless.
    plant : callable
        Clean source to faulty source.
    """

    what: str
    outcome: Outcome
    rule: str
    plant: Plant


def cell(column: str, value: object) -> Plant:
    """Put a value into the first victim's row of the middle day."""
    return lambda source: source.on(source.first, source.day, **{column: lambda _: value})


def scaled(factor: float, *columns: str, days: slice = slice(0, 1), who: int = 0) -> Plant:
    """Multiply columns of a victim; `days` counts from the middle day."""

    def plant(source: Source) -> Source:
        return source.on(
            source.steady[who],
            source.spell(days),
            **dict.fromkeys(columns, lambda old: old * factor),
        )

    return plant


def everywhere(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Plant:
    """Change the whole table of prices."""
    return lambda source: replace(source, prices=change(source.prices.copy()))


def dated(change: Callable[[pd.Series], pd.Series], who: int | None = None) -> Plant:
    """Change the dates of all assets, or of one."""

    def plant(source: Source) -> Source:
        prices = source.prices.copy()
        there = prices["asset"].notna() if who is None else prices["asset"].eq(source.steady[who])
        prices["date"] = prices["date"].mask(there, change(prices["date"]))
        return replace(source, prices=prices)

    return plant


def one_more_day(name: str) -> Plant:
    """Repeat the middle day's rows under another date."""

    def plant(source: Source) -> Source:
        copy = source.prices[source.prices["date"] == source.day].assign(date=pd.Timestamp(name))
        return replace(source, prices=pd.concat([source.prices, copy], ignore_index=True))

    return plant


def absent(share: float, days: slice = slice(0, 1)) -> Plant:
    """Leave out a share of the assets on some days."""

    def plant(source: Source) -> Source:
        prices = source.prices
        names = sorted(prices["asset"].unique())
        lost = prices["asset"].isin(names[: round(share * len(names))])
        lost &= prices["date"].isin(source.spell(days))
        return replace(source, prices=prices[~lost])

    return plant


def frozen(source: Source, *, volume: float, n_days: int) -> Source:
    """Fill some days with the close of the day before."""
    close = source.value(source.first, source.days[source.middle - 1], "close")
    filled = dict.fromkeys(QUOTES, lambda _: close) | {"volume": lambda _: volume}
    return source.on(source.first, source.spell(slice(0, n_days)), **filled)


def calm(source: Source, factor: float, *, split: float | None = None, on: int = 0) -> Source:
    """Divide prices from the middle day on, a day that is calm but for that; record a split."""
    divided = scaled(1 / factor, *QUOTES, days=slice(0, None))(source)
    before = source.value(source.first, source.days[source.middle - 1], "close") / factor
    quotes = dict(zip(QUOTES, (before, before * 1.01, before * 0.99, before), strict=True))
    divided = divided.on(
        source.first, source.day, **{name: lambda _, v=value: v for name, value in quotes.items()}
    )
    if split is None:
        return divided
    return divided.on(source.first, source.days[source.middle + on], split=lambda _: split)


def split_twice(source: Source) -> Source:
    again = calm(source, 2.0, split=2.0)
    return again.on(source.first, source.days[source.middle + 1], split=lambda _: 2.0)


def dividend(yielded: float, *, earlier: float = 0.0) -> Plant:
    """Pay a share of the previous close on the middle day, which the price does not show."""

    def plant(source: Source) -> Source:
        paid = source
        for step in (63, 126, 189):
            day = source.days[source.middle - step]
            close = source.value(source.first, source.days[source.middle - step - 1], "close")
            paid = paid.on(source.first, day, dividend=lambda _, d=earlier * close: d)
        close = source.value(source.first, source.days[source.middle - 1], "close")
        return paid.on(source.first, source.day, dividend=lambda _: yielded * close)

    return plant


def counted_twice(source: Source) -> Source:
    """Record a spin-off of a third of the price as a dividend and as a split."""
    close = source.value(source.first, source.days[source.middle - 1], "close")
    fallen = calm(source, 1.5, split=1.5)
    return fallen.on(source.first, source.day, dividend=lambda _: close / 3)


def swapped(source: Source) -> Source:
    """Give two assets of different price each other's quotes, from the middle day on."""
    low, high = source.cheap, source.dear
    prices = source.prices.copy()
    later = prices["date"] >= source.day
    names = prices["asset"].mask(later & (prices["asset"] == low), high)
    prices["asset"] = names.mask(later & (source.prices["asset"] == high), low)
    return replace(source, prices=prices)


def reused(source: Source) -> Source:
    """Let a ticker rest for 300 sessions and come back at another price."""
    prices = source.prices
    own = prices["asset"] == source.first
    gap = own & prices["date"].isin(source.days[200:500])
    later = own & (prices["date"] >= source.days[500])
    prices = prices.assign(**{n: prices[n].mask(later, prices[n] * 7.3) for n in QUOTES})
    return replace(source, prices=prices[~gap])


def copied_session(source: Source) -> Source:
    """Deliver the day before once more."""
    prices = source.prices
    before = prices[prices["date"] == source.days[source.middle - 1]]
    rest = prices[prices["date"] != source.day]
    copy = before.assign(date=source.day, dividend=0.0, split=1.0)
    return replace(source, prices=pd.concat([rest, copy], ignore_index=True))


def a_session_late(source: Source) -> Source:
    """Date all rows a session late of an asset that moves with its market, as most do."""
    place = np.searchsorted(source.days, source.prices["date"]) + 1
    late = source.days[np.minimum(place, len(source.days) - 1)]
    own = source.prices["asset"] == source.steady[1]
    prices = source.prices.assign(date=source.prices["date"].mask(own, pd.Series(late)))
    return replace(source, prices=prices.drop_duplicates(["date", "asset"]))


def adjusted_already(source: Source) -> Source:
    """Give prices adjusted for the splits that are recorded beside them."""
    prices = source.prices.sort_values(["asset", "date"]).reset_index(drop=True)
    later = prices.groupby("asset")["split"].transform(lambda s: s[::-1].cumprod()[::-1] / s)
    return replace(source, prices=prices.assign(**{n: prices[n] / later for n in QUOTES}))


def volume_adjusted(source: Source) -> Source:
    """Split nine assets two for one and leave their volumes at what they were in new shares."""
    prices = source.prices.copy()
    some = prices["asset"].isin(source.steady[:9])
    later, day = prices["date"] >= source.day, prices["date"] == source.day
    for name in QUOTES:
        prices[name] = prices[name].mask(some & later, prices[name] / 2)
    prices["shares"] = prices["shares"].mask(some & later, prices["shares"] * 2)
    prices["split"] = prices["split"].mask(some & day, 2.0)
    return replace(source, prices=prices)


def with_saturdays(prices: pd.DataFrame) -> pd.DataFrame:
    fridays = prices[prices["date"].dt.day_of_week == 4]
    return pd.concat([prices, fridays.assign(date=fridays["date"] + pd.Timedelta("1D"))])


def in_another_currency(prices: pd.DataFrame) -> pd.DataFrame:
    later = prices["date"] >= "2013-08-01"
    return prices.assign(**{n: prices[n].mask(later, prices[n] * 1.5) for n in QUOTES})


def rates(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Plant:
    return lambda source: replace(source, rates=change(source.rates))


def sectors(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Plant:
    return lambda source: replace(source, sectors=change(source.sectors))
