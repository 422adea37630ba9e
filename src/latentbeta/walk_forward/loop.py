"""The loop that runs any model over the folds, and picks up where a killed run stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from latentbeta.models.protocol import FactorModel, Fit
from latentbeta.models.rotation import Basis
from latentbeta.panel.panel import Panel
from latentbeta.progress import say
from latentbeta.walk_forward.estimates import FoldEstimates, estimate_fold
from latentbeta.walk_forward.fold_store import FoldStore
from latentbeta.walk_forward.folds import Fold
from latentbeta.walk_forward.interpretation import importance
from latentbeta.walk_forward.jobs import fit_or_find


@dataclass(frozen=True)
class ModelRun:
    """One model over all folds.

    Attributes
    ----------
    predictions, betas, factors, history, selection, importance : tables, as in
        docs/architecture.md
    last_fit, last_estimates : of the newest fold
    keys : the fold store's key of each fold
    n_fitted : folds that were fitted now rather than found finished
    """

    model: FactorModel
    predictions: pd.DataFrame
    betas: pd.DataFrame
    factors: pd.DataFrame
    history: pd.DataFrame
    selection: pd.DataFrame
    importance: pd.DataFrame
    last_fit: Fit
    last_estimates: FoldEstimates
    keys: tuple[str, ...]
    n_fitted: int


def run_model(
    model: FactorModel,
    panel: Panel,
    folds: list[Fold],
    store: FoldStore,
    on_fold: Callable[[], None] = lambda: None,
) -> ModelRun:
    """Fit (or find), apply and align one model fold by fold; `on_fold` is called after each."""
    tables: list[dict[str, pd.DataFrame]] = []
    keys: list[str] = []
    basis: Basis | None = None
    n_fitted = 0
    for fold in folds:
        key, fit, fresh = fit_or_find(model, panel, fold, store)
        estimates = estimate_fold(model, fit.state, panel, fold, basis)
        basis = estimates.basis
        keys.append(key)
        n_fitted += fresh
        tables.append(_tables(model, fold, fit, estimates))
        on_fold()
    joined = {
        name: pd.concat([t[name] for t in tables if len(t[name])] or [tables[0][name]])
        for name in tables[0]
    }
    say(f"{model.name} K={model.n_factors}: {n_fitted} of {len(folds)} folds fitted, others found")
    return ModelRun(
        model=model,
        **{name: table.reset_index(drop=True) for name, table in joined.items()},
        last_fit=fit,
        last_estimates=estimates,
        keys=tuple(keys),
        n_fitted=n_fitted,
    )


def _tables(
    model: FactorModel, fold: Fold, fit: Fit, estimates: FoldEstimates
) -> dict[str, pd.DataFrame]:
    test = estimates.panel
    rows = {"date": test.dates[test.date_index], "asset": test.assets[test.asset_index]}
    names = [f"factor_{k + 1}" for k in range(model.n_factors)]
    premia = [f"premium_{k + 1}" for k in range(model.n_factors)]
    tables = {
        "predictions": pd.DataFrame(
            rows | {"realised": test.R, "fitted": estimates.fitted, "forecast": estimates.forecast}
        ),
        "betas": pd.DataFrame(rows | dict(zip(names, estimates.betas.T, strict=True))),
        "factors": pd.DataFrame(
            {"date": test.dates}
            | dict(zip(names, estimates.factors.T, strict=True))
            | dict(zip(premia, estimates.premia.T, strict=True))
            | {"tangency": estimates.tangency}
        ),
        "history": fit.history,
        "selection": fit.selection,
        "importance": importance(model, fit.state, estimates),
    }
    labels: dict[str, str | int] = {
        "model": model.name,
        "n_factors": model.n_factors,
        "fold": fold.number,
    }
    return {name: labelled(table, labels) for name, table in tables.items()}


def labelled(table: pd.DataFrame, labels: dict[str, str | int]) -> pd.DataFrame:
    """Put columns of one value each before a table's own."""
    return pd.concat([pd.DataFrame(labels, index=table.index), table], axis=1)
