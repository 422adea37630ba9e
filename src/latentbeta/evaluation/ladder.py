"""The order in which models are shown and compared: each is given less and solves for more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

LADDER = (
    "observed_factors",
    "observed_betas",
    "pca",
    "rp_pca",
    "ipca",
    "autoencoder",
    "cae_lecture",
    "ca0",
    "ca1",
    "ca2",
    "ca3",
)


class ModelKey(NamedTuple):
    """What one row of the table of models is about."""

    model: str
    n_factors: int


def rung(key: ModelKey) -> tuple[int, str, int]:
    """Return a sorting key: place on the ladder (unknown names last), name, factor count."""
    place = LADDER.index(key.model) if key.model in LADDER else len(LADDER)
    return place, key.model, key.n_factors


def pairs(keys: Iterable[ModelKey]) -> list[tuple[ModelKey, ModelKey]]:
    """Return the pairs to compare, the one higher on the ladder first.

    Models are compared at the same number of factors. A model that exists with a single number
    of factors (the observed market, say) meets the others at each of theirs.
    """
    ordered = sorted(keys, key=rung)
    counts: dict[str, list[int]] = {}
    for key in ordered:
        counts.setdefault(key.model, []).append(key.n_factors)
    return [
        (higher, lower)
        for position, lower in enumerate(ordered)
        for higher in ordered[position + 1 :]
        if higher.model != lower.model and _meet(higher, lower, counts)
    ]


def _meet(a: ModelKey, b: ModelKey, counts: dict[str, list[int]]) -> bool:
    alone = len(counts[a.model]) == 1 or len(counts[b.model]) == 1
    return alone or a.n_factors == b.n_factors
