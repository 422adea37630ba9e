import json
from pathlib import Path

import pandas as pd
import pytest
from tests.quality_faults import Change, fill, put

from latentbeta.config import Settings
from latentbeta.errors import DataError, QualityError
from latentbeta.quality.gate import run_gate
from latentbeta.storage import content_hash


@pytest.fixture
def folders(
    tmp_path: Path,
    prices: pd.DataFrame,
    risk_free: pd.DataFrame,
    flags: pd.DataFrame,
    panel: pd.DataFrame,
    raw: pd.DataFrame,
) -> tuple[Path, Path, Path]:
    """Folders of prices, panel and validation, the first two filled without a fault."""
    places = tmp_path / "prices", tmp_path / "panel", tmp_path / "validation"
    for place in places[:2]:
        place.mkdir()
    prices.to_parquet(places[0] / "prices.parquet", index=False)
    risk_free.to_parquet(places[0] / "risk_free.parquet", index=False)
    flags.to_parquet(places[0] / "flags.parquet", index=False)
    panel.to_parquet(places[1] / "panel.parquet", index=False)
    raw.to_parquet(places[1] / "raw.parquet", index=False)
    return places


def change_file(file: Path, change: Change) -> None:
    change(pd.read_parquet(file)).to_parquet(file, index=False)


def test_clean_data_pass_and_leave_the_same_bytes_twice(
    folders: tuple[Path, Path, Path], gate_settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    *_, out = folders
    result = run_gate(*folders[:2], gate_settings, out)
    assert result.passed
    assert result.failures == ()
    assert len(result.outcomes) > 70
    assert capsys.readouterr().out.splitlines()[-1].endswith("none blocking, warnings: 0")
    first = content_hash(out)
    run_gate(*folders[:2], gate_settings, out)
    assert content_hash(out) == first  # pages included
    document = json.loads((out / "result.json").read_text())
    assert document["passed"]
    assert document["inputs"]["panel.parquet"] == content_hash(folders[1] / "panel.parquet")
    assert pd.read_parquet(out / "offending_rows.parquet").empty


@pytest.fixture
def given_settings(gate_settings: Settings) -> Settings:
    data = gate_settings.data.model_copy(update={"kind": "panel"})
    return gate_settings.model_copy(update={"data": data})


def test_a_panel_without_prices_is_held_to_the_rules_about_panels(
    folders: tuple[Path, Path, Path], given_settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    prices, panel, out = folders
    (prices / "prices.parquet").rename(prices / "given_panel.parquet")
    result = run_gate(prices, panel, given_settings, out)
    assert result.passed
    tables = {outcome.rule.table for outcome in result.outcomes}
    assert {"panel", "panel_dates", "characteristic_years", "panel_drift"} <= tables
    assert not [table for table in tables if table.startswith("price")]
    assert "panel_targets" not in tables
    assert "there are no prices, so no rules about them" in capsys.readouterr().out
    inputs = json.loads((out / "result.json").read_text())["inputs"]
    assert set(inputs) == {"given_panel.parquet", "panel.parquet", "raw.parquet"}
    assert "Panel up to 2018-06-29" in (out / "docs" / "index.html").read_text()


def test_a_fault_in_a_panel_without_prices_closes_the_gate(
    folders: tuple[Path, Path, Path], given_settings: Settings
) -> None:
    prices, panel, out = folders
    (prices / "prices.parquet").rename(prices / "given_panel.parquet")
    change_file(panel / "panel.parquet", put("return", -1.5, row=64))
    with pytest.raises(QualityError, match="return_possible"):
        run_gate(prices, panel, given_settings, out)


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
        assert "Data asset: None" not in text, page
    link = 'href="validations/prices/gate/20180629T000000.000000Z/prices-prices.html#failed"'
    assert link in (docs / "index.html").read_text()
    assert (docs / link[6:-8]).is_file()


def test_what_ingest_withheld_is_saved_whole_and_shown(
    folders: tuple[Path, Path, Path], gate_settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    prices, _, out = folders
    withheld = pd.DataFrame(
        {
            "rule": ["split_contradicted", "unreliable_return"],
            "asset": "A03",
            "date": pd.Timestamp("2018-03-01"),
            "value": [2.0, 1.02],
            "detail": ["no trace in the price", "return as recorded; withheld (NaN)"],
        }
    )
    change_file(prices / "flags.parquet", lambda flags: pd.concat([flags, withheld]))
    result = run_gate(*folders[:2], gate_settings, out)
    assert result.passed
    row = pd.read_parquet(out / "quarantine.parquet").to_dict("records")
    assert row == [
        {
            "rule": "unreliable_return",
            "table": "prices",
            "date": pd.Timestamp("2018-03-01"),
            "asset": "A03",
            "column": "total_return",
            "value": 1.02,
            "marks": "large_return, split_contradicted",
        }
    ]
    assert json.loads((out / "result.json").read_text())["n_quarantined"] == 1
    assert "1 daily returns are in quarantine.parquet" in capsys.readouterr().out
    assert "<h2>In quarantine</h2>" in (out / "docs" / "index.html").read_text()


def test_too_much_in_quarantine_closes_the_gate(
    folders: tuple[Path, Path, Path], gate_settings: Settings
) -> None:
    prices, _, out = folders
    rows = pd.read_parquet(prices / "prices.parquet").loc[:37, ["date", "asset"]]  # of 3,750
    marks = rows.assign(rule="unreliable_return", value=0.5, detail="")
    marks.to_parquet(prices / "flags.parquet", index=False)
    with pytest.raises(QualityError, match=r"withheld_few \(price_quarantine\)"):
        run_gate(*folders[:2], gate_settings, out)
    assert len(pd.read_parquet(out / "quarantine.parquet")) == 38
    marks.head(37).to_parquet(prices / "flags.parquet", index=False)
    assert run_gate(*folders[:2], gate_settings, out).passed


def test_returns_of_the_period_before_close_the_gate(
    folders: tuple[Path, Path, Path], gate_settings: Settings
) -> None:
    *_, out = folders

    def one_late(panel: pd.DataFrame) -> pd.DataFrame:
        return panel.assign(**{"return": panel.groupby("asset")["return"].shift()})

    change_file(folders[1] / "panel.parquet", one_late)
    with pytest.raises(QualityError, match=r"return_in_prices \(panel_targets\)"):
        run_gate(*folders[:2], gate_settings, out)


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
