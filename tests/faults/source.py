"""A small clean market as a user would hand it in, and the ways through our code that it takes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from latentbeta.config import Settings, read_settings
from latentbeta.data.given import ingest_panel, load_given
from latentbeta.data.market_files import load_market
from latentbeta.data.store import ingest
from latentbeta.panel import build_given_panel, build_panel, write_panel
from latentbeta.simulation.simulate import simulate

QUOTES = ("open", "high", "low", "close")
TODAY = dt.date(2026, 1, 2)
NAMES = ("mom1m", "retvol", "maxret", "turn", "mvel1", "ill")
START, END = dt.date(2011, 1, 3), dt.date(2013, 12, 31)
N_ASSETS = 44


@dataclass(frozen=True)
class Source:
    """Tables of a source: daily prices with what lies beside them, and a panel of one's own.

    Attributes
    ----------
    days : (D,) sessions
    steady : assets that are quoted from the first day to the last, without a split
    """

    prices: pd.DataFrame
    sectors: pd.DataFrame
    rates: pd.DataFrame
    panel: pd.DataFrame
    days: pd.DatetimeIndex
    steady: tuple[str, ...]

    @property
    def first(self) -> str:
        """The victim of most faults."""
        return self.steady[0]

    @property
    def middle(self) -> int:
        """Position of the day on which most faults lie."""
        return len(self.days) // 2

    @property
    def day(self) -> pd.Timestamp:
        """That day."""
        return self.days[self.middle]

    def spell(self, days: slice) -> pd.DatetimeIndex:
        """Days counted from the middle one; before it, all."""
        start = max(self.middle + (days.start or 0), 0)
        return self.days[start : None if days.stop is None else self.middle + days.stop]

    def value(self, asset: str, day: pd.Timestamp, column: str) -> float:
        rows = self.prices[(self.prices["asset"] == asset) & (self.prices["date"] == day)]
        return float(rows[column].iloc[0])

    def on(
        self,
        asset: str,
        days: pd.Timestamp | pd.DatetimeIndex,
        **changes: Callable[[pd.Series], object],
    ) -> Source:
        """Return the source with columns of an asset changed on some days."""
        prices = self.prices.copy()
        there = (prices["asset"] == asset) & prices["date"].isin(pd.DatetimeIndex([days]) if
            isinstance(days, pd.Timestamp) else days)  # fmt: skip
        for column, change in changes.items():
            prices.loc[there, column] = change(prices.loc[there, column])
        return replace(self, prices=prices)

    def _by_price(self) -> pd.Series:
        on_day = self.prices[self.prices["date"] == self.day].set_index("asset")["close"]
        return on_day.reindex(list(self.steady)).sort_values()

    @property
    def cheap(self) -> str:
        """The cheapest of the steady assets."""
        return str(self._by_price().index[0])

    @property
    def dear(self) -> str:
        """The dearest."""
        return str(self._by_price().index[-1])


def settings_of(folder: Path) -> Settings:
    """Settings of params.yaml for a market as small as ours."""
    default = read_settings(Path(__file__).parents[2] / "params.yaml")
    characteristics = default.characteristics.model_copy(
        update={"names": NAMES, "minimum_history": 63}
    )
    data = default.data.model_copy(update={"path": folder})
    return default.model_copy(update={"data": data, "characteristics": characteristics})


def simulated(folder: Path, seed: int, settings: Settings) -> None:
    """Write a small market; the embedded one in everything but its size."""
    market = settings.simulation.model_copy(
        update={"n_assets": N_ASSETS, "n_sectors": 4, "start": START, "end": END}
    )
    simulate(
        market,
        rebalancing=settings.rebalancing,
        calendar=settings.data.calendar,
        seed=seed,
        as_of=None,
        out=folder,
    )


def ingested(settings: Settings, out: Path) -> dict[str, object]:
    """Run the stage ingest."""
    return ingest(settings.data, out, TODAY)


def built(settings: Settings, prices: Path, out: Path) -> pd.DataFrame:
    """Run the stage characteristics; return the panel."""
    made = build_panel(
        load_market(prices),
        rebalancing=settings.rebalancing,
        calendar=settings.data.calendar,
        settings=settings.characteristics,
        delisted=pd.read_parquet(prices / "assets.parquet")["delisted"].to_numpy("datetime64[us]"),
    )
    write_panel(made, out)
    return pd.read_parquet(out / "panel.parquet")


def given_settings(settings: Settings, folder: Path) -> Settings:
    """Settings for a panel of one's own that lies in a folder."""
    own = settings.data.panel.model_copy(update={"lag": 0})
    data = settings.data.model_copy(update={"kind": "panel", "path": folder, "panel": own})
    return settings.model_copy(update={"data": data})


def built_of_given(settings: Settings, prices: Path, out: Path) -> None:
    """Run the stages ingest and characteristics on a panel of one's own."""
    ingest_panel(settings.data, settings.rebalancing, prices, TODAY)
    made = build_given_panel(
        load_given(prices),
        rebalancing=settings.rebalancing,
        calendar=settings.data.calendar,
        settings=settings.data.panel,
        minimum_coverage=settings.characteristics.minimum_coverage,
    )
    write_panel(made, out)


def source_of(folder: Path, panel: Path) -> Source:
    """Read the market that `simulated` wrote and the panel that `built` made of it."""
    prices = pd.read_parquet(folder / "prices.parquet")
    table = pd.read_parquet(panel / "panel.parquet")
    raw = pd.read_parquet(panel / "raw.parquet")
    own = pd.concat([table[["return", "market_equity", "sector"]], raw], axis=1)
    days = pd.DatetimeIndex(np.sort(prices["date"].unique()))
    counts = prices.groupby("asset")["close"].count()
    split = prices.loc[prices["split"] != 1, "asset"]
    steady = sorted(set(counts[counts == len(days)].index) - set(split))
    return Source(
        prices=prices,
        sectors=pd.read_csv(folder / "sectors.csv"),
        rates=pd.read_csv(folder / "risk_free.csv"),
        panel=own[own["date"] < own["date"].max()].reset_index(drop=True),
        days=days,
        steady=tuple(steady),
    )


def written(source: Source, folder: Path) -> Path:
    """Write a source's daily prices as a user would."""
    folder.mkdir(parents=True)
    source.prices.to_parquet(folder / "prices.parquet", index=False)
    source.sectors.to_csv(folder / "sectors.csv", index=False)
    source.rates.to_csv(folder / "risk_free.csv", index=False)
    return folder


def written_panel(source: Source, folder: Path) -> Path:
    """Write a source's panel as a user would."""
    folder.mkdir(parents=True)
    source.panel.to_parquet(folder / "panel.parquet", index=False)
    return folder
