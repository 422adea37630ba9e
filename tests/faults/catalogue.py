"""Faults that data come with: what is wrong, how it is planted, and what must come of it."""

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


PRICE_FAULTS = {
    "no_close": Fault(
        "no column of closes", "error", "no column for 'close'",
        everywhere(lambda t: t.drop(columns="close")),
    ),
    "text_in_volume": Fault(
        "a word among the volumes", "error", "not a number",
        everywhere(
            lambda t: t.assign(volume=t["volume"].astype(str).where(t.index != 9, "many"))
        ),
    ),
    "row_twice": Fault(
        "an asset twice on one day", "error", "holds already",
        everywhere(lambda t: pd.concat([t, t.iloc[[50]]])),
    ),
    "close_zero": Fault("a close of zero", "error", "must be positive", cell("close", 0.0)),
    "open_negative": Fault("a negative open", "error", "must be positive", cell("open", -1.0)),
    "volume_negative": Fault(
        "a negative volume", "error", "cannot be negative", cell("volume", -5.0)
    ),
    "close_infinite": Fault("an infinite close", "error", "not a number", cell("close", np.inf)),
    "future_date": Fault(
        "a date that has not come", "error", "lies after today", one_more_day("2031-01-02")
    ),
    "day_before": Fault(
        "all dates a day early", "error", "set data.calendar",
        dated(lambda d: d - pd.Timedelta("1D")),
    ),
    "time_zone": Fault(
        "one asset's dates at 23:00 of the day before", "error", "its dates are shifted",
        dated(lambda d: d - pd.Timedelta("1h"), who=0),
    ),
    "weekends": Fault(
        "quotes on Saturdays", "error", "set data.calendar",
        everywhere(with_saturdays),
    ),
    "rate_in_percent": Fault(
        "the risk-free rate in percent", "error", "give daily rates as decimals",
        rates(lambda t: t.assign(risk_free=t["risk_free"] * 250)),
    ),
    "rate_a_little_large": Fault(
        "a risk-free rate of 50 % a year", "warning", "risk_free_usual",
        rates(lambda t: t.assign(risk_free=0.002)),
    ),
    "rate_missing": Fault(
        "no risk-free rate for a month", "noted", "the risk-free rate is missing on 21 sessions",
        rates(lambda t: t.drop(index=range(100, 121))),
    ),
    "sector_twice": Fault(
        "an asset twice among the sectors", "error", "the asset is there already",
        sectors(lambda t: pd.concat([t, t.iloc[[0]]])),
    ),
    "sector_missing": Fault(
        "an asset without a sector", "marked", "sector_unknown", sectors(lambda t: t.iloc[1:])
    ),
    "quoted_after_delisting": Fault(
        "quotes after the delisting", "marked", "outside_listing",
        sectors(lambda t: t.assign(delisted=t["delisted"].where(t.index != 0, "2013-01-02"))),
    ),
    "close_missing": Fault(
        "a close that is missing", "left out", "no_close", cell("close", np.nan)
    ),
    "holiday": Fault(
        "a holiday with a copy of another day", "left out", "not_a_session",
        one_more_day("2013-07-04"),
    ),
    "out_of_order": Fault(
        "rows out of order", "harmless", "", everywhere(lambda t: t.sample(frac=1, random_state=1))
    ),
    "columns_reordered": Fault(
        "columns in another order, names in capitals", "harmless", "",
        everywhere(lambda t: t[t.columns[::-1]].rename(columns=str.upper)),
    ),
    "closing_time": Fault(
        "dates that carry the hour of the close", "harmless", "",
        dated(lambda d: d + pd.Timedelta("16h")),
    ),
    "zone_aware": Fault(
        "dates with the exchange's time zone", "harmless", "",
        everywhere(lambda t: t.assign(date=t["date"].dt.tz_localize("America/New_York"))),
    ),
    "high_below_low": Fault(
        "a high below the low", "marked", "prices_out_of_order", scaled(0.5, "high")
    ),
    "close_outside": Fault(
        "a close above the high", "warning", "price_order", scaled(1.2, "close", "open")
    ),
    "open_outside": Fault(
        "an open below the low", "marked", "prices_out_of_order", scaled(0.7, "open")
    ),
    "stale": Fault(
        "quotes repeated for weeks, no volume", "marked", "stale_price",
        lambda s: frozen(s, volume=0.0, n_days=15),
    ),
    "stale_for_long": Fault(
        "the same, whatever the volume", "warning", "price_not_stale",
        lambda s: frozen(s, volume=500.0, n_days=15),
    ),
    "filled": Fault(
        "a day filled with the last close", "marked", "filled_quote",
        lambda s: frozen(s, volume=500.0, n_days=1),
    ),
    "spike": Fault(
        "a spike that reverses (marked where it does)", "marked", "reversed_spike",
        scaled(1.6, *QUOTES),
    ),
    "split_unrecorded": Fault(
        "a split of two for one that is not recorded", "withheld", "split_missing",
        lambda s: calm(s, 2.0),
    ),
    "three_for_two": Fault(
        "one of three for two", "withheld", "split_missing", lambda s: calm(s, 1.5)
    ),
    "split_twice": Fault(
        "a split recorded on two days", "withheld", "split_contradicted", split_twice
    ),
    "split_a_day_late": Fault(
        "a split recorded a day late", "withheld", "split_contradicted",
        lambda s: calm(s, 2.0, split=2.0, on=1),
    ),
    "split_early": Fault(
        "a split recorded three days early (taken when the price follows)", "marked", "split_late",
        lambda s: calm(s, 2.0, split=2.0, on=-3),
    ),
    "split_inverted": Fault(
        "a split's ratio inverted", "withheld", "split_contradicted",
        lambda s: calm(s, 2.0, split=0.5),
    ),
    "dividend_times_ten": Fault(
        "a dividend ten times too large", "marked", "dividend_unusual",
        dividend(0.06, earlier=0.006),
    ),
    "dividend_in_cents": Fault(
        "a dividend in cents", "withheld", "dividend_contradicted", dividend(0.6, earlier=0.006)
    ),
    "spin_off_twice": Fault(
        "a spin-off as a dividend and as a split", "withheld", "counted_twice", counted_twice
    ),
    "unit": Fault(
        "prices a hundred times too large for a week", "withheld", "unit_changed",
        scaled(100.0, *QUOTES, days=slice(0, 5)),
    ),
    "large_return": Fault(
        "a price that doubles", "marked", "large_return", scaled(2.3, *QUOTES, days=slice(0, None))
    ),
    "swapped": Fault(
        "the prices of two assets swapped from a day on", "marked", "swapped_prices", swapped
    ),
    "volume_thousandfold": Fault(
        "a volume a thousand times too large", "marked", "volume_burst", scaled(1e3, "volume")
    ),
    "volume_in_thousands": Fault(
        "volumes in thousands from a day on", "marked", "volume_collapse",
        scaled(1e-3, "volume", days=slice(0, None)),
    ),
    "shares_thousandfold": Fault(
        "shares a thousand times too many from a day on", "marked", "shares_jump",
        scaled(1e3, "shares", days=slice(0, None)),
    ),
    "ticker_reused": Fault(
        "a ticker given to another company", "marked", "ticker_reuse", reused
    ),
    "ticker_rests": Fault(
        "the same, by its gap", "warning", "asset_quoted", reused
    ),
    "long_gap": Fault(
        "twenty sessions without a quote", "withheld", "long_gap",
        lambda s: replace(
            s,
            prices=s.prices[
                (s.prices["asset"] != s.first) | ~s.prices["date"].isin(s.spell(slice(0, 20)))
            ],
        ),
    ),
    "session_missing": Fault("no quote on a session", "warning", "session_complete", absent(1.0)),
    "half_a_session": Fault(
        "half of the assets on a session", "warning", "session_complete", absent(0.5)
    ),
    "newest_half": Fault(
        "half of the assets on the newest session", "warning", "newest_session_whole",
        lambda s: absent(0.5, slice(len(s.days) - 1 - s.middle, None))(s),
    ),
    "session_copied": Fault(
        "a session that is the one before once more", "warning", "session_moved", copied_session
    ),
    "volume_of_a_day": Fault(
        "no volume on a session", "warning", "session_volume_usual",
        everywhere(lambda t: t.assign(volume=t["volume"].mask(t["date"] == "2013-08-01", 0.0))),
    ),
    "currency": Fault(
        "all prices in another currency from a day on", "warning", "session_return_usual",
        everywhere(in_another_currency),
    ),
    "a_session_late": Fault(
        "one asset dated a session late", "warning", "asset_in_step", a_session_late
    ),
    "shares_in_thousands": Fault(
        "shares outstanding in thousands", "warning", "turnover_usual",
        everywhere(lambda t: t.assign(shares=t["shares"] / 1e3)),
    ),
    "shares_of_one": Fault(
        "those of one asset in thousands", "warning", "turnover_of_asset_usual",
        scaled(1e-3, "shares", days=slice(-10_000, None)),
    ),
    "volumes_not_delivered": Fault(
        "a tenth of the volumes missing", "warning", "quote_known",
        everywhere(lambda t: t.assign(volume=t["volume"].where(np.arange(len(t)) % 10 > 0))),
    ),
    "adjusted_already": Fault(
        "adjusted prices as raw ones, splits beside them", "blocking", "split_in_price",
        adjusted_already,
    ),
    "volume_adjusted": Fault(
        "adjusted volumes beside raw prices", "warning", "split_in_volume", volume_adjusted
    ),
    "all_dividends_times_ten": Fault(
        "all dividends ten times too large", "warning", "dividend_in_price",
        everywhere(lambda t: t.assign(dividend=t["dividend"] * 10)),
    ),
}  # fmt: skip


