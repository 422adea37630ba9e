import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latentbeta.config import Settings
from latentbeta.data.calendar import sessions
from latentbeta.errors import DataError, QualityError
from latentbeta.quality import checkpoint
from latentbeta.quality.checkpoint import run_checkpoints
from latentbeta.quality.gate import run_gate
from latentbeta.quality.panel import panel_rules, panel_tables
from latentbeta.quality.prices import price_rules, price_tables
from latentbeta.quality.rules import Outcome, Rule
from latentbeta.storage import content_hash

Change = Callable[[pd.DataFrame], pd.DataFrame]
DOCUMENT = Path(__file__).parents[2] / "docs" / "quality.md"
LATEST = dt.date(2018, 6, 29)  # the last session of the clean prices


def put(column: str, value: object, row: int = 100) -> Change:
    """Change one cell."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[row, column] = value
        return table

    return change


def fill(column: str, value: object, share: float) -> Change:
    """Change the last rows of a column."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[int(len(table) * (1 - share)) :, column] = value
        return table

    return change


def scale(column: str, by: float, row: int = 100) -> Change:
    """Multiply one cell."""
    return lambda table: put(column, table.loc[row, column] * by, row)(table)


def without(where: Change) -> Change:
    """Leave out the rows for which `where` is true."""
    return lambda table: table[~where(table)].reset_index(drop=True)


def twice(row: int) -> Change:
    return lambda table: pd.concat([table.loc[: row - 1], table.loc[row - 1 :]], ignore_index=True)


PRICE_FAULTS: dict[str, Change] = {
    "price_columns": lambda table: table.rename(columns={"shares": "outstanding"}),
    "price_type": lambda table: table.assign(volume=table["volume"].astype(np.int32)),
    "price_key_unique": twice(100),
    "price_known": put("split", np.nan),
    "price_positive": put("open", -50.0),
    "split_positive": put("split", 0.0),
    "shares_positive": put("shares", np.inf),
    "volume_not_negative": put("volume", -1.0),
    "dividend_not_negative": put("dividend", -0.01),
    "total_return_possible": put("total_return", np.inf),
    "price_order": scale("open", 1.2),
    "total_return_usual": put("total_return", 1.01),
    "dividend_below_price": put("dividend", 1_000.0),
    "quote_known": fill("open", np.nan, 0.02),
    "volume_traded": fill("volume", 0.0, 0.02),
    "price_date_is_session": lambda table: table.replace(
        {"date": {pd.Timestamp("2018-02-09"): pd.Timestamp("2018-02-10")}}
    ),
    "session_complete": without(
        lambda table: (table["date"] == "2018-05-03") & (table["asset"] > "A22")
    ),
    "price_not_stale": lambda table: table.assign(
        **{
            name: table[name].mask((table["asset"] == "A07") & (table["date"] > "2018-06-14"), 40)
            for name in ("open", "high", "low", "close")
        }
    ),
}
# What a fault in one rule breaks in another, unavoidably.
PRICE_COMPANIONS = {
    "price_columns": {"price_type", "shares_positive"},  # cannot be evaluated
    "price_positive": {"price_order"},
    "total_return_possible": {"total_return_usual"},
    "price_date_is_session": {"session_complete"},
}
PANEL_FAULTS: dict[str, Change] = {
    "panel_columns": lambda table: table.assign(extra=table["mom1m"]),
    "panel_type": lambda table: table.assign(**{"return": table["return"].astype(np.float32)}),
    "panel_key_unique": twice(100),
    "panel_known": put("asset", None),
    "characteristic_ranked": put("mom1m", 1.001),
    "characteristic_known": put("mom1m", np.nan),
    "characteristic_varies": lambda table: table.assign(mom1m=np.float32(0)),
    "market_equity_positive": put("market_equity", 0.0),
    "return_possible": put("return", -1.06),
    "return_known": fill("return", np.nan, 0.3),
    "formation_before_date": lambda table: table.assign(
        formation=table["formation"].mask(table["date"] == table["date"].min(), table["date"])
    ),
    "formation_unique": put("formation", pd.Timestamp("2018-01-09"), row=5),
    "formation_in_prices": lambda table: table.assign(
        formation=table["formation"].replace(
            {pd.Timestamp("2018-06-29"): pd.Timestamp("2018-06-28")}
        )
    ),
    "assets_enough": lambda table: table.drop(index=range(11)),
    "market_equity_known": fill("market_equity", np.nan, 0.41),
}
PANEL_COMPANIONS = {"panel_columns": {"characteristic_covered"}}  # it has no raw values
RAW_FAULTS: dict[str, Change] = {
    "characteristic_covered": fill("retvol", np.nan, 0.45),
    "characteristic_covered_by_year": lambda table: table,
}


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
        panel_rules(settings.quality, ["mom1m", "retvol"]),
        docs=folder,
        data_date=LATEST,
    )


