"""Faults of daily prices, most of which are answered at ingest."""

from dataclasses import replace

import numpy as np
import pandas as pd
from tests.faults.planting import (
    Fault,
    calm,
    cell,
    counted_twice,
    dated,
    dividend,
    everywhere,
    frozen,
    one_more_day,
    rates,
    reused,
    scaled,
    sectors,
    split_twice,
    swapped,
    with_saturdays,
)
from tests.faults.source import QUOTES

INGEST_FAULTS = {
    "no_close": Fault(
        "no column of closes",
        "error",
        "no column for 'close'",
        everywhere(lambda t: t.drop(columns="close")),
    ),
    "text_in_volume": Fault(
        "a word among the volumes",
        "error",
        "not a number",
        everywhere(lambda t: t.assign(volume=t["volume"].astype(str).where(t.index != 9, "many"))),
    ),
    "row_twice": Fault(
        "an asset twice on one day",
        "error",
        "holds already",
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
        "all dates a day early",
        "error",
        "set data.calendar",
        dated(lambda d: d - pd.Timedelta("1D")),
    ),
    "time_zone": Fault(
        "one asset's dates at 23:00 of the day before",
        "error",
        "its dates are shifted",
        dated(lambda d: d - pd.Timedelta("1h"), who=0),
    ),
    "weekends": Fault(
        "quotes on Saturdays",
        "error",
        "set data.calendar",
        everywhere(with_saturdays),
    ),
    "rate_in_percent": Fault(
        "the risk-free rate in percent",
        "error",
        "give daily rates as decimals",
        rates(lambda t: t.assign(risk_free=t["risk_free"] * 250)),
    ),
    "rate_a_little_large": Fault(
        "a risk-free rate of 50 % a year",
        "warning",
        "risk_free_usual",
        rates(lambda t: t.assign(risk_free=0.002)),
    ),
    "rate_missing": Fault(
        "no risk-free rate for a month",
        "noted",
        "the risk-free rate is missing on 21 sessions",
        rates(lambda t: t.drop(index=range(100, 121))),
    ),
    "sector_twice": Fault(
        "an asset twice among the sectors",
        "error",
        "the asset is there already",
        sectors(lambda t: pd.concat([t, t.iloc[[0]]])),
    ),
    "sector_missing": Fault(
        "an asset without a sector", "marked", "sector_unknown", sectors(lambda t: t.iloc[1:])
    ),
    "quoted_after_delisting": Fault(
        "quotes after the delisting",
        "marked",
        "outside_listing",
        sectors(lambda t: t.assign(delisted=t["delisted"].where(t.index != 0, "2013-01-02"))),
    ),
    "close_missing": Fault(
        "a close that is missing", "left out", "no_close", cell("close", np.nan)
    ),
    "holiday": Fault(
        "a holiday with a copy of another day",
        "left out",
        "not_a_session",
        one_more_day("2013-07-04"),
    ),
    "out_of_order": Fault(
        "rows out of order", "harmless", "", everywhere(lambda t: t.sample(frac=1, random_state=1))
    ),
    "columns_reordered": Fault(
        "columns in another order, names in capitals",
        "harmless",
        "",
        everywhere(lambda t: t[t.columns[::-1]].rename(columns=str.upper)),
    ),
    "closing_time": Fault(
        "dates that carry the hour of the close",
        "harmless",
        "",
        dated(lambda d: d + pd.Timedelta("16h")),
    ),
    "zone_aware": Fault(
        "dates with the exchange's time zone",
        "harmless",
        "",
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
        "quotes repeated for weeks, no volume",
        "marked",
        "stale_price",
        lambda s: frozen(s, volume=0.0, n_days=15),
    ),
    "stale_for_long": Fault(
        "the same, whatever the volume",
        "warning",
        "price_not_stale",
        lambda s: frozen(s, volume=500.0, n_days=15),
    ),
    "filled": Fault(
        "a day filled with the last close",
        "marked",
        "filled_quote",
        lambda s: frozen(s, volume=500.0, n_days=1),
    ),
    "spike": Fault(
        "a spike that reverses (marked where it does)",
        "marked",
        "reversed_spike",
        scaled(1.6, *QUOTES),
    ),
    "split_unrecorded": Fault(
        "a split of two for one that is not recorded",
        "withheld",
        "split_missing",
        lambda s: calm(s, 2.0),
    ),
    "three_for_two": Fault(
        "one of three for two", "withheld", "split_missing", lambda s: calm(s, 1.5)
    ),
    "split_twice": Fault(
        "a split recorded on two days", "withheld", "split_contradicted", split_twice
    ),
    "split_a_day_late": Fault(
        "a split recorded a day late",
        "withheld",
        "split_contradicted",
        lambda s: calm(s, 2.0, split=2.0, on=1),
    ),
    "split_early": Fault(
        "a split recorded three days early (taken when the price follows)",
        "marked",
        "split_late",
        lambda s: calm(s, 2.0, split=2.0, on=-3),
    ),
    "split_inverted": Fault(
        "a split's ratio inverted",
        "withheld",
        "split_contradicted",
        lambda s: calm(s, 2.0, split=0.5),
    ),
    "dividend_times_ten": Fault(
        "a dividend ten times too large",
        "marked",
        "dividend_unusual",
        dividend(0.06, earlier=0.006),
    ),
    "dividend_in_cents": Fault(
        "a dividend in cents", "withheld", "dividend_contradicted", dividend(0.6, earlier=0.006)
    ),
    "spin_off_twice": Fault(
        "a spin-off as a dividend and as a split", "withheld", "counted_twice", counted_twice
    ),
    "unit": Fault(
        "prices a hundred times too large for a week",
        "withheld",
        "unit_changed",
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
        "volumes in thousands from a day on",
        "marked",
        "volume_collapse",
        scaled(1e-3, "volume", days=slice(0, None)),
    ),
    "shares_thousandfold": Fault(
        "shares a thousand times too many from a day on",
        "marked",
        "shares_jump",
        scaled(1e3, "shares", days=slice(0, None)),
    ),
    "ticker_reused": Fault("a ticker given to another company", "marked", "ticker_reuse", reused),
    "ticker_rests": Fault("the same, by its gap", "warning", "asset_quoted", reused),
    "long_gap": Fault(
        "twenty sessions without a quote",
        "withheld",
        "long_gap",
        lambda s: replace(
            s,
            prices=s.prices[
                (s.prices["asset"] != s.first) | ~s.prices["date"].isin(s.spell(slice(0, 20)))
            ],
        ),
    ),
}
