"""A trained ensemble as one Keras model of built-in layers: characteristics in, betas out."""

from __future__ import annotations

import json
import re
import zipfile
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from latentbeta.models.autoencoder.networks import Architecture, Weights, beta_network
from latentbeta.models.protocol import Array
from latentbeta.storage import written_atomically

# The archive records when it was made, and where in memory; the same weights are to give the same
# bytes.
UNDATED = "1980-01-01@00:00:00"
ADDRESS = re.compile(rb'(?<="shared_object_id": )\d+')


def export_network(weights: Weights, hidden: tuple[int, ...], rotations: Array, path: Path) -> None:
    """Save Z (rows, P) → published betas (rows, K): each member's rotated, then their mean.

    Parameters
    ----------
    weights : of the stacked beta network; without hidden layers the last input is the constant
    rotations : (M, K, K) each member's G; its betas are published as β G⁻ᵀ
    path : ends in .keras
    """
    n_members, n_inputs, _ = weights[0].shape
    n_factors = rotations.shape[-1]
    if hidden:
        members = beta_network(Architecture(n_inputs, hidden, n_factors, 1, n_members))
    else:
        members, weights = _linear_with_bias(weights)
    members.set_weights(weights)
    network = _rotated_mean(members, rotations)
    with written_atomically(path) as temporary:
        temporary.write_bytes(_undated(network))


def _linear_with_bias(weights: Weights) -> tuple[Any, Weights]:
    from keras import Input, Model, layers

    kernel = weights[0]
    n_members, n_inputs, n_factors = kernel.shape
    inputs = Input((n_inputs - 1,), name="characteristics")
    shape = (n_members, n_factors)
    layer = layers.EinsumDense("bp,mph->bmh", shape, bias_axes="mh", name="output")
    return Model(inputs, layer(inputs)), [kernel[:, :-1], kernel[:, -1]]


def _rotated_mean(members: Any, rotations: Array) -> Any:
    from keras import Model, layers

    mean = layers.EinsumDense("bmk,mkj->bj", (rotations.shape[-1],), name="published")
    network = Model(members.input, mean(members.output), name="published_betas")
    turn = np.linalg.inv(rotations).transpose(0, 2, 1) / len(rotations)
    mean.set_weights([turn.astype(np.float32)])
    return network


def _undated(network: Any) -> bytes:
    """Return the network's archive without the time and the memory addresses of its making."""
    undated = BytesIO()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "network.keras"
        network.save(path)
        with zipfile.ZipFile(path) as dated, zipfile.ZipFile(undated, "w") as archive:
            for name in sorted(dated.namelist()):
                content = dated.read(name)
                if name == "metadata.json":
                    content = json.dumps(json.loads(content) | {"date_saved": UNDATED}).encode()
                if name == "config.json":
                    content = _numbered(content)
                archive.writestr(zipfile.ZipInfo(name), content)
    return undated.getvalue()


def _numbered(config: bytes) -> bytes:
    """Give the objects that layers share numbers in order of appearance."""
    numbers: dict[bytes, int] = {}
    return ADDRESS.sub(
        lambda found: str(numbers.setdefault(found[0], len(numbers) + 1)).encode(), config
    )