def every_rule(settings: Settings) -> tuple[Rule, ...]:
    return (
        *price_rules(settings.quality, latest=LATEST),
        *panel_rules(settings.quality, ["mom1m", "retvol"]),
    )


@pytest.fixture
def severity(gate_settings: Settings) -> dict[str, str]:
    return {rule.name: rule.severity for rule in every_rule(gate_settings)}


@pytest.fixture
def folders(
    tmp_path: Path, prices: pd.DataFrame, panel: pd.DataFrame, raw: pd.DataFrame
) -> tuple[Path, Path, Path]:
    """Folders of prices, panel and validation, the first two filled without a fault."""
    places = tmp_path / "prices", tmp_path / "panel", tmp_path / "validation"
    for place in places[:2]:
        place.mkdir()
    prices.to_parquet(places[0] / "prices.parquet", index=False)
    panel.to_parquet(places[1] / "panel.parquet", index=False)
    raw.to_parquet(places[1] / "raw.parquet", index=False)
    return places


def change_file(file: Path, change: Change) -> None:
    change(pd.read_parquet(file)).to_parquet(file, index=False)


def test_every_rule_has_a_planted_fault(severity: dict[str, str]) -> None:
    planted = {*PRICE_FAULTS, *PANEL_FAULTS, *RAW_FAULTS, "price_date_not_ahead"}
    assert planted == set(severity)


def test_every_rule_is_documented_with_its_severity(severity: dict[str, str]) -> None:
    rows = [line.split("|")[1:3] for line in DOCUMENT.read_text().splitlines() if "| `" in line]
    assert {name.strip().strip("`"): level.strip() for name, level in rows} == severity


@pytest.mark.parametrize("name", PRICE_FAULTS)
def test_a_fault_in_the_prices_breaks_its_rule_alone(
    name: str, prices: pd.DataFrame, gate_settings: Settings, tmp_path: Path
) -> None:
    outcomes = check_prices(PRICE_FAULTS[name](prices), gate_settings, tmp_path)
    assert failed(outcomes) == {name} | PRICE_COMPANIONS.get(name, set())


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
    early = thin["date"] < "2018-01-01"
    thin["retvol"] = thin["retvol"].mask(early & (thin["asset"] > "A15"))
    assert thin["retvol"].notna().mean() > gate_settings.quality.warning_coverage
    outcomes = check_panel(panel, thin, prices, gate_settings, tmp_path / "year")
    assert failed(outcomes) == {"characteristic_covered_by_year"}
    thin["retvol"] = thin["retvol"].mask(thin["asset"] > "A15")
    outcomes = check_panel(panel, thin, prices, gate_settings, tmp_path / "both")
    assert failed(outcomes) == {"characteristic_covered", "characteristic_covered_by_year"}


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


