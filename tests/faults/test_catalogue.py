"""Every fault of the catalogue, planted and caught; and nothing found where there is none."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from tests.faults.catalogue import BUILT_FAULTS, PANEL_FAULTS, PRICE_FAULTS
from tests.faults.source import (
    Source,
    built,
    built_of_given,
    given_settings,
    ingested,
    settings_of,
    simulated,
    source_of,
    written,
    written_panel,
)

from latentbeta.config import Rebalancing, Settings
from latentbeta.errors import DataError
from latentbeta.quality import checkpoint
from latentbeta.quality.checkpoint import run_checkpoints
from latentbeta.quality.suite import suite_of
from latentbeta.storage import content_hash

DOCUMENT = Path(__file__).parents[2] / "docs" / "quality.md"
SEED = 3  # a market with seven splits


@dataclass(frozen=True)
class Clean:
    """The market without a fault, and what our stages made of it."""

    source: Source
    settings: Settings
    prices: Path
    panel: Path


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Clean:
    folder = tmp_path_factory.mktemp("clean")
    return clean_market(folder, SEED, settings_of(folder / "source"))


def clean_market(folder: Path, seed: int, settings: Settings) -> Clean:
    simulated(folder / "source", seed, settings)
    ingested(settings, folder / "prices")
    built(settings, folder / "prices", folder / "panel")
    source = source_of(folder / "source", folder / "panel")
    return Clean(source, settings, folder / "prices", folder / "panel")


@pytest.fixture(autouse=True)
def _no_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the gate's pages, a third of its time."""
    monkeypatch.setattr(checkpoint, "_build_pages", lambda context: None)


def broken(
    prices: Path, panel: Path, settings: Settings, out: Path, rule: str = ""
) -> dict[str, str]:
    """Run the gate; return rule: what comes of it, of those that do not hold.

    With the name of a rule, those that are about its tables alone, for speed.
    """
    suite = suite_of(prices, panel, settings)
    tables = {r.table for r in suite.rules if rule in ("", r.name)}
    rules = [r for r in suite.rules if r.table in tables]
    outcomes = run_checkpoints(suite.tables, rules, docs=out, data_date=suite.data_date)
    assert all(outcome.evaluated for outcome in outcomes)
    return {
        outcome.rule.name: "blocking" if outcome.blocks else "warning"
        for outcome in outcomes
        if not outcome.passed
    }


def withheld_by(flags: pd.DataFrame) -> set[str]:
    """Rules that mark a row whose return was withheld."""
    rows = flags[flags["rule"] == "unreliable_return"][["asset", "date"]]
    return {*flags.merge(rows)["rule"], *flags["rule"][flags["rule"] == "long_gap"]}


@pytest.mark.parametrize("name", PRICE_FAULTS)
def test_a_fault_of_prices_is_caught(name: str, clean: Clean, tmp_path: Path) -> None:
    fault = PRICE_FAULTS[name]
    folder = written(fault.plant(clean.source), tmp_path / "source")
    data = clean.settings.data.model_copy(update={"path": folder})
    settings = clean.settings.model_copy(update={"data": data})
    if fault.outcome == "error":
        with pytest.raises(DataError, match=re.escape(fault.rule)):
            ingested(settings, tmp_path / "prices")
        return
    summary = ingested(settings, tmp_path / "prices")
    flags = pd.read_parquet(tmp_path / "prices" / "flags.parquet")
    if fault.outcome == "harmless":
        for table in ("prices", "assets", "risk_free", "flags"):
            assert content_hash(tmp_path / "prices" / f"{table}.parquet") == content_hash(
                clean.prices / f"{table}.parquet"
            )
    elif fault.outcome == "left out":
        assert summary["dropped"][fault.rule] > 0
    elif fault.outcome == "noted":
        assert any(fault.rule in note for note in summary["notes"])
    elif fault.outcome == "marked":
        assert fault.rule in set(flags["rule"])
    elif fault.outcome == "withheld":
        assert fault.rule in withheld_by(flags)
    else:
        found = broken(tmp_path / "prices", clean.panel, settings, tmp_path, fault.rule)
        assert found.get(fault.rule) == fault.outcome, found


@pytest.mark.parametrize("name", PANEL_FAULTS)
def test_a_fault_of_a_panel_is_caught(
    name: str, clean: Clean, clean_given: Path, tmp_path: Path
) -> None:
    fault = PANEL_FAULTS[name]
    folder = written_panel(fault.plant(clean.source), tmp_path / "source")
    settings = given_settings(clean.settings, folder)
    if fault.outcome == "error":
        with pytest.raises(DataError, match=fault.rule):
            built_of_given(settings, tmp_path / "prices", tmp_path / "panel")
        return
    built_of_given(settings, tmp_path / "prices", tmp_path / "panel")
    if fault.outcome == "harmless":
        assert content_hash(tmp_path / "panel" / "panel.parquet") == content_hash(
            clean_given / "panel" / "panel.parquet"
        )
        return
    found = broken(tmp_path / "prices", tmp_path / "panel", settings, tmp_path, fault.rule)
    assert found.get(fault.rule) == fault.outcome, found


@pytest.fixture(scope="module")
def clean_given(clean: Clean, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("given")
    settings = given_settings(clean.settings, written_panel(clean.source, folder / "source"))
    built_of_given(settings, folder / "prices", folder / "panel")
    return folder


@pytest.mark.parametrize("name", BUILT_FAULTS)
def test_a_fault_of_our_own_is_caught(name: str, clean: Clean, tmp_path: Path) -> None:
    _, outcome, rule, change = BUILT_FAULTS[name]
    table = change(pd.read_parquet(clean.panel / "panel.parquet"))
    table.to_parquet(tmp_path / "panel.parquet", index=False)
    (tmp_path / "raw.parquet").write_bytes((clean.panel / "raw.parquet").read_bytes())
    found = broken(clean.prices, tmp_path, clean.settings, tmp_path, rule)
    assert found.get(rule) == outcome, found


@pytest.mark.parametrize(
    ("seed", "rebalancing"), [(3, "monthly"), (4, "monthly"), (5, "weekly"), (6, "daily")]
)
def test_clean_data_raise_nothing(seed: int, rebalancing: Rebalancing, tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "source").model_copy(update={"rebalancing": rebalancing})
    clean = clean_market(tmp_path, seed, settings)
    assert pd.read_parquet(clean.prices / "flags.parquet").empty
    assert broken(clean.prices, clean.panel, settings, tmp_path) == {}


def test_a_clean_panel_of_one_s_own_raises_nothing(
    clean: Clean, clean_given: Path, tmp_path: Path
) -> None:
    settings = given_settings(clean.settings, clean_given / "source")
    assert broken(clean_given / "prices", clean_given / "panel", settings, tmp_path) == {}


def catalogue() -> Iterator[tuple[str, str, str]]:
    """Rows of the table in docs/quality.md."""
    for fault in (*PRICE_FAULTS.values(), *PANEL_FAULTS.values()):
        rule = f"`{fault.rule}`" if re.fullmatch(r"[a-z_]+", fault.rule) else ""
        yield fault.what, fault.outcome, rule
    for what, outcome, rule, _ in BUILT_FAULTS.values():
        yield what, outcome, f"`{rule}`"


def test_the_document_has_the_catalogue() -> None:
    rows = [f"| {what} | {outcome} | {rule} |" for what, outcome, rule in catalogue()]
    assert len(rows) >= 40
    assert "\n".join(rows) in DOCUMENT.read_text()
