"""Characteristics of daily prices, beside pandas group-by and rolling windows for each asset."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from benchmarks.market import daily_market, month_ends
from benchmarks.timing import Comparison, alternating
from latentbeta.characteristics.registry import REGISTRY
from latentbeta.characteristics.windows import Formations, least_days
from latentbeta.data.market import DailyMarket, Matrix, blocks

N_DAYS, N_ASSETS = 2_400, 1_000
FIFTEEN = (
    *("mom1m", "mom12m", "mom36m", "chmom", "indmom", "maxret", "retvol", "turn", "std_turn"),
    *("mvel1", "dolvol", "ill", "beta", "betasq", "idiovol"),
)
MONTH, YEAR, WEEK, WEEKS = 21, 252, 5, 156
TOLERANCE = 1e-8  # of a characteristic's size; pandas updates sums from window to window


def compare_characteristics() -> list[Comparison]:
    """Compare fifteen characteristics at month ends with pandas group-by and rolling."""
    market, formations = daily_market(N_DAYS, N_ASSETS), month_ends(N_DAYS)
    frame = long_frame(market)
    refuse_differences(ours(market, formations), plain_pandas(frame, formations))
    times = alternating(lambda: ours(market, formations), lambda: plain_pandas(frame, formations))
    return [
        Comparison(
            f"{len(FIFTEEN)} characteristics, {N_ASSETS:,} assets × {N_DAYS:,} days",
            f"pandas {pd.__version__} group-by rolling",
            "s",
            *times,
            "the same values to 1e-8 of a characteristic's size; pandas computes every day and"
            " keeps the month ends, ours the month ends alone; its long table and our matrices"
            " are given",
            floor=15,
            goal=40,
        )
    ]


def ours(market: DailyMarket, formations: Formations) -> dict[str, Matrix]:
    """Compute the fifteen at the formations, nothing known from a run before: (T, N) each."""
    values = {name: np.empty((len(formations), market.shape[1])) for name in FIFTEEN}
    for columns, block in blocks(market.between(0, market.shape[0])):
        for name in FIFTEEN:
            values[name][:, columns] = REGISTRY[name].function(block, formations)
    return values


def long_frame(market: DailyMarket) -> pd.DataFrame:
    """Return the market as a table with one row an asset and day, sorted by asset, then day."""
    n_days, n_assets = market.shape
    names = ("total_return", "close", "volume", "shares")
    columns = {name: getattr(market, name).T.ravel() for name in names}
    keys = {
        "asset": np.repeat(market.assets, n_days),
        "sector": np.repeat(market.sector, n_days),
        "day": np.tile(np.arange(n_days), n_assets),
    }
    return pd.DataFrame(keys | columns)


def plain_pandas(frame: pd.DataFrame, formations: Formations) -> dict[str, Matrix]:
    """Compute the fifteen as one would write them in pandas: (T, N) each."""
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

    def growth(window: int, lag: int = 0) -> pd.Series:
        return np.expm1(lagged(rolling("log_return", window).sum(), lag))

    def lagged(values: pd.Series, lag: int = MONTH) -> pd.Series:
        return values.groupby(level=0, sort=False).shift(lag) if lag else values

    mom12m = growth(11 * MONTH, MONTH)
    sectors = frame[["day", "sector"]].assign(value=mom12m.to_numpy()).groupby(["day", "sector"])
    daily = {
        "mom1m": growth(MONTH),
        "mom12m": mom12m,
        "mom36m": growth(2 * YEAR, YEAR),
        "chmom": growth(6 * MONTH) - growth(6 * MONTH, 6 * MONTH),
        "indmom": sectors["value"].transform("mean"),
        "maxret": rolling("total_return", MONTH).max(),
        "retvol": rolling("total_return", MONTH).std(),
        "turn": rolling("turnover", 3 * MONTH).mean(),
        "std_turn": rolling("turnover", MONTH).std(),
        "mvel1": np.log(frame["close"] * frame["shares"]),
        "dolvol": np.log(lagged(rolling("dollars", MONTH).mean())),
        "ill": rolling("impact", MONTH).mean(),
    } | market_regression(frame, np.expm1(rolling("log_return", WEEK).sum()))
    n_days = int(frame["day"].iloc[-1]) + 1
    return {
        name: values.to_numpy().reshape(-1, n_days).T[formations] for name, values in daily.items()
    }


def market_regression(frame: pd.DataFrame, weekly: pd.Series) -> dict[str, pd.Series]:
    """Regress weekly returns on their mean over assets, 156 weeks five days apart."""
    week = pd.Series(weekly.to_numpy(), frame.index).where(frame["day"] >= WEEK)
    followed = week.groupby(frame["day"]).transform("mean").where(week.notna())
    products = pd.DataFrame(
        {"w": week, "m": followed, "wm": week * followed, "mm": followed**2, "ww": week**2}
    )
    phases = products.groupby([frame["asset"], frame["day"] % WEEK], sort=False)
    windows = phases.rolling(WEEKS, min_periods=WEEKS // 3)
    mean = windows.mean().droplevel([0, 1]).sort_index()
    count = windows["w"].count().droplevel([0, 1]).sort_index()
    covariance = mean["wm"] - mean["w"] * mean["m"]
    variance = mean["mm"] - mean["m"] ** 2
    beta = covariance / variance
    left = mean["ww"] - mean["w"] ** 2 - beta * covariance
    return {
        "beta": beta,
        "betasq": beta**2,
        "idiovol": np.sqrt(left * count / (count - 1)),
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
