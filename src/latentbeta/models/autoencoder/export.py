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


def export_networks(
    weights: Weights, hidden: tuple[int, ...], rotations: Array, premia: Array, folder: Path
) -> None:
    """Save two networks of Z (rows, P): the published betas, and the forecast.

    ``beta_network.keras`` gives (rows, K): each member's betas rotated, then their mean.
    ``forecast_network.keras`` gives (rows, 1): the mean of the members' own β·λ, which is not
    the product of the means.

    Parameters
    ----------
    weights : of the stacked beta network; without hidden layers the last input is the constant
    rotations : (M, K, K) each member's G; its betas are published as β G⁻ᵀ
    premia : (M, K) each member's λ, not rotated
    """
    members = _members(weights, hidden, rotations.shape[-1])
    turn = np.linalg.inv(rotations).transpose(0, 2, 1) / len(rotations)
    for name, head in (("beta", turn), ("forecast", premia[..., None] / len(premia))):
        with written_atomically(folder / f"{name}_network.keras") as temporary:
            temporary.write_bytes(_undated(_with_head(members, head, name)))


def _members(weights: Weights, hidden: tuple[int, ...], n_factors: int) -> Any:
    n_members, n_inputs, _ = weights[0].shape
    if hidden:
        members = beta_network(Architecture(n_inputs, hidden, n_factors, 1, n_members))
    else:
        members, weights = _linear_with_bias(weights)
    members.set_weights(weights)
    return members


def _linear_with_bias(weights: Weights) -> tuple[Any, Weights]:
    from keras import Input, Model, layers

    kernel = weights[0]
    n_members, n_inputs, n_factors = kernel.shape
    inputs = Input((n_inputs - 1,), name="characteristics")
    shape = (n_members, n_factors)
    layer = layers.EinsumDense("bp,mph->bmh", shape, bias_axes="mh", name="output")
    return Model(inputs, layer(inputs)), [kernel[:, :-1], kernel[:, -1]]


def _with_head(members: Any, head: Array, name: str) -> Any:
    """Sum the members' betas (rows, M, K) over both axes with the weights of a head (M, K, J)."""
    from keras import Model, layers

    layer = layers.EinsumDense("bmk,mkj->bj", (head.shape[-1],), name="published")
    network = Model(members.input, layer(members.output), name=name)
    layer.set_weights([head.astype(np.float32)])
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