def test_clean_data_pass_and_leave_the_same_bytes_twice(
    folders: tuple[Path, Path, Path], gate_settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    *_, out = folders
    result = run_gate(*folders[:2], gate_settings, out)
    assert result.passed
    assert result.failures == ()
    assert len(result.outcomes) == len(every_rule(gate_settings))
    assert capsys.readouterr().out.splitlines()[-1].endswith("0 warnings, none blocking")
    first = content_hash(out)
    run_gate(*folders[:2], gate_settings, out)
    assert content_hash(out) == first  # pages included
    document = json.loads((out / "result.json").read_text())
    assert document["passed"]
    assert document["inputs"]["panel.parquet"] == content_hash(folders[1] / "panel.parquet")
    assert pd.read_parquet(out / "offending_rows.parquet").empty


def test_a_blocking_fault_is_saved_and_then_stops(
    folders: tuple[Path, Path, Path], gate_settings: Settings
) -> None:
    *_, out = folders
    run_gate(*folders[:2], gate_settings, out)
    change_file(folders[0] / "prices.parquet", put("volume", -3.0, row=64))
    with pytest.raises(QualityError) as raised:
        run_gate(*folders[:2], gate_settings, out)
    message = str(raised.value)
    assert "volume_not_negative" in message
    assert "1 of 3,750 rows" in message
    assert "2018-01-04 A04 volume = -3" in message
    assert str(out / "offending_rows.parquet") in message
    row = pd.read_parquet(out / "offending_rows.parquet").to_dict("records")
    assert row == [
        {
            "rule": "volume_not_negative",
            "severity": "blocking",
            "table": "prices",
            "date": pd.Timestamp("2018-01-04"),
            "asset": "A04",
            "column": "volume",
            "value": "-3",
        }
    ]
    document = json.loads((out / "result.json").read_text())
    assert not document["passed"]
    (broken,) = [rule for rule in document["rules"] if not rule["passed"]]
    assert (broken["name"], broken["n_unexpected"]) == ("volume_not_negative", 1)
    landing = (out / "docs" / "index.html").read_text()
    assert "Closed: 1 blocking rule failed" in landing
    assert "2018-01-04" in landing


def test_a_warning_is_said_and_does_not_stop(
    folders: tuple[Path, Path, Path], gate_settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    *_, out = folders
    change_file(folders[0] / "prices.parquet", put("total_return", 1.5, row=64))
    result = run_gate(*folders[:2], gate_settings, out)
    assert result.passed
    assert [failure.outcome.rule.name for failure in result.warnings] == ["total_return_usual"]
    said = capsys.readouterr().out
    assert "warning: total_return_usual (prices): 1 of 3,750 rows" in said
    assert "2018-01-04 A04 total_return = 1.5" in said


def test_pages_load_nothing_and_lead_to_the_failed_rules(
    folders: tuple[Path, Path, Path], gate_settings: Settings
) -> None:
    *_, out = folders
    change_file(folders[0] / "prices.parquet", put("total_return", 1.5))
    run_gate(*folders[:2], gate_settings, out)
    docs = out / "docs"
    for page in docs.rglob("*.html"):
        text = page.read_text()
        for remote in ('src="http', "<link", "@import", "url(http"):
            assert remote not in text, page
    link = 'href="validations/prices/gate/20180629T000000.000000Z/prices-prices.html#failed"'
    assert link in (docs / "index.html").read_text()
    assert (docs / link[6:-8]).is_file()


def test_many_faults_keep_the_first_rows_and_count_all(
    folders: tuple[Path, Path, Path], gate_settings: Settings
) -> None:
    *_, out = folders
    change_file(folders[0] / "prices.parquet", fill("dividend", 500.0, 0.5))
    result = run_gate(*folders[:2], gate_settings, out)
    (failure,) = result.failures
    assert failure.outcome.n_unexpected == 1875
    rows = pd.read_parquet(out / "offending_rows.parquet")
    assert len(rows) == 100
    clean = pd.read_parquet(folders[0] / "prices.parquet").loc[1875:1974].reset_index(drop=True)
    assert rows["asset"].equals(clean["asset"])
    assert rows["date"].equals(clean["date"])


def test_a_crash_leaves_no_pass_for_other_data(
    folders: tuple[Path, Path, Path], gate_settings: Settings
) -> None:
    *_, out = folders
    run_gate(*folders[:2], gate_settings, out)
    (folders[1] / "panel.parquet").write_bytes(b"not Parquet")
    with pytest.raises(DataError, match=r"panel\.parquet: cannot be read"):
        run_gate(*folders[:2], gate_settings, out)
    assert not (out / "result.json").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.head(0), "holds no rows"),
        (lambda table: table.drop(columns="date"), "date are no dates"),
        (lambda table: table.assign(date=table["date"].astype("str")), "date are no dates"),
    ],
)
def test_a_table_without_dates_is_named(
    change: Change, message: str, folders: tuple[Path, Path, Path], gate_settings: Settings
) -> None:
    change_file(folders[0] / "prices.parquet", change)
    with pytest.raises(DataError, match=rf"prices\.parquet: .*{message}"):
        run_gate(*folders[:2], gate_settings, folders[2])


def test_a_missing_file_names_the_stage(
    folders: tuple[Path, Path, Path], gate_settings: Settings
) -> None:
    (folders[0] / "prices.parquet").unlink()
    with pytest.raises(DataError, match="no such file; run the stages before validate first"):
        run_gate(*folders[:2], gate_settings, folders[2])
