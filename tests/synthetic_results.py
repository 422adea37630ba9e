"""A small market with known betas and factors, and saved results of made-up models on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from ruamel.yaml import YAML

from latentbeta.config import Settings, check_settings
from latentbeta.panel.panel import Panel

N_DATES, N_ASSETS, N_CHARACTERISTICS, N_FACTORS = 36, 40, 4, 2
NOISE = {"observed_factors": 0.9, "pca": 0.6, "ipca": 0.3, "ca1": 0.05}
FOLDS = ((0, "2016-01-29", 12), (1, "2017-01-31", 12), (2, "2018-01-31", 12))


def monthly_settings(**nightly: object) -> Settings:
    """The project's settings with all that these results depend on fixed."""
    file = Path(__file__).parents[1] / "params.yaml"
    document = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    fixed = {
        "seed": 7,
        "rebalancing": "monthly",
        "evaluation": {
            "bootstrap_draws": 200,
            "bootstrap_block": 6,
            "quantile": 0.1,
            "cost": 0.001,
        },
        "nightly": document["nightly"] | {"model": "ca1", "n_factors": N_FACTORS} | nightly,
    }
    return check_settings(document | fixed, source="params.yaml")


class Market:
    """Characteristics, true betas, true factors and returns, with a few gaps."""

    def __init__(self, seed: int = 0) -> None:
        draw = np.random.default_rng(seed)
        self.dates = pd.date_range("2016-01-29", periods=N_DATES, freq="BME").as_unit("us")
        self.assets = np.array([f"A{i:02d}" for i in range(N_ASSETS)])
        self.Z = draw.uniform(-1, 1, (N_DATES, N_ASSETS, N_CHARACTERISTICS))
        self.betas = np.stack([1 + self.Z[..., 0], self.Z[..., 1] ** 2], axis=-1)
        self.factors = draw.normal([0.01, 0.02], 0.04, (N_DATES, N_FACTORS))
        self.premium = np.array([0.01, 0.02])
        self.systematic = np.einsum("tnk,tk->tn", self.betas, self.factors)
        noise = draw.normal(0, 0.04, (N_DATES, N_ASSETS))
        self.returns = np.where(
            draw.random((N_DATES, N_ASSETS)) < 0.02, np.nan, self.systematic + noise
        )
        self.market_equity = np.exp(draw.normal(8, 1, (N_DATES, N_ASSETS)))
        self.error = draw.normal(0, 1, (len(NOISE), *self.betas.shape))

    def published_betas(self, place: int, noise: float) -> np.ndarray:
        """Betas off by `noise`, on factors turned by a fixed matrix."""
        return (self.betas + noise * self.error[place]) @ ROTATION

    def long(self, **columns: np.ndarray) -> pd.DataFrame:
        """Spread (T, N) matrices over rows of (date, asset)."""
        index = pd.MultiIndex.from_product([self.dates, self.assets], names=["date", "asset"])
        table = pd.DataFrame({k: v.reshape(-1) for k, v in columns.items()}, index=index)
        return table.reset_index()


ROTATION = np.array([[0.8, 0.6], [-0.6, 0.8]])


def panel_of(market: Market) -> Panel:
    """The market as a panel without gaps in its rows."""
    return Panel(
        dates=market.dates.to_numpy("M8[us]"),
        assets=market.assets,
        characteristic_names=tuple(f"c{p}" for p in range(N_CHARACTERISTICS)),
        offsets=np.arange(N_DATES + 1) * N_ASSETS,
        asset_index=np.tile(np.arange(N_ASSETS), N_DATES),
        Z=market.Z.reshape(-1, N_CHARACTERISTICS).astype(np.float32),
        R=market.returns.reshape(-1),
        market_equity=market.market_equity.reshape(-1),
    )


def panel_table(market: Market) -> pd.DataFrame:
    """The market in the columns of panel.parquet."""
    columns = {f"c{p}": market.Z[..., p] for p in range(N_CHARACTERISTICS)}
    table = market.long(**{"return": market.returns, "market_equity": market.market_equity})
    table.insert(1, "formation", table["date"] - pd.Timedelta(days=30))
    return table.assign(**{k: v.reshape(-1).astype(np.float32) for k, v in columns.items()})


def fold_of_dates() -> np.ndarray:
    """(T,) number of each date's fold."""
    return np.repeat([number for number, _, _ in FOLDS], [length for *_, length in FOLDS])


