import shutil

import pytest
from tests.report.evidence import null_of, write_training
from tests.report.whole_ladder import write_ladder
from tests.synthetic_results import N_FACTORS, Market, monthly_settings, write_results

from latentbeta.evaluation import evaluate
from latentbeta.evaluation.ladder import ModelKey
from latentbeta.storage import write_json

PRICES = {
    "n_rows": 123456,
    "n_assets": 40,
    "first_date": "2003-01-02",
    "last_date": "2018-12-31",
    "source": "data/simulated",
    "calendar": "XNYS",
    "universe": "survivors",
    "has_risk_free": False,
    "has_truth": True,
    "flags": {"zero_volume": 187, "stale_price": 0},
    "notes": ["no risk-free rate: returns are raw, not in excess of it"],
}
PANEL = {
    "n_dates": 36,
    "n_rows": 1440,
    "n_assets": 40,
    "first_date": "2016-01-29",
    "last_date": "2018-12-31",
    "characteristics": ["c0", "c1", "c2", "c3"],
    "left_out": {"turn": "no shares outstanding"},
    "coverage": {"c0": 1.0, "c1": 0.98, "c2": 0.7, "c3": 0.55, "turn": 0.0},
    "missing_returns": 0.012,
}
VALIDATION = {
    "passed": True,
    "n_quarantined": 1520,
    "rules": [
        {
            "name": "coverage",
            "table": "raw",
            "severity": "warning",
            "requires": "c3 is known for 60 % of the rows",
            "passed": False,
            "observed": "0.55",
            "n_unexpected": 0,
            "share": 0.0,
        },
        {
            "name": "zero_volume",
            "table": "prices",
            "severity": "warning",
            "requires": "volume is above 0",
            "passed": False,
            "observed": "",
            "n_unexpected": 1234,
            "share": 0.01,
        },
        {
            "name": "no_duplicates",
            "table": "panel",
            "severity": "blocking",
            "requires": "no pair twice",
            "passed": True,
            "observed": "",
            "n_unexpected": 0,
            "share": 0.0,
        },
    ],
}


@pytest.fixture(scope="session")
def settings():
    return monthly_settings()


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory, settings):
    data = tmp_path_factory.mktemp("evaluated")
    write_results(data, Market())
    evaluate(
        results=data / "results",
        panel=data / "panel/panel.parquet",
        truth=data / "prices/truth",
        training=data / "training",
        output=data / "evaluation",
        settings=settings,
    )
    write_training(data, [ModelKey("ca1", N_FACTORS)], PANEL["characteristics"])
    write_json([null_of("ca1", N_FACTORS)], data / "evaluation_null/null.json")
    write_json(PRICES, data / "prices/summary.json")
    write_json(PANEL, data / "panel/summary.json")
    write_json(VALIDATION, data / "validation/result.json")
    return data


@pytest.fixture(scope="session")
def ladder(tmp_path_factory):
    data = tmp_path_factory.mktemp("ladder")
    write_ladder(data)
    return data


@pytest.fixture
def data(evaluated, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(evaluated, tmp_path / "data")
