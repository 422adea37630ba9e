"""Characteristics of daily prices, beside pandas group-by and rolling windows for each asset."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from benchmarks.market import daily_market, month_ends
from benchmarks.timing import Comparison, alternating
from latentbeta.characteristics.registry import REGISTRY
from latentbeta.characteristics.windows import Formations, least_days
from latentbeta.data.market import DailyMarket, Matrix

N_DAYS, N_ASSETS = 2_400, 1_000
SHARED = ("mom1m", "mom12m", "maxret", "retvol", "turn", "dolvol", "ill")
FIFTEEN = (
    *SHARED,
    *("mom36m", "chmom", "indmom", "std_turn", "mvel1", "beta", "betasq", "idiovol"),
)
MONTH = 21
TOLERANCE = 1e-8  # of a characteristic's size; pandas updates sums from window to window


def compare_characteristics() -> list[Comparison]:
    """Compare seven at month ends with pandas; time fifteen of ours beside its seven."""
    market, formations = daily_market(N_DAYS, N_ASSETS), month_ends(N_DAYS)
    frame = long_frame(market)
    refuse_differences(ours(market, formations, SHARED), plain_pandas(frame, formations))
    seven, fifteen, pandas = alternating(
        lambda: ours(market, formations, SHARED),
        lambda: ours(market, formations, FIFTEEN),
        lambda: plain_pandas(frame, formations),
    )
    size = f"{N_ASSETS:,} assets × {N_DAYS:,} days"
    peer = f"pandas {pd.__version__} group-by rolling, {len(SHARED)} characteristics"
    note = "pandas computes every day and keeps the month ends; its long table is given"
    return [
        Comparison(f"{len(SHARED)} characteristics, {size}", peer, "s", seven, pandas, note),
        Comparison(
            f"{len(FIFTEEN)} characteristics, {size}",
            peer,
            "s",
            fifteen,
            pandas,
            f"{len(FIFTEEN)} of ours beside the {len(SHARED)} of pandas",
        ),
    ]


def ours(market: DailyMarket, formations: Formations, names: tuple[str, ...]) -> dict[str, Matrix]:
    """Compute characteristics at the formations: (T, N) each."""
    return {name: REGISTRY[name].function(market, formations) for name in names}


def long_frame(market: DailyMarket) -> pd.DataFrame:
    """Return the market as a table with one row an asset and day, sorted by asset, then day."""
    n_days, n_assets = market.shape
    names = ("total_return", "close", "volume", "shares")
    columns = {name: getattr(market, name).T.ravel() for name in names}
    keys = {
        "asset": np.repeat(market.assets, n_days),
        "day": np.tile(np.arange(n_days), n_assets),
    }
    return pd.DataFrame(keys | columns)


def plain_pandas(frame: pd.DataFrame, formations: Formations) -> dict[str, Matrix]:
    """Compute the shared characteristics as one would write them in pandas: (T, N) each."""
    dollars = frame["close"] * frame["volume"]
    frame = frame.assign(
        log_return=np.log1p(frame["total_return"]),
        dollars=dollars,
        turnover=frame["volume"] / frame["shares"],
        impact=frame["total_return"].abs() / dollars.where(dollars > 0),
    )
    groups = frame.groupby("asset", sort=False)

    def rolling(column: str, window: int) -> Any:
        return groups[column].rolling(window, min_periods=least_days(window))

    def lagged(values: pd.Series) -> pd.Series:
        return values.groupby(level=0, sort=False).shift(MONTH)

    daily = {
        "mom1m": np.expm1(rolling("log_return", MONTH).sum()),
        "mom12m": np.expm1(lagged(rolling("log_return", 11 * MONTH).sum())),
        "maxret": rolling("total_return", MONTH).max(),
        "retvol": rolling("total_return", MONTH).std(),
        "turn": rolling("turnover", 3 * MONTH).mean(),
        "dolvol": np.log(lagged(rolling("dollars", MONTH).mean())),
        "ill": rolling("impact", MONTH).mean(),
    }
    n_days = int(frame["day"].iloc[-1]) + 1
    return {
        name: values.to_numpy().reshape(-1, n_days).T[formations] for name, values in daily.items()
    }


def refuse_differences(ours: dict[str, Matrix], theirs: dict[str, Matrix]) -> None:
    """Raise an AssertionError where both know a value and the values differ."""
    for name, expected in theirs.items():
        both = np.isfinite(ours[name]) & np.isfinite(expected)
        assert both.mean() > 0.5, f"{name}: known to both in {both.mean():.0%} of the places"
        size = float(np.sqrt(np.mean(expected[both] ** 2)))
        np.testing.assert_allclose(
            ours[name][both] / size, expected[both] / size, rtol=0, atol=TOLERANCE, err_msg=name
        )