def of_panel(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Plant:
    return lambda source: replace(source, panel=change(source.panel.copy()))


def next_one(table: pd.DataFrame) -> pd.DataFrame:
    """Shift a characteristic by one period, so that it holds the return it is to explain."""
    return table.assign(mom1m=table.groupby("asset")["mom1m"].shift(-1))


def zero_filled(table: pd.DataFrame) -> pd.DataFrame:
    lost = np.random.default_rng(1).random(len(table)) < 0.2
    return table.assign(**{"return": table["return"].mask(lost, 0.0)})


def clipped(table: pd.DataFrame) -> pd.DataFrame:
    by_date = table.groupby("date")["return"]
    low, high = (by_date.transform("quantile", q) for q in (0.1, 0.9))
    return table.assign(**{"return": table["return"].clip(low, high)})


def less_the_mean(table: pd.DataFrame) -> pd.DataFrame:
    for _ in range(2):
        mean = table.groupby("date")["return"].transform("mean")
        table["return"] = table["return"] - mean
    return table


def on_newest(column: str, change: Callable[[pd.Series], pd.Series]) -> Plant:
    """Change a column of the newest date that has a return."""

    def plant(table: pd.DataFrame) -> pd.DataFrame:
        newest = table["date"] == table["date"].max()
        return table.assign(**{column: table[column].mask(newest, change(table[column]))})

    return of_panel(plant)


def of_one(column: str, value: object) -> Plant:
    """Set a column of one asset throughout."""
    return of_panel(
        lambda t: t.assign(**{column: t[column].mask(t["asset"] == t["asset"].iloc[0], value)})
    )


PANEL_FAULTS = {
    "returns_in_percent": Fault(
        "returns in percent", "error", "percent",
        of_panel(lambda t: t.assign(**{"return": t["return"] * 100})),
    ),
    "panel_row_twice": Fault(
        "an asset twice in a period", "error", "holds already|the same date",
        of_panel(lambda t: pd.concat([t, t.iloc[[70]]])),
    ),
    "panel_infinite": Fault(
        "an infinite characteristic", "error", "not a number",
        of_panel(lambda t: t.assign(retvol=t["retvol"].where(t.index != 70, np.inf))),
    ),
    "foresight": Fault(
        "a characteristic of the period it is to explain", "blocking", "no_foresight",
        of_panel(next_one),
    ),
    "filled_with_zero": Fault(
        "missing returns filled with zero", "warning", "return_not_filled", of_panel(zero_filled)
    ),
    "clipped": Fault(
        "returns cut at their tenths", "warning", "return_not_filled", of_panel(clipped)
    ),
    "benchmark_twice": Fault(
        "the mean of the market taken off, twice", "warning", "return_not_adjusted",
        of_panel(less_the_mean),
    ),
    "returns_missing": Fault(
        "a third of the returns missing", "blocking", "return_known",
        of_panel(lambda t: t.assign(**{"return": t["return"].where(t.index % 3 > 0)})),
    ),
    "return_below_all": Fault(
        "a return of -150 %", "blocking", "return_possible",
        of_panel(lambda t: t.assign(**{"return": t["return"].where(t.index != 70, -1.5)})),
    ),
    "asset_without_return": Fault(
        "an asset that never has a return", "warning", "asset_has_return", of_one("return", np.nan)
    ),
    "market_equity_negative": Fault(
        "a negative market value", "blocking", "market_equity_positive",
        of_panel(
            lambda t: t.assign(market_equity=t["market_equity"].where(t.index != 70, -1e6))
        ),
    ),
    "characteristic_of_a_date": Fault(
        "a characteristic missing on a date", "warning", "characteristic_covered_as_before",
        on_newest("retvol", lambda c: c * np.nan),
    ),
    "characteristic_constant": Fault(
        "a characteristic that is one number", "blocking", "characteristic_varies",
        of_panel(lambda t: t.assign(retvol=0.02)),
    ),
    "drift": Fault(
        "a characteristic in another unit on the newest date", "warning", "newest_values_usual",
        on_newest("retvol", lambda c: c * 100),
    ),
    "sector_misspelt": Fault(
        "one asset's sector misspelt", "warning", "sector_shared", of_one("sector", "Sectr 01")
    ),
    "within_the_month": Fault(
        "dates that are not the period's end", "harmless", "",
        of_panel(lambda t: t.assign(date=t["date"].dt.to_period("M").dt.start_time)),
    ),
    "panel_out_of_order": Fault(
        "rows of a panel out of order", "harmless", "",
        of_panel(lambda t: t.sample(frac=1, random_state=1)),
    ),
}  # fmt: skip


def shifted_returns(table: pd.DataFrame) -> pd.DataFrame:
    """Give each row its asset's return of the period before."""
    return table.assign(**{"return": table.groupby("asset")["return"].shift(1)})


Change = Callable[[pd.DataFrame], pd.DataFrame]
# Planted into the panel that the stage characteristics leaves, as an error of ours would be.
BUILT_FAULTS: dict[str, tuple[str, Outcome, str, Change]] = {
    "target_shifted": (
        "the return of another period", "blocking", "return_in_prices", shifted_returns,
    ),
    "rank_beyond": (
        "a rank beyond one", "blocking", "characteristic_ranked",
        lambda t: t.assign(mom1m=t["mom1m"].where(t.index != 70, np.float32(1.01))),
    ),
    "rank_missing": (
        "a rank that is missing", "blocking", "characteristic_known",
        lambda t: t.assign(mom1m=t["mom1m"].where(t.index != 70)),
    ),
    "formed_late": (
        "characteristics formed on the day the period ends", "blocking", "formation_before_date",
        lambda t: t.assign(formation=t["formation"].mask(t["date"] == t["date"].min(), t["date"])),
    ),
    "built_row_twice": (
        "a row of the panel twice", "blocking", "panel_key_unique",
        lambda t: pd.concat([t.iloc[:71], t.iloc[70:]], ignore_index=True),
    ),
}  # fmt: skip
