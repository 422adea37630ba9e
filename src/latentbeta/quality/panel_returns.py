"""The panel's returns as a whole: their unit, what was done to them, and who already knew them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.config import Rebalancing
from latentbeta.quality.rules import Rule

Vector = NDArray[np.float64]

# The middle return of stocks, up or down, is about 1.2 % a day, 3 % a week, 6 % a month, and less
# for portfolios. In percent it is a hundred times as much.
LARGEST_MIDDLE_RETURN = {"daily": 0.08, "weekly": 0.15, "monthly": 0.3}

# Assets of a date with one and the same return: those that did not trade (1 % of the days of S&P
# 500 members, hardly any of their months). More are filled with zero, or cut at a bound.
LARGEST_SHARE_REPEATED = {"daily": 0.1, "weekly": 0.05, "monthly": 0.03}
FEWEST_REPEATS = 3

# The standard deviation of the mean return, of the size of a return: 0.4 among stocks, and 0.1
# among a hundred assets with nothing in common. Below it a mean or benchmark was taken off.
SMALLEST_COMMON_PART = 0.1
FEWEST_ASSETS = 30
FEWEST_DATES = 12

# Mean rank correlation with the return that is to be explained. A characteristic known before
# reaches a few hundredths; 0.3 a month would earn a Sharpe ratio of about seven.
LARGEST_FORESIGHT = 0.3
FORESIGHT_ERRORS = 5.0
FEWEST_RANKED = 10

_rule = partial(Rule, severity="warning", expectation="ExpectColumnValuesToBeBetween")


@dataclass(frozen=True, eq=False)
class _Known:
    """The m rows with a return, by date, then return; T dates.

    Attributes
    ----------
    rows : (m,) int
        Their rows in the panel.
    first : (T,) int
        Where each date begins among them.
    size : (T,) int
    dates : (T,) datetime64[us]
    returns : (m,)
    """

    rows: NDArray[np.int64]
    first: NDArray[np.int64]
    size: NDArray[np.int64]
    dates: NDArray[np.datetime64]
    returns: Vector

    def sums(self, values: Vector) -> Vector:
        """(T,) sum over each date's rows."""
        return np.add.reduceat(values, self.first) if len(self.first) else np.zeros(0)


def return_tables(panel: pd.DataFrame, characteristics: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return the tables that the rules about returns look at.

    Parameters
    ----------
    panel : pandas.DataFrame
        In the columns of docs/architecture.md.
    characteristics : sequence of P str

    Returns
    -------
    dict of pandas.DataFrame
        ``panel_returns``: one row; date, middle (of the absolute returns), share_repeated (mean
        over dates of the share of assets with the date's most frequent return, where that is at
        least three), common (standard deviation of the mean return, to the root of the mean
        squared return; NaN with fewer than thirty assets or twelve dates).
        ``panel_foresight``: a row a characteristic; foresight, its mean rank correlation with
        the return, 0 where it is within five standard errors of that.
        ``panel_assets``: a row an asset; n_returns, NaN where it has fewer than twelve rows before
        the newest date. ``panel_sectors``: a row a sector; n_assets.
    """
    known = _known(panel)
    names = [name for name in characteristics if name in panel.columns]
    return {
        "panel_returns": _about_returns(known),
        "panel_foresight": pd.DataFrame(
            {
                "characteristic": pd.Series(names, dtype="str"),
                "foresight": _foresight(panel, names, known),
            }
        ),
        "panel_assets": _by_asset(panel),
        "panel_sectors": _by_sector(panel),
    }


def _known(panel: pd.DataFrame) -> _Known:
    returns = pd.to_numeric(panel.reindex(columns=["return"])["return"], errors="coerce")
    values = returns.to_numpy(np.float64, na_value=np.nan)
    rows = np.flatnonzero(np.isfinite(values))
    dated = panel["date"].to_numpy("datetime64[us]")[rows]
    order = np.lexsort((values[rows], dated))
    rows = rows[order]
    dates, first, size = np.unique(dated[order], return_index=True, return_counts=True)
    return _Known(rows, first, size, dates, values[rows])


def _about_returns(known: _Known) -> pd.DataFrame:
    some = len(known.rows) > 0
    return pd.DataFrame(
        {
            "date": known.dates[-1:] if some else np.array(["NaT"], "datetime64[us]"),
            "middle": [np.median(np.abs(known.returns)) if some else np.nan],
            "share_repeated": [_share_repeated(known) if some else np.nan],
            "common": [_common(known) if some else np.nan],
        }
    )


def _share_repeated(known: _Known) -> float:
    changes = np.append(True, np.diff(known.returns) != 0)
    changes[known.first] = True
    start = np.flatnonzero(changes)
    length = np.diff(np.append(start, len(changes)))
    most = np.maximum.reduceat(length, np.searchsorted(start, known.first))
    return float(np.mean(np.where(most >= FEWEST_REPEATS, most / known.size, 0.0)))


def _common(known: _Known) -> float:
    if len(known.size) < FEWEST_DATES or np.median(known.size) < FEWEST_ASSETS:
        return np.nan
    means = known.sums(known.returns) / known.size
    whole = np.sqrt(np.mean(known.sums(known.returns**2) / known.size))
    return float(np.std(means) / whole) if whole > 0 else np.nan


def _foresight(panel: pd.DataFrame, names: Sequence[str], known: _Known) -> Vector:
    """(P,) mean over dates of each characteristic's rank correlation with the return."""
    place = np.arange(len(known.rows)) - np.repeat(known.first, known.size)
    size = np.repeat(known.size, known.size)
    ranks = (place + 0.5) / size - 0.5  # of mean zero on each date
    spread = np.sqrt((1 - 1 / known.size.astype(np.float64) ** 2) / 12)
    return np.array([_foresight_of(panel[name], known, ranks, spread) for name in names])


def _foresight_of(column: pd.Series, known: _Known, ranks: Vector, spread: Vector) -> float:
    values = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)[known.rows]
    mean = known.sums(values) / known.size
    deviation = np.sqrt(np.maximum(known.sums(values * values) / known.size - mean**2, 0))
    usable = (known.size >= FEWEST_RANKED) & (deviation > 0)
    if usable.sum() < FEWEST_DATES:
        return 0.0
    covariance = known.sums(values * ranks) / known.size
    correlation = covariance[usable] / (deviation * spread)[usable]
    error = np.std(correlation) / np.sqrt(len(correlation))
    found = float(np.mean(correlation))
    return found if abs(found) > FORESIGHT_ERRORS * error else 0.0


