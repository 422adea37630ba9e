"""What to do about each rule that does not hold: the last column of docs/quality.md."""

from __future__ import annotations

from collections.abc import Mapping

ADVICE: Mapping[str, str] = {
    "price_columns": "run ingest again; if it persists, the file was not written by ingest",
    "price_type": "run ingest again; if it persists, the file was not written by ingest",
    "price_key_unique": "look for the asset under two names, or a file given twice",
    "price_known": "leave out rows without a close in the source; they are gaps",
    "price_positive": "a vendor's missing value written as 0 or -1: make it empty in the source",
    "split_positive": "1 means none; correct the source",
    "shares_positive": "make unknown values empty in the source",
    "volume_not_negative": "correct the source",
    "dividend_not_negative": "correct the source",
    "total_return_possible": "look at the split and dividend of that day",
    "price_date_not_ahead": "a wrong date format, or a clock that is behind",
    "price_date_is_session": (
        "check the calendar's name; prices of a holiday are often copies of the day before"
    ),
    "session_complete": "an incomplete delivery: fetch it again before publishing from it",
    "price_order": "rounding, or a bad quote; ranges are used by the bid-ask characteristic",
    "total_return_usual": "check split and dividend of the day; true moves stay",
    "dividend_below_price": "spin-offs look so; check that the price fell with it",
    "quote_known": "characteristics that use them will be missing there",
    "volume_traded": "illiquid assets, or volumes not delivered",
    "price_not_stale": "a suspended asset, or a vendor that fills gaps: leave the filled rows out",
    "session_moved": "a copy of the day before, on a holiday perhaps: fetch that day again",
    "session_return_usual": (
        "prices in another currency or unit from that day on, or files joined wrongly"
    ),
    "session_volume_usual": "volumes not delivered, or in another unit: fetch that day again",
    "asset_quoted": (
        "two companies under one ticker: name them apart; or an asset that hardly trades"
    ),
    "asset_in_step": (
        "its dates are off by a session, or it trades in another time zone: correct the"
        " dates, or lag it"
    ),
    "turnover_usual": "shares or volumes in thousands or millions: give single shares",
    "turnover_of_asset_usual": (
        "shares or volume of the asset named are in thousands or millions: give single shares"
    ),
    "split_in_price": (
        "prices are adjusted already: give raw ones, or map no column to split and dividend"
    ),
    "split_in_volume": "volumes are adjusted and prices raw: give raw volumes",
    "dividend_in_price": (
        "prices are adjusted already, or dividends are in another unit or on another day"
    ),
    "newest_session_whole": (
        "today's delivery is not complete: fetch it again before publishing from it"
    ),
    "withheld_few": (
        "so many are no slips: prices, splits or dividends of the source are in another"
        " convention; look at quarantine.parquet"
    ),
    "risk_free_usual": "a rate in percent, or a yearly one: give daily decimals",
    "panel_columns": "run stage characteristics again",
    "panel_type": "run stage characteristics again",
    "panel_key_unique": "run stage characteristics again; then report it",
    "panel_known": "run stage characteristics again; then report it",
    "characteristic_ranked": "an error in the ranking: report it",
    "characteristic_known": "an error in filling with the median: report it",
    "characteristic_varies": (
        "its input is missing or constant: leave it out of `characteristics.names`"
    ),
    "market_equity_positive": "look at shares and close at the formation",
    "return_possible": "look at the prices of the period",
    "return_known": "gaps in the prices; or assets that stay in the panel after delisting",
    "formation_before_date": "look-ahead: report it",
    "formation_unique": "report it",
    "formation_in_prices": "the panel is from other prices: run stage characteristics again",
    "assets_enough": "start later, lower `characteristics.minimum_history`, or give more assets",
    "characteristic_covered": "expected where the source lacks its input; else leave it out",
    "characteristic_covered_by_year": (
        "an input that the source stopped to deliver; or assets that joined with a short history"
    ),
    "characteristic_covered_as_before": (
        "an input that was not delivered on that date: fetch it again; what is missing gets"
        " the date's median"
    ),
    "newest_values_usual": (
        "a change of unit or of source, or a market as never before: look at the"
        " characteristic's input on that date"
    ),
    "return_in_prices": (
        "the panel is from other prices, or its returns are a period off: run stage"
        " characteristics again; if it persists, report it"
    ),
    "market_equity_known": "the source has no shares outstanding: value weights are not to be had",
    "no_foresight": (
        "it holds the return itself: lag it (`data.panel.lag`), or date it by when it was known"
    ),
    "return_is_decimal": "returns in percent: divide by 100",
    "return_not_filled": (
        "missing returns written as zero, or returns cut at bounds: leave missing ones empty,"
        " and tails as they are"
    ),
    "return_not_adjusted": (
        "a market or benchmark was taken off: give returns in excess of the risk-free rate alone"
    ),
    "asset_has_return": "an asset whose returns were not joined: look at its name in both files",
    "sector_shared": "a sector misspelt, or one too fine to be of use",
}
