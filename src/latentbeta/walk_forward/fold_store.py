"""Finished fits, kept by the content of what went into them.

A fit depends on its training and validation rows, the model's settings and seed, and the code.
Their hash is the file's name: a killed run finds what it finished, a nightly run finds the folds
that new data did not touch, and a changed number anywhere finds nothing.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from functools import cache
from io import BytesIO
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from latentbeta.models.protocol import FactorModel, Fit
from latentbeta.panel.panel import Panel
from latentbeta.storage import written_atomically
from latentbeta.walk_forward.folds import Fold

LIBRARIES = ("numpy", "scipy", "keras", "tensorflow-cpu")
CODE = ("models", "panel", "config")

_TABLES = ("history", "selection")

# Panels are immutable and compared by identity; an entry goes when its panel does.
_SAMPLES: WeakKeyDictionary[Panel, dict[tuple[int, int, int], str]] = WeakKeyDictionary()


class FoldStore:
    """A folder of `<hash>.npz` files, each written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        """Where the fit with this key is, or would be."""
        return self.folder / f"{key}.npz"

    def load(self, key: str) -> Fit | None:
        """Return the finished fit, or None when there is none."""
        path = self.path(key)
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        tables = {table: _take(arrays, table) for table in _TABLES}
        return Fit(_take(arrays, "state"), *(pd.DataFrame(tables[t]) for t in _TABLES))

    def save(self, key: str, fit: Fit) -> None:
        """Keep a finished fit; the same fit gives the same bytes."""
        arrays = {f"state/{name}": value for name, value in fit.state.items()}
        for table in _TABLES:
            frame: pd.DataFrame = getattr(fit, table)
            arrays |= {f"{table}/{name}": frame[name].to_numpy() for name in frame}
        stream = BytesIO()
        np.savez(stream, **arrays)  # type: ignore[arg-type]  # its stub mixes up keywords
        with written_atomically(self.path(key)) as temporary:
            temporary.write_bytes(stream.getvalue())


def fit_key(model: FactorModel, panel: Panel, fold: Fold) -> str:
    """Return the hash of all that a fit depends on."""
    digest = hashlib.sha256()
    digest.update(repr(model).encode())
    digest.update(code_hash().encode())
    digest.update(samples_hash(panel, fold).encode())
    return digest.hexdigest()


def samples_hash(panel: Panel, fold: Fold) -> str:
    """Return the hash of a fold's training and validation rows, worked out once for all models."""
    known = _SAMPLES.setdefault(panel, {})
    ends = fold.train_start, fold.validation_start, fold.validation_end
    if ends not in known:
        training = panel.between(fold.train_start, fold.validation_start)
        validation = panel.between(fold.validation_start, fold.validation_end)
        known[ends] = _hash_of(training, validation)
    return known[ends]


def _hash_of(*panels: Panel) -> str:
    digest = hashlib.sha256()
    for panel in panels:
        digest.update(repr((panel.characteristic_names, panel.factor_names)).encode())
        digest.update(repr(panel.sector_names).encode())
        digest.update("\n".join(panel.assets[panel.asset_index]).encode())
        weights = panel.market_equity, panel.sector
        for array in (panel.dates, panel.offsets, panel.Z, panel.R, panel.F, *weights):
            digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


@cache
def code_hash() -> str:
    """Return the hash of the code and library versions that turn a panel into a fit."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for place in CODE:
        root = package / place
        for file in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
            digest.update(file.read_bytes())
    for library in LIBRARIES:
        digest.update(f"{library}=={importlib.metadata.version(library)}".encode())
    digest.update(os.environ.get("KERAS_BACKEND", "").encode())
    return digest.hexdigest()


def _take(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    start = f"{prefix}/"
    return {n.removeprefix(start): v for n, v in arrays.items() if n.startswith(start)}
