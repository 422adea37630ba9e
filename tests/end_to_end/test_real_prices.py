"""The whole job on real daily prices, by the command that `make run DATA=` calls."""

from pathlib import Path

import pandas as pd
import pytest

from latentbeta.storage import read_json

SHARED = Path(__file__).parents[2] / "../shared/data/sp500_daily"
SETTINGS = {
    "data": {"universe": "survivors"},
    "walk_forward": {"train": 72, "validation": 24, "refit_every": 36},
    "models": {
        "names": ["pca", "ipca", "ca1"],
        "n_seeds": 1,
        "networks": {"epochs": 5, "patience": 2},
    },
    "evaluation": {"bootstrap_draws": 100},
}


@pytest.mark.slow
@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data/sp500_daily is not here")
def test_a_folder_of_real_prices_goes_through(workspace_of):
    workspace = workspace_of("real")
    done = workspace.run(
        "flows.run", "--data", SHARED.resolve(), "--params", workspace.overlay(SETTINGS)
    )
    assert done.status == 0, done.output
    assert "survivors only: flattered" in done.output
    summary = read_json(workspace.data / "prices/summary.json")
    assert summary["n_assets"] > 490
    assert summary["last_date"] == "2021-04-21"
    assert sum(summary["flags"].values()) > 0
    assets = pd.read_parquet(workspace.data / "prices/assets.parquet")
    assert assets["sector"].notna().mean() > 0.99
    found = {r["model"]: r for r in read_json(workspace.data / "results/metrics.json")}
    assert 0.3 < found["ipca"]["total_r2"] < 0.5
    assert 0.25 < found["ca1"]["total_r2"] < 0.5
    page = (workspace.data / "report/report.html").read_text(encoding="utf-8")
    assert "survivor" in page