def predictions_of(market: Market) -> pd.DataFrame:
    """Predictions of every made-up model, the closer to the truth the higher on the ladder."""
    tables = []
    for place, (model, noise) in enumerate(NOISE.items()):
        betas = market.betas + noise * market.error[place]
        table = market.long(
            realised=market.returns,
            fitted=np.einsum("tnk,tk->tn", betas, market.factors),
            forecast=betas @ market.premium,
        )
        table.insert(0, "model", model)
        table.insert(1, "n_factors", N_FACTORS)
        table.insert(2, "fold", np.repeat(fold_of_dates(), N_ASSETS))
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def betas_of(market: Market) -> pd.DataFrame:
    """Published betas of every model."""
    tables = []
    for place, (model, noise) in enumerate(NOISE.items()):
        betas = market.published_betas(place, noise)
        table = market.long(factor_1=betas[..., 0], factor_2=betas[..., 1])
        table.insert(0, "model", model)
        table.insert(1, "n_factors", N_FACTORS)
        table.insert(2, "fold", np.repeat(fold_of_dates(), N_ASSETS))
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def factors_of(market: Market) -> pd.DataFrame:
    """Published factor returns and premia of every model."""
    factors, premium = market.factors @ ROTATION, market.premium @ ROTATION
    one = pd.DataFrame({"fold": fold_of_dates(), "date": market.dates})
    one[["factor_1", "factor_2"]] = factors
    one[["premium_1", "premium_2"]] = premium
    # What the models would have earned is no matter here: a little more at each rung.
    luck = np.random.default_rng(9).normal(0, 0.01, N_DATES)
    tables = [
        one.assign(model=model, n_factors=N_FACTORS, tangency=luck + 0.001 * place)[
            ["model", "n_factors", *one.columns, "tangency"]
        ]
        for place, model in enumerate(NOISE)
    ]
    return pd.concat(tables, ignore_index=True)


def folds_table() -> pd.DataFrame:
    """Three expanding folds."""
    rows = [
        {
            "fold": number,
            "train_start": pd.Timestamp("2010-01-29"),
            "train_end": pd.Timestamp(start) - pd.DateOffset(months=26),
            "validation_start": pd.Timestamp(start) - pd.DateOffset(months=25),
            "validation_end": pd.Timestamp(start) - pd.DateOffset(months=2),
            "test_start": pd.Timestamp(start),
            "test_end": pd.Timestamp(start) + pd.DateOffset(months=11),
            "embargo": 1,
        }
        for number, start, _ in FOLDS
    ]
    return pd.DataFrame(rows)


def history_table() -> pd.DataFrame:
    """Loss curves of ca1: two members a fold, the second stopped earlier."""
    rows = [
        {
            "model": "ca1",
            "n_factors": N_FACTORS,
            "fold": fold,
            "member": member,
            "epoch": epoch,
            "training_loss": 0.01 / (epoch + 1),
            "validation_loss": 0.012 / (epoch + 1) + 0.0001 * epoch,
        }
        for fold, _, _ in FOLDS
        for member in (0, 1)
        for epoch in range(12 - 4 * member)
    ]
    return pd.DataFrame(rows)


def selection_table() -> pd.DataFrame:
    """The epoch with the least validation loss."""
    best = (
        history_table()
        .sort_values("validation_loss", kind="stable")
        .drop_duplicates(["model", "n_factors", "fold", "member"])
    )
    best = best.sort_values(["fold", "member"]).rename(columns={"epoch": "best_epoch"})
    return best[["model", "n_factors", "fold", "member", "best_epoch", "validation_loss"]]


def importance_table() -> pd.DataFrame:
    """What two models lose without each characteristic, fold by fold."""
    rows = [
        {
            "model": model,
            "n_factors": N_FACTORS,
            "fold": fold,
            "characteristic": f"c{p}",
            "error": 6.0,
            "scale": 10.0,
            "lost": 6.0 + (2.0 - p) * (1 + fold / 10),
        }
        for model in ("ipca", "ca1")
        for fold, _, _ in FOLDS
        for p in range(N_CHARACTERISTICS)
    ]
    return pd.DataFrame(rows)


def write_results(data: Path, market: Market) -> None:
    """Write what the stages before evaluation leave behind, truth included."""
    tables = {
        "results/predictions": predictions_of(market),
        "results/betas": betas_of(market),
        "results/factors": factors_of(market),
        "results/folds": folds_table(),
        "training/history": history_table(),
        "training/selection": selection_table(),
        "training/importance": importance_table(),
        "panel/panel": panel_table(market),
        "prices/truth/betas": market.long(
            factor_1=market.betas[..., 0], factor_2=market.betas[..., 1]
        ),
        "prices/truth/factors": pd.DataFrame(
            {
                "date": market.dates,
                "factor_1": market.factors[:, 0],
                "factor_2": market.factors[:, 1],
            }
        ),
    }
    for name, table in tables.items():
        path = data / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(path, index=False)
