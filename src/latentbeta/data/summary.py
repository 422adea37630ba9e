"""What data/prices/ holds, and what a reader of the results should know about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from latentbeta.config import DataSettings
from latentbeta.data.fetched import fetched_notes
from latentbeta.data.files import SourceFiles
from latentbeta.data.flags import RULES
from latentbeta.data.fundamentals import fundamental_facts, fundamental_notes
from latentbeta.data.membership import membership_facts, membership_notes
from latentbeta.data.quotes import UsableQuotes
from latentbeta.data.series import Series, facts_of

YEAR = pd.Timedelta(days=365.25)
YEARS_WITHOUT_EXIT = 5  # no market of more than a few assets goes so long without one


@dataclass(frozen=True)
class Tables:
    """The tables of data/prices/, and the counts that its summary names."""

    prices: pd.DataFrame
    assets: pd.DataFrame
    risk_free: pd.DataFrame
    flags: pd.DataFrame
    factors: Series | None
    fundamentals: pd.DataFrame | None
    membership: pd.DataFrame | None
    facts: dict[str, Any]


def facts_of_source(
    files: SourceFiles, quotes: UsableQuotes, missing_rates: int, *, unused: int
) -> dict[str, Any]:
    """Return the counts that the summary names; `unused` listings are of assets without a price."""
    return {
        "dropped": quotes.dropped,
        "carried": quotes.carried,
        "has_risk_free": files.risk_free is not None,
        "missing_rates": missing_rates,
        "unused_listings": unused,
    }


def summary_of(settings: DataSettings, files: SourceFiles, tables: Tables) -> dict[str, Any]:
    """Return summary.json, the content's hash apart."""
    prices, counts = tables.prices, tables.flags["rule"].value_counts()
    beside = factor_facts(files.factors, tables.factors) | fundamental_facts(
        files.fundamentals, tables.fundamentals, tables.assets["asset"]
    )
    days = tables.risk_free["date"].to_numpy("datetime64[us]")
    beside |= membership_facts(files.membership, tables.membership, tables.assets, days)
    return {
        "n_rows": len(prices),
        "n_assets": len(tables.assets),
        "first_date": f"{prices['date'].min():%Y-%m-%d}",
        "last_date": f"{prices['date'].max():%Y-%m-%d}",
        "source": str(settings.path),
        "files": [file.name for file in files.prices],
        "calendar": settings.calendar,
        "universe": settings.universe,
        "has_risk_free": tables.facts["has_risk_free"],
        "has_shares": bool(prices["shares"].notna().any()),
        "has_truth": files.truth is not None,
        "flags": {rule: int(counts.get(rule, 0)) for rule in RULES},
        "dropped": tables.facts["dropped"],
        "notes": _notes(settings, tables, beside),
    } | beside


def factor_facts(path: Path | None, factors: Series | None) -> dict[str, Any]:
    """Return the part of summary.json about observed factors; nothing where there are none."""
    return {} if path is None or factors is None else {"factors": facts_of(factors, path.name)}


def _notes(settings: DataSettings, tables: Tables, beside: dict[str, Any]) -> list[str]:
    """Sentences that a reader of the results should know."""
    facts, assets = tables.facts, tables.assets
    unsorted = int(assets["sector"].isna().sum())
    years = (tables.prices["date"].max() - tables.prices["date"].min()) / YEAR
    candidates = {
        "no risk-free rate: returns are raw, not in excess of it": not facts["has_risk_free"],
        f"the risk-free rate is missing on {facts['missing_rates']} sessions: the latest before"
        " them is used": facts["has_risk_free"] and facts["missing_rates"] > 0,
        "no shares outstanding: market equity is not known": tables.prices["shares"].isna().all(),
        f"assets without a sector: {unsorted} of {len(assets)}": unsorted > 0,
        f"assets of the sectors file without a price: {facts['unused_listings']}": (
            facts["unused_listings"] > 0
        ),
        f"dividends and splits of dropped rows, moved to the next quote: {facts['carried']}": (
            facts["carried"] > 0
        ),
        "the universe holds survivors only: results are flattered": (
            settings.universe == "survivors"
        ),
        f"the universe is said to be point-in-time, yet in {years:.0f} years no asset leaves it: if"
        " what was delisted is missing, set data.universe to survivors": (
            settings.universe == "point-in-time"
            and years >= YEARS_WITHOUT_EXIT
            and _nobody_leaves(tables)
        ),
    }
    candidates |= fundamental_notes(beside) | membership_notes(beside)
    candidates |= fetched_notes(settings.path)
    return [note for note, applies in candidates.items() if applies]


def _nobody_leaves(tables: Tables) -> bool:
    """Whether every asset still has a price in the data's last month."""
    start = tables.prices["date"].max() - pd.Timedelta(days=31)
    return bool((tables.assets["last_date"] > start).all())
