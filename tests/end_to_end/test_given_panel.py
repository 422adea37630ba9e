"""The whole job on a panel in the layout of Gu, Kelly and Xiu: no prices, a file of factors."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from flows.overlay import read_overlay
from tests.end_to_end.workspace import Workspace

from latentbeta.storage import read_json

N_ASSETS, N_MONTHS = 40, 72
EXAMPLE = Path(__file__).parents[2] / "examples/gkx_monthly.yaml"
SMALLER = {  # than the example
    "characteristics": {"minimum_coverage": 0.2},
    "walk_forward": {"train": 24, "validation": 12, "refit_every": 12},
    "models": {
        "names": ["observed_factors", "pca", "ipca"],
        "n_factors": [2],
        "observed_factors": {"names": ["MktRF", "SMB"]},
    },
    "evaluation": {"bootstrap_draws": 100},
    "nightly": {"model": "ipca", "n_factors": 2},
}


def write_source(folder: Path) -> None:
    """Write characteristics as YYYYMM and permno, returns apart, monthly factors."""
    rng = np.random.default_rng(0)
    months = pd.period_range("2001-01", periods=N_MONTHS, freq="M")
    stamps = months.strftime("%Y%m")
    permno = 10000 + np.arange(N_ASSETS)
    size, value = rng.normal(size=(2, N_MONTHS, N_ASSETS)).cumsum(axis=1) * 0.3
    factors = rng.normal(0.005, 0.03, (N_MONTHS, 2))
    noise = rng.normal(0, 0.02, (N_MONTHS, N_ASSETS))
    returns = factors[:, :1] + np.tanh(np.roll(size, 1, axis=0)) * factors[:, 1:] + noise
    keys = {"permno": np.tile(permno, N_MONTHS), "DATE": np.repeat(stamps, N_ASSETS)}
    rows = pd.DataFrame(keys | {"mvel1": np.exp(size).ravel()})
    rows["bm"] = np.where(rng.random(len(rows)) < 0.3, np.nan, value.ravel())
    rows["roaq"] = np.where(rows["DATE"] < "200301", np.nan, rng.normal(size=len(rows)))
    rows["sic2"] = rows["permno"] % 7 + 20.0
    rows[rng.random(len(rows)) > 0.05].to_csv(folder / "datashare.csv", index=False)
    earned = pd.DataFrame(keys | {"ret": 0.002 + returns.ravel()})
    earned[rng.random(len(earned)) > 0.02].to_csv(folder / "returns.csv", index=False)
    observed = pd.DataFrame(factors, columns=["MktRF", "SMB"]).assign(date=stamps, RF=0.002)
    observed.to_csv(folder / "factors_monthly.csv", index=False)


@pytest.fixture(scope="module")
def run(workspace_of, tmp_path_factory) -> tuple[Workspace, str]:
    source = tmp_path_factory.mktemp("source")
    write_source(source)
    workspace = workspace_of("given")
    settings = read_overlay(EXAMPLE) | SMALLER
    done = workspace.run("flows.run", "--data", source, "--params", workspace.overlay(settings))
    assert done.status == 0, done.output
    return workspace, done.output


def test_it_ends_with_the_table_and_says_what_it_is_made_of(run):
    workspace, output = run
    assert re.search(r"panel: 2,\d{3} rows of 40 assets, 2001-01-31 to 2006-12-29", output)
    assert "factors of factors_monthly.csv: MktRF 2001-01-31 to 2006-12-31" in output
    assert "note: characteristics are those that stand 1 period before the return" in output
    assert "left out roaq: known for 0.0% of the assets of the first date" in output
    assert "there are no prices, so no rules about them" in output
    table = output[output.index("Out of sample") :]
    assert re.search(r"│ IPCA +│", table), output
    assert "monthly, to 2006-12-29" in table
    page = (workspace.data / "report/report.html").read_text(encoding="utf-8")
    assert "Panel as given" in page
    assert "Daily prices" not in page


def test_the_newest_month_lies_ahead_and_has_forecasts(run):
    workspace, _ = run
    panel = pd.read_parquet(workspace.data / "panel/panel.parquet")
    assert list(panel)[6:] == ["mvel1", "bm"]
    assert str(panel["date"].max())[:10] == "2007-01-31"
    assert str(panel["formation"].max())[:10] == "2006-12-29"
    assert panel.loc[panel["date"] == panel["date"].max(), "return"].isna().all()
    predictions = pd.read_parquet(workspace.data / "results/predictions.parquet")
    newest = predictions[predictions["date"] == predictions["date"].max()]
    assert newest["realised"].isna().all()
    forecasts = newest.groupby("model", observed=True)["forecast"].agg(lambda f: f.notna().mean())
    assert forecasts["ipca"] == 1.0
    assert set(forecasts.index) == {"observed_factors", "pca", "ipca"}


def test_characteristics_of_the_month_before_explain(run):
    """The made-up betas follow the size a month earlier: a wrong lag would explain far less."""
    found = {r["model"]: r for r in read_json(run[0].data / "results/metrics.json")}
    assert found["ipca"]["total_r2"] > 0.6
    assert found["ipca"]["total_r2"] > found["observed_factors"]["total_r2"]


def test_mlflow_knows_the_data(run):
    from mlflow import MlflowClient

    from latentbeta.environment import tracking_uri

    workspace, _ = run
    parent = read_json(workspace.data / "training/runs.json")["parent"]
    tags = MlflowClient(tracking_uri(workspace.folder)).get_run(parent).data.tags
    assert re.fullmatch("[0-9a-f]{64}", tags["data.hash"])
    assert tags["data.last_date"] == "2006-12-29"


def test_a_second_run_finds_nothing_to_do(run):
    workspace, _ = run
    done = workspace.run("dvc", "status", "--json", "report")
    assert done.status == 0
    assert json.loads(done.output[done.output.index("{") :]) == {}
