"""The measures of docs/measures.md in plain pandas, date by date: an oracle for metrics.json."""

from __future__ import annotations

import numpy as np
import pandas as pd

KEY = ["date", "asset"]
CUTOFF = 1e-2  # of the largest singular value of Z: 1e-4 of the largest eigenvalue of Z'Z
PERIODS_A_YEAR = 12


def measures_of(rows: pd.DataFrame, panel: pd.DataFrame, quantile: float) -> dict[str, float]:
    """Measure one model's rows of predictions.parquet.

    `panel` is panel.parquet: its characteristics and market values weight portfolios.
    """
    every = rows.merge(panel.drop(columns=["formation", "return"]), on=KEY, how="left")
    rows = every[every["realised"].notna()]
    characteristics = [
        n for n in panel if n not in (*KEY, "formation", "return", "market_equity", "sector")
    ]
    explained, predicted = rows.dropna(subset="fitted"), rows.dropna(subset="forecast")
    # Who will have a return is not known when portfolios are formed.
    chosen = every[every["date"].isin(rows["date"])].dropna(subset="forecast")
    spread = long_short(chosen, quantile)
    return {
        "total_r2": r_squared(explained["realised"], explained["fitted"]),
        "predictive_r2": r_squared(predicted["realised"], predicted["forecast"]),
        "total_r2_managed": managed_r_squared(explained, "fitted", characteristics),
        "predictive_r2_managed": managed_r_squared(predicted, "forecast", characteristics),
        "ic": by_date(predicted, lambda day: day["realised"].corr(day["forecast"])).mean(),
        "rank_ic": by_date(
            predicted, lambda day: day["realised"].rank().corr(day["forecast"].rank())
        ).mean(),
        "long_short_sharpe": sharpe_ratio(spread["equal"]),
        "long_short_sharpe_vw": sharpe_ratio(spread["value"]),
        "n_observations": len(explained),
        "n_forecasts": len(predicted),
        "n_dates": rows["date"].nunique(),
    }


def r_squared(realised: pd.Series, explained: pd.Series) -> float:
    return 1 - ((realised - explained) ** 2).sum() / (realised**2).sum()


def managed_r_squared(rows: pd.DataFrame, column: str, characteristics: list[str]) -> float:
    error = scale = 0.0
    for _, day in rows.groupby("date"):
        Z = np.column_stack([day[characteristics].astype(np.float64), np.ones(len(day))])
        x, explained = np.linalg.lstsq(Z, day[["realised", column]].to_numpy(), rcond=CUTOFF)[0].T
        error += ((x - explained) ** 2).sum()
        scale += (x**2).sum()
    return 1 - error / scale


def by_date(rows, measure) -> pd.Series:
    return pd.Series({date: measure(day) for date, day in rows.groupby("date")})


def long_short(rows: pd.DataFrame, quantile: float) -> pd.DataFrame:
    """Return the best less the worst of each date, equal- and value-weighted."""
    portfolios = round(1 / quantile)
    spreads = {}
    for date, day in rows.sort_values("asset").groupby("date"):
        place = (day["forecast"].rank(method="first") - 1) * portfolios // len(day)
        best, worst = day[place == portfolios - 1], day[place == 0]
        spreads[date] = {
            "equal": best["realised"].mean() - worst["realised"].mean(),
            "value": value_weighted(best) - value_weighted(worst),
        }
    return pd.DataFrame(spreads).T


def value_weighted(rows: pd.DataFrame) -> float:
    weight = rows["market_equity"].fillna(0).where(rows["realised"].notna(), 0)
    return (weight * rows["realised"]).sum() / weight.sum()


def sharpe_ratio(returns: pd.Series) -> float:
    return returns.mean() / returns.std() * np.sqrt(PERIODS_A_YEAR)
