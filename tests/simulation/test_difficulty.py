"""The market must tell models apart: constant betas below linear ones, those below the truth."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latentbeta.config import SimulationSettings, read_settings
from latentbeta.data.market_files import load_market
from latentbeta.data.store import ingest
from latentbeta.panel.build import build_panel
from latentbeta.panel.panel import Panel
from latentbeta.simulation.betas import CHARACTERISTICS
from latentbeta.simulation.economy import PREMIUM
from latentbeta.simulation.simulate import simulate

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Truth:
    panel: Panel
    betas: np.ndarray  # (n, 3), row by row as in the panel
    factors: np.ndarray  # (T, 3)


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    folder = tmp_path_factory.mktemp("difficulty")
    settings = read_settings(PROJECT / "params.yaml")
    market = SimulationSettings(
        n_assets=150,
        n_sectors=5,
        start=dt.date(2003, 1, 2),
        end=dt.date(2010, 12, 31),
        idiosyncratic_volatility=settings.simulation.idiosyncratic_volatility,
        gap_rate=settings.simulation.gap_rate,
    )
    simulate(
        market, rebalancing="monthly", calendar="XNYS", seed=1, as_of=None, out=folder / "simulated"
    )
    data = settings.data.model_copy(update={"path": folder / "simulated"})
    ingest(data, folder / "prices", dt.date(2026, 1, 1))
    names = settings.characteristics.model_copy(update={"names": CHARACTERISTICS})
    panel = build_panel(
        load_market(folder / "prices"), rebalancing="monthly", calendar="XNYS", settings=names
    ).panel
    rows = pd.MultiIndex.from_arrays(
        [panel.dates[panel.date_index], panel.assets[panel.asset_index]]
    )
    betas = pd.read_parquet(folder / "prices/truth/betas.parquet").set_index(["date", "asset"])
    factors = pd.read_parquet(folder / "prices/truth/factors.parquet").set_index("date")
    return Truth(panel, betas.reindex(rows).to_numpy(), factors.reindex(panel.dates).to_numpy())


def total_r2(truth: Truth, betas: np.ndarray) -> float:
    """R² when each date's factors are those that fit its returns best."""
    fitted = np.full(len(betas), np.nan)
    for rows in truth.panel.blocks():
        seen = np.isfinite(truth.panel.R[rows]) & np.isfinite(betas[rows]).all(axis=1)
        if seen.any():
            solved = np.linalg.lstsq(betas[rows][seen], truth.panel.R[rows][seen], rcond=None)
            fitted[rows] = betas[rows] @ solved[0]
    return explained(truth.panel.R, fitted)


def explained(realised: np.ndarray, fitted: np.ndarray) -> float:
    both = np.isfinite(realised) & np.isfinite(fitted)
    return float(1 - ((realised - fitted)[both] ** 2).sum() / (realised[both] ** 2).sum())


def test_the_panel_s_rows_have_true_betas(truth: Truth) -> None:
    known = np.isfinite(truth.betas).all(axis=1)
    assert known.mean() > 0.999


def test_true_betas_explain_two_fifths(truth: Truth) -> None:
    fitted = (truth.betas * truth.factors[truth.panel.date_index]).sum(axis=1)
    assert 0.33 < explained(truth.panel.R, fitted) < 0.47


def test_premia_forecast_a_few_percent(truth: Truth) -> None:
    assert 0.005 < explained(truth.panel.R, truth.betas @ PREMIUM / 12) < 0.04


def test_the_best_linear_betas_lose_five_points_and_constant_ones_far_more(truth: Truth) -> None:
    Z = np.column_stack([np.ones(truth.panel.n_rows), truth.panel.Z])
    known = np.isfinite(truth.betas).all(axis=1)
    linear = Z @ np.linalg.lstsq(Z[known], truth.betas[known], rcond=None)[0]
    mean = pd.DataFrame(truth.betas).groupby(truth.panel.asset_index).transform("mean").to_numpy()
    true, best_linear, constant = (total_r2(truth, b) for b in (truth.betas, linear, mean))
    assert true - best_linear > 0.05
    assert best_linear - constant > 0.05


def test_managed_portfolios_span_the_factors(truth: Truth) -> None:
    Z = np.column_stack([np.ones(truth.panel.n_rows), truth.panel.Z])
    portfolios = []
    for rows in list(truth.panel.blocks())[:-1]:
        seen = np.isfinite(truth.panel.R[rows])
        portfolios.append(np.linalg.lstsq(Z[rows][seen], truth.panel.R[rows][seen], rcond=None)[0])
    X = np.array(portfolios)
    for factor in truth.factors[: len(X)].T:
        fitted = X @ np.linalg.lstsq(X, factor, rcond=None)[0]
        assert np.corrcoef(fitted, factor)[0, 1] > 0.8
