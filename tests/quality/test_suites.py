import datetime as dt
import re
from pathlib import Path

import pandas as pd
import pytest
from tests.quality_faults import (
    PANEL_COMPANIONS,
    PANEL_FAULTS,
    PRICE_COMPANIONS,
    PRICE_FAULTS,
    RAW_RULES,
)

from latentbeta.config import Settings
from latentbeta.data.calendar import sessions
from latentbeta.errors import QualityError
from latentbeta.quality import checkpoint
from latentbeta.quality.advice import ADVICE
from latentbeta.quality.checkpoint import run_checkpoints
from latentbeta.quality.newest import newest_rules
from latentbeta.quality.panel import formation_rules, panel_rules
from latentbeta.quality.panel_returns import return_rules
from latentbeta.quality.panel_tables import panel_tables
from latentbeta.quality.prices import price_rules, price_tables
from latentbeta.quality.quarantine import quarantine_rules
from latentbeta.quality.rates import rate_rules
from latentbeta.quality.rules import Outcome, Rule
from latentbeta.quality.targets import target_rules

DOCUMENT = Path(__file__).parents[2] / "docs" / "quality.md"
# Planted in tests of their own.
ELSEWHERE = {
    *("price_date_not_ahead", "newest_session_whole", "withheld_few", "return_in_prices"),
    *("newest_values_usual", "characteristic_covered_as_before"),
    # tests/faults/catalogue.py and test_panel_returns.py
    *("return_is_decimal", "return_not_filled", "return_not_adjusted", "no_foresight"),
    *("asset_has_return", "sector_shared", "risk_free_usual"),
}
LATEST = dt.date(2018, 6, 29)  # the last session of the clean prices


def failed(outcomes: tuple[Outcome, ...]) -> set[str]:
    return {outcome.rule.name for outcome in outcomes if not outcome.passed}


def check_prices(
    prices: pd.DataFrame, settings: Settings, folder: Path, latest: dt.date = LATEST
) -> tuple[Outcome, ...]:
    days = pd.DatetimeIndex(sessions("XNYS", prices["date"].min(), prices["date"].max()))
    return run_checkpoints(
        price_tables(prices, days),
        price_rules(settings.quality, latest=latest),
        docs=folder,
        data_date=LATEST,
    )


def check_panel(
    panel: pd.DataFrame, raw: pd.DataFrame, prices: pd.DataFrame, settings: Settings, folder: Path
) -> tuple[Outcome, ...]:
    return run_checkpoints(
        panel_tables(panel, raw, pd.DatetimeIndex(prices["date"].unique())),
        (*panel_rules(settings.quality, ["mom1m", "retvol"]), *formation_rules()),
        docs=folder,
        data_date=LATEST,
    )


def every_rule(settings: Settings) -> tuple[Rule, ...]:
    return (
        *price_rules(settings.quality, latest=LATEST),
        *panel_rules(settings.quality, ["mom1m", "retvol"]),
        *formation_rules(),
        *newest_rules(settings.quality),
        *quarantine_rules(settings.quality),
        *target_rules(),
        *rate_rules(),
        *return_rules(settings.rebalancing),
    )


