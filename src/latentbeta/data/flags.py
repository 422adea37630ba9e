"""Rules that mark rows which look wrong. Marked rows are kept; see adjust for the remedies.

Each rule looks at the row's own day and at days before it, so a mark once set stays as it is when
days are added.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.data.adjust import LONGEST_GAP, TotalReturns, first_quotes
from latentbeta.data.contradictions import Mask, Vector, near_usual_split
from latentbeta.data.identity import reused_tickers, swapped_prices, unknown_sectors
from latentbeta.data.jumps import share_jumps, unusual_dividends, volume_jumps
from latentbeta.data.marks import Marks, Rows, marked

RULES = (
    "zero_volume",
    "large_return",
    "reversed_spike",
    "like_a_split",
    "swapped_prices",
    "volume_burst",
    "volume_collapse",
    "dividend_unusual",
    "shares_jump",
    "prices_out_of_order",
    "stale_price",
    "filled_quote",
    "long_gap",
    "ticker_reuse",
    "split_contradicted",
    "split_late",
    "split_missing",
    "dividend_contradicted",
    "unit_changed",
    "counted_twice",
    "unreliable_return",
    "outside_listing",
    "sector_unknown",
)

LARGE_RETURN = 0.5
SPIKE = 0.3
SPIKE_DAYS = 5
STALE_DAYS = 5
_ROUNDING = 1e-6  # prices may have been kept in single precision


def suspicious_rows(
    prices: pd.DataFrame,
    session: NDArray[np.int64],
    returns: TotalReturns,
    assets: pd.DataFrame,
) -> pd.DataFrame:
    """Apply every rule.

    Parameters
    ----------
    prices : DataFrame
        Sorted by asset, then date: asset (categorical), date, open, high, low, close, volume,
        dividend, split, shares.
    session : (n,) int
        Number of the session that each row's date is.
    returns : TotalReturns of the same rows
    assets : DataFrame
        Columns asset, sector, listed, delisted.

    Returns
    -------
    DataFrame sorted by rule (in the order of RULES), date, asset
        rule, asset (str), date, value (float64, what the rule looked at), detail (str).
    """
    codes = prices["asset"].cat.codes.to_numpy()
    marks = [
        *_price_rules(prices),
        *_return_rules(prices, returns, codes),
        swapped_prices(prices),
        *volume_jumps(prices),
        unusual_dividends(prices, returns),
        share_jumps(prices),
        reused_tickers(session, returns),
        *_remedied(prices, returns),
        unknown_sectors(prices, assets),
        _outside_listing(prices, assets),
    ]
    table = pd.concat([_table(prices, *mark) for mark in marks], ignore_index=True)
    place = table["rule"].map({rule: i for i, rule in enumerate(RULES)})
    order = np.lexsort((table["asset"].to_numpy(dtype=str), table["date"].to_numpy(), place))
    return table.iloc[order].reset_index(drop=True)


def _table(
    prices: pd.DataFrame, rule: str, rows: Rows, values: Vector, detail: NDArray[np.object_] | str
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "rule": pd.Series([rule] * len(rows), dtype=str),
            "asset": prices["asset"].iloc[rows].astype(str).array,
            "date": prices["date"].to_numpy()[rows],
            "value": np.asarray(values, np.float64),
            "detail": pd.Series(
                [detail] * len(rows) if isinstance(detail, str) else list(detail), dtype=str
            ),
        }
    )


def _price_rules(prices: pd.DataFrame) -> Iterator[Marks]:
    opened, high, low, close, volume = (
        prices[name].to_numpy() for name in ("open", "high", "low", "close", "volume")
    )
    yield marked("zero_volume", volume == 0, volume, "no share traded")
    excess = np.fmax(
        np.fmax(opened, close) / high - 1, np.fmax(low / np.fmin(opened, close) - 1, low / high - 1)
    )
    yield marked(
        "prices_out_of_order",
        excess > _ROUNDING,
        excess,
        "open, close or low above the high, or open or close below the low, by this share",
    )
    unmoved = (close == np.append(np.nan, close[:-1])) & ~first_quotes(prices)
    run = _run_length(unmoved & (volume == 0))
    yield marked(
        "stale_price", run >= STALE_DAYS, run.astype(np.float64), "days: same close, no volume"
    )
    filled = unmoved & (opened == close) & (high == close) & (low == close) & (volume > 0)
    yield marked("filled_quote", filled, close, "traded, yet all prices are the previous close")


def _return_rules(
    prices: pd.DataFrame, returns: TotalReturns, codes: NDArray[np.integer]
) -> Iterator[Marks]:
    recorded = returns.recorded
    yield marked(
        "large_return", np.abs(recorded) > LARGE_RETURN, recorded, "return as recorded, above 50 %"
    )
    yield _reversed_spikes(prices, recorded, codes)
    whole = np.where(prices["split"].to_numpy() == 1, recorded + 1, np.nan)
    yield marked(
        "like_a_split",
        near_usual_split(whole),
        whole,
        "price (with dividend) to the previous close: near a usual split, and none is recorded",
    )


def _reversed_spikes(prices: pd.DataFrame, recorded: Vector, codes: NDArray[np.integer]) -> Marks:
    """Find days that undo a large move of at most five quotes before."""
    log_return = np.log1p(recorded)
    days = prices["date"].to_numpy()
    rows: list[int] = []
    values: list[float] = []
    details: list[str] = []
    for spike in np.flatnonzero(np.abs(recorded) > SPIKE).tolist():
        since = 0.0
        for row in range(spike + 1, min(spike + 1 + SPIKE_DAYS, len(recorded))):
            if codes[row] != codes[spike]:
                break
            since += log_return[row]
            if abs(since + log_return[spike]) < abs(log_return[spike]) / 5:
                rows.append(row)
                values.append(float(np.expm1(since)))
                details.append(f"undoes the {recorded[spike]:+.1%} of {str(days[spike])[:10]}")
                break
    return (
        "reversed_spike",
        np.array(rows, np.int64),
        np.array(values),
        np.array(details, dtype=object),
    )


def _remedied(prices: pd.DataFrame, returns: TotalReturns) -> Iterator[Marks]:
    split, dividend = prices["split"].to_numpy(), prices["dividend"].to_numpy()
    total, recorded, found = returns.total_return, returns.recorded, returns.contradicted
    for rule, where, values, detail in (
        ("long_gap", returns.long_gap, recorded, f"over {LONGEST_GAP} sessions without a quote"),
        ("split_contradicted", found.split_contradicted, split, "the price does not show it"),
        ("split_late", found.late_split != 1, total, "return with the split of an earlier day"),
        ("split_missing", found.split_missing, recorded, "a calm day at a usual split's price"),
        (
            "dividend_contradicted",
            found.dividend_contradicted,
            dividend,
            "the price did not fall by the dividend",
        ),
        ("unit_changed", found.unit_changed, recorded, "prices in another unit, it seems"),
        ("counted_twice", found.counted_twice, recorded, "split and dividend: one event, it seems"),
        ("unreliable_return", found.unreliable, recorded, "return as recorded; withheld (NaN)"),
    ):
        yield marked(rule, where, values, detail)


def _outside_listing(prices: pd.DataFrame, assets: pd.DataFrame) -> Marks:
    spell = assets.set_index("asset").reindex(prices["asset"].cat.categories)
    codes, days = prices["asset"].cat.codes.to_numpy(), prices["date"].to_numpy()
    listed = spell["listed"].to_numpy()[codes]
    delisted = spell["delisted"].to_numpy()[codes]
    outside = (days < listed) | (days > delisted)  # a comparison with NaT is False
    close = prices["close"].to_numpy()
    return marked("outside_listing", outside, close, "quoted before listed or after delisted")


def _run_length(where: Mask) -> NDArray[np.int64]:
    """(n,) how many rows in a row, up to and including this one, are True."""
    position = np.arange(len(where))
    last_false = np.maximum.accumulate(np.where(where, -1, position))
    return position - last_false