def _by_asset(panel: pd.DataFrame) -> pd.DataFrame:
    dates = panel["date"]
    before = panel.loc[dates < dates.max(), panel.columns.isin(["asset", "return"])]
    grouped = before.reindex(columns=["asset", "return"]).groupby("asset")["return"]
    counts = grouped.agg(n_rows="size", n_returns="count").reset_index()
    enough = counts["n_rows"] >= FEWEST_DATES
    return counts.assign(n_returns=counts["n_returns"].astype(np.float64).where(enough))


def _by_sector(panel: pd.DataFrame) -> pd.DataFrame:
    pairs = panel.reindex(columns=["sector", "asset"]).dropna().drop_duplicates()
    counts = pairs.groupby("sector").size().astype(np.float64)
    return counts.rename("n_assets").reset_index()


def return_rules(rebalancing: Rebalancing) -> tuple[Rule, ...]:
    """Return the rules about `return_tables`.

    Parameters
    ----------
    rebalancing : {"daily", "weekly", "monthly"}
        How long a return period is.
    """
    return (*_rules_about_returns(rebalancing), *_rules_about_names())


def _rules_about_returns(rebalancing: Rebalancing) -> Iterator[Rule]:
    largest, share = LARGEST_MIDDLE_RETURN[rebalancing], LARGEST_SHARE_REPEATED[rebalancing]
    yield _rule(
        name="return_is_decimal",
        table="panel_returns",
        requires=f"half of the returns are within {largest:g} of zero",
        arguments={"column": "middle", "max_value": largest},
    )
    yield _rule(
        name="return_not_filled",
        table="panel_returns",
        requires=f"on average at most {share:.0%} of a date's assets have the same return",
        arguments={"column": "share_repeated", "max_value": share},
    )
    yield _rule(
        name="return_not_adjusted",
        table="panel_returns",
        requires="assets have returns in common: their mean varies by at least"
        f" {SMALLEST_COMMON_PART:.0%} of the size of a return",
        arguments={"column": "common", "min_value": SMALLEST_COMMON_PART},
    )
    yield _rule(
        name="no_foresight",
        table="panel_foresight",
        severity="blocking",
        requires="no characteristic's mean rank correlation with the return it is to explain is"
        f" beyond {LARGEST_FORESIGHT:g}",
        arguments={
            "column": "foresight",
            "min_value": -LARGEST_FORESIGHT,
            "max_value": LARGEST_FORESIGHT,
        },
    )


def _rules_about_names() -> Iterator[Rule]:
    yield _rule(
        name="asset_has_return",
        table="panel_assets",
        requires=f"an asset with {FEWEST_DATES} dates before the newest has a return on one",
        arguments={"column": "n_returns", "min_value": 1},
    )
    yield _rule(
        name="sector_shared",
        table="panel_sectors",
        requires="a sector has at least two assets",
        arguments={"column": "n_assets", "min_value": 2},
    )