@pytest.fixture
def _no_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the pages, a third of the time that a check takes."""
    monkeypatch.setattr(checkpoint, "_build_pages", lambda context: None)


@pytest.fixture
def severity(gate_settings: Settings) -> dict[str, str]:
    return {rule.name: rule.severity for rule in every_rule(gate_settings)}


def test_every_rule_has_a_planted_fault(severity: dict[str, str]) -> None:
    planted = {*PRICE_FAULTS, *PANEL_FAULTS, *RAW_RULES, *ELSEWHERE}
    assert planted == set(severity)


def test_every_rule_is_documented_with_its_severity(severity: dict[str, str]) -> None:
    lines = re.findall(r"^\| `(\w+)` \| (blocking|warning) \|", DOCUMENT.read_text(), re.MULTILINE)
    assert dict(lines) == severity


def test_the_advice_is_the_document_s(severity: dict[str, str]) -> None:
    rows = r"^\| `(\w+)` \| (?:blocking|warning) \| .+? \| (.+?) \|$"
    assert dict(re.findall(rows, DOCUMENT.read_text(), re.MULTILINE)) == ADVICE
    assert set(ADVICE) == set(severity)


@pytest.mark.usefixtures("_no_pages")
@pytest.mark.parametrize("name", PRICE_FAULTS)
def test_a_fault_in_the_prices_breaks_its_rule_alone(
    name: str, prices: pd.DataFrame, gate_settings: Settings, tmp_path: Path
) -> None:
    outcomes = check_prices(PRICE_FAULTS[name](prices), gate_settings, tmp_path)
    assert failed(outcomes) == {name} | PRICE_COMPANIONS.get(name, set())


@pytest.mark.usefixtures("_no_pages")
@pytest.mark.parametrize("name", PANEL_FAULTS)
def test_a_fault_in_the_panel_breaks_its_rule_alone(
    name: str,
    prices: pd.DataFrame,
    panel: pd.DataFrame,
    raw: pd.DataFrame,
    gate_settings: Settings,
    tmp_path: Path,
) -> None:
    outcomes = check_panel(PANEL_FAULTS[name](panel), raw, prices, gate_settings, tmp_path)
    assert failed(outcomes) == {name} | PANEL_COMPANIONS.get(name, set())


def test_a_price_after_the_last_day_that_may_be_read_blocks(
    prices: pd.DataFrame, gate_settings: Settings, tmp_path: Path
) -> None:
    outcomes = check_prices(prices, gate_settings, tmp_path, latest=dt.date(2018, 6, 28))
    assert failed(outcomes) == {"price_date_not_ahead"}


def test_coverage_is_judged_over_the_panel_and_by_year(
    prices: pd.DataFrame,
    panel: pd.DataFrame,
    raw: pd.DataFrame,
    gate_settings: Settings,
    tmp_path: Path,
) -> None:
    thin = raw.assign(date=raw["date"] - pd.Timedelta(days=100))  # from October 2017
    early, few = thin["date"] < "2018-01-01", thin["asset"] > "A15"
    growing = thin.assign(retvol=thin["retvol"].mask(early & few))
    assert failed(check_panel(panel, growing, prices, gate_settings, tmp_path / "more")) == set()
    shrinking = thin.assign(retvol=thin["retvol"].mask(~early & few))
    assert shrinking["retvol"].notna().mean() > gate_settings.quality.warning_coverage
    outcomes = check_panel(panel, shrinking, prices, gate_settings, tmp_path / "less")
    dropped = {"characteristic_covered_by_year", "characteristic_covered_as_before"}
    assert failed(outcomes) == dropped
    thin["retvol"] = thin["retvol"].mask(few)
    outcomes = check_panel(panel, thin, prices, gate_settings, tmp_path / "both")
    assert failed(outcomes) == {"characteristic_covered"}


def test_a_characteristic_that_is_suddenly_known_for_fewer_is_said(
    prices: pd.DataFrame,
    panel: pd.DataFrame,
    raw: pd.DataFrame,
    gate_settings: Settings,
    tmp_path: Path,
) -> None:
    newest = raw["date"] == raw["date"].max()
    raw["retvol"] = raw["retvol"].mask(newest & (raw["asset"] >= "A23"))  # 7 of 30
    outcomes = check_panel(panel, raw, prices, gate_settings, tmp_path / "sudden")
    assert failed(outcomes) == {"characteristic_covered_as_before"}
    (broken,) = [outcome for outcome in outcomes if not outcome.passed]
    assert broken.n_unexpected == 1
    raw["retvol"] = raw["retvol"].mask(raw["asset"] >= "A23")
    assert failed(check_panel(panel, raw, prices, gate_settings, tmp_path / "always")) == set()


def test_values_in_another_unit_are_said(
    prices: pd.DataFrame,
    panel: pd.DataFrame,
    raw: pd.DataFrame,
    gate_settings: Settings,
    tmp_path: Path,
) -> None:
    newest = raw["date"] == raw["date"].max()
    raw["retvol"] = raw["retvol"].mask(newest, raw["retvol"] * 100 + 500)
    outcomes = check_panel(panel, raw, prices, gate_settings, tmp_path)
    assert failed(outcomes) == {"newest_values_usual"}


def test_a_rule_that_cannot_be_evaluated_blocks_whatever_its_severity(
    prices: pd.DataFrame, gate_settings: Settings, tmp_path: Path
) -> None:
    outcomes = check_prices(prices.drop(columns="open"), gate_settings, tmp_path)
    lost = [o for o in outcomes if not o.evaluated and o.rule.severity == "warning"]
    assert {o.rule.name for o in lost} == {"price_order", "quote_known"}
    assert all(o.blocks for o in lost)


def test_a_result_that_is_missing_is_noticed(
    prices: pd.DataFrame,
    gate_settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    evaluate = checkpoint._validate
    monkeypatch.setattr(checkpoint, "_validate", lambda *args: evaluate(*args)[1:])
    with pytest.raises(QualityError, match=r"prices: .* evaluated \d+ of \d+ rules"):
        check_prices(prices, gate_settings, tmp_path)
